SELECT min(seq) FROM entry WHERE seq >= ?1
