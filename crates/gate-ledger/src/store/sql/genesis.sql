SELECT seq, body, hash FROM entry ORDER BY seq LIMIT 1
