WITH found (seq) AS MATERIALIZED (
  SELECT seq FROM entry INDEXED BY entry_requested WHERE kind = 'request' ORDER BY seq DESC
)
SELECT entry.seq, body, hash FROM found CROSS JOIN entry ON entry.seq = found.seq
