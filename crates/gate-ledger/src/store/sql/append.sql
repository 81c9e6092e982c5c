INSERT INTO entry (seq, body, hash) VALUES (?1, ?2, ?3)
