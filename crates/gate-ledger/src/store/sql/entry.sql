SELECT seq, body, hash FROM entry WHERE seq = ?1
