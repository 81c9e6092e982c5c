-- The names that occur in the text ?1, and those that a sentence may spell otherwise.
FROM private INDEXED BY private_name
WHERE field = 'name'
  AND iif(octet_length(value) <= 1048576, instr(?1, value) > 0 OR value GLOB '*[^ -~]*', TRUE)
ORDER BY seq, rowid
