SELECT seq, body, hash FROM entry INDEXED BY entry_admitted_by
WHERE kind = 'grant' AND actor = ?1 AND at >= ?2 ORDER BY at DESC, seq DESC
