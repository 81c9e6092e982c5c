SELECT seq, body, hash FROM entry INDEXED BY entry_owing
WHERE kind = 'grant' AND owes IS NOT NULL AND (?1 IS NULL OR gate = ?1) ORDER BY seq
