-- No index serves this: one on the hash would cost every entry 40 bytes for a look-up that people make by hand.
SELECT seq, body, hash FROM entry WHERE hash BETWEEN ?1 AND ?2 ORDER BY seq
