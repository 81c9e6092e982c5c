SELECT seq, body, hash FROM entry INDEXED BY entry_waiting
WHERE kind = 'request' AND gate = ?1 AND lapses > ?2 ORDER BY seq DESC
