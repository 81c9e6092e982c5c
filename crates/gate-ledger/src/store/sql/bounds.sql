-- Two look-ups: asked for in one, the least and the greatest would be searched for in every row.
SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)
