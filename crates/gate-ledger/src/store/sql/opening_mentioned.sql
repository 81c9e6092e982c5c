-- The names that occur in the text ?1, and those that a sentence may spell otherwise.
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
WHERE field = 'name'
  AND iif(octet_length(value) <= 1048576, instr(?1, value) > 0 OR value GLOB '*[^ -~]*', TRUE)
ORDER BY seq, rowid
