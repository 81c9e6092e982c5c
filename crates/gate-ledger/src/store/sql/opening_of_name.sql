-- A name of another length is another one, and is not read.
SELECT
  iif(octet_length(commitment) = 32, commitment, NULL),
  seq,
  id,
  iif(octet_length(actor) <= 1048576, actor, NULL),
  iif(octet_length(field) <= 6, field, NULL),
  iif(octet_length(salt) = 32, salt, NULL),
  iif(octet_length(value) <= 1048576, value, NULL),
  octet_length(value)
FROM private INDEXED BY private_name
WHERE field = 'name' AND substr(value, 1, 64) = substr(?1, 1, 64)
  AND iif(octet_length(value) = octet_length(?1), value = ?1, FALSE)
ORDER BY seq, rowid
