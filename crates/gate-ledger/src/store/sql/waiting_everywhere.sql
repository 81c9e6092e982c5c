-- Steps from gate to gate, so that requests that lapsed long ago are not walked over.
WITH RECURSIVE gates (name) AS (
  SELECT min(gate) FROM entry INDEXED BY entry_waiting WHERE kind = 'request'
  UNION ALL
  SELECT (SELECT min(gate) FROM entry INDEXED BY entry_waiting WHERE kind = 'request' AND gate > name)
  FROM gates WHERE name IS NOT NULL
)
SELECT seq, body, hash FROM gates CROSS JOIN entry INDEXED BY entry_waiting
WHERE kind = 'request' AND gate = name AND lapses > ?1 ORDER BY seq DESC
