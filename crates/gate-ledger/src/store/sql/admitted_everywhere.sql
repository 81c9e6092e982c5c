-- Positions are sorted first, so that the sorter does not carry the bodies.
WITH RECURSIVE gates (name) AS (
  SELECT min(gate) FROM entry INDEXED BY entry_admitted WHERE kind = 'grant'
  UNION ALL
  SELECT (SELECT min(gate) FROM entry INDEXED BY entry_admitted WHERE kind = 'grant' AND gate > name)
  FROM gates WHERE name IS NOT NULL
), found (seq) AS MATERIALIZED (
  SELECT seq FROM gates CROSS JOIN entry INDEXED BY entry_admitted
  WHERE kind = 'grant' AND gate = name AND at >= ?1 ORDER BY at DESC, seq DESC
)
SELECT entry.seq, body, hash FROM found CROSS JOIN entry ON entry.seq = found.seq
