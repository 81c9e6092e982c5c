-- A name of another length is another one, and is not read.
FROM private INDEXED BY private_name
WHERE field = 'name' AND substr(value, 1, 64) = substr(?1, 1, 64)
  AND iif(octet_length(value) = octet_length(?1), value = ?1, FALSE)
ORDER BY seq, rowid
