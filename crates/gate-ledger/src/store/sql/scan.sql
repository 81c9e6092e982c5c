SELECT seq, body, hash FROM entry WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq
