SELECT count(*) FROM entry INDEXED BY entry_spent
WHERE kind = 'decision' AND spends IS NOT NULL AND gate = ?1 AND spends = ?2 AND seq > ?3 AND seq <= ?4
