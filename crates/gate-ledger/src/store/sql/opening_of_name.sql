SELECT commitment, seq, field, salt, value FROM private INDEXED BY private_name
WHERE field = 'name' AND value = ?1 ORDER BY seq, commitment
