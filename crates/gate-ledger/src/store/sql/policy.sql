SELECT seq, body, hash FROM entry INDEXED BY entry_policy
WHERE kind = 'policy' AND digest = ?1 ORDER BY seq DESC
