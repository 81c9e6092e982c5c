SELECT seq, body, hash FROM entry INDEXED BY entry_life WHERE ref = ?1 ORDER BY seq
