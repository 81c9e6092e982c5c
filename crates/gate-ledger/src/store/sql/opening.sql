SELECT commitment, seq, field, salt, value FROM private WHERE commitment = ?1
