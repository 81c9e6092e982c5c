INSERT INTO private (commitment, seq, id, actor, field, salt, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (substr(commitment, 1, 32)) DO NOTHING
