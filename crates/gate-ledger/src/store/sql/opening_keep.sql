INSERT INTO private (commitment, seq, field, salt, value) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (commitment) DO NOTHING
