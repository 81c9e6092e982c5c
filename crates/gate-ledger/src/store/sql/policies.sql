SELECT seq, body, hash FROM entry INDEXED BY entry_policy
WHERE kind = 'policy' ORDER BY seq DESC
