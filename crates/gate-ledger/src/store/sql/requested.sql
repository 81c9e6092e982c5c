SELECT seq, body, hash FROM entry INDEXED BY entry_requested
WHERE kind = 'request' AND gate = ?1 ORDER BY seq DESC
