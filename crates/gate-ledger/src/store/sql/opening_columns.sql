-- What each query of openings begins with.
-- The length of a value is known without the value, which is read only where it can be one.
SELECT
  iif(octet_length(commitment) = 32, commitment, NULL),
  seq,
  id,
  iif(octet_length(actor) <= 1048576, actor, NULL),
  iif(octet_length(field) <= 6, field, NULL),
  iif(octet_length(salt) = 32, salt, NULL),
  iif(octet_length(value) <= 1048576, value, NULL),
  octet_length(value)
