SELECT seq, body, hash FROM entry INDEXED BY entry_granted
WHERE kind = 'grant' AND gate = ?1 ORDER BY seq DESC
