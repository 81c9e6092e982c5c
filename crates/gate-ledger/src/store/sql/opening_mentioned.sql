-- The names that occur in the text ?1, and those that a sentence may spell otherwise.
SELECT commitment, seq, field, salt, value FROM private INDEXED BY private_name
WHERE field = 'name' AND (instr(?1, value) > 0 OR value GLOB '*[^ -~]*') ORDER BY seq, commitment
