SELECT seq, body, hash FROM entry INDEXED BY entry_spent
WHERE kind = 'decision' AND spends IS NOT NULL AND gate = ?1 AND seq > ?2 ORDER BY seq
