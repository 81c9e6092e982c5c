SELECT seq, body, hash FROM entry INDEXED BY entry_nonce WHERE nonce = ?1 ORDER BY seq
