-- Steps from gate to gate, so that grants that ended long ago are not walked over.
WITH RECURSIVE gates (name) AS (
  SELECT min(gate) FROM entry INDEXED BY entry_live WHERE kind = 'grant'
  UNION ALL
  SELECT (SELECT min(gate) FROM entry INDEXED BY entry_live WHERE kind = 'grant' AND gate > name)
  FROM gates WHERE name IS NOT NULL
)
SELECT seq, body, hash FROM gates CROSS JOIN entry INDEXED BY entry_live
WHERE kind = 'grant' AND gate = name AND expires > ?1 ORDER BY seq
