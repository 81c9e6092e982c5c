SELECT seq, body, hash FROM entry INDEXED BY entry_admitted
WHERE kind = 'grant' AND gate = ?1 AND at >= ?2 AND at < ?3 ORDER BY at DESC, seq DESC
