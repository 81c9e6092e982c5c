-- For each index of openings: whether it leads to every row that it should hold, and whether it holds no more.
SELECT
  NOT EXISTS (SELECT 1 FROM private AS it NOT INDEXED WHERE NOT EXISTS (
    SELECT 1 FROM private AS p INDEXED BY private_commitment
    WHERE substr(p.commitment, 1, 32) = substr(it.commitment, 1, 32) AND p.rowid = it.rowid)),
  (SELECT count(*) FROM private INDEXED BY private_commitment WHERE substr(commitment, 1, 32) >= x'')
    = (SELECT count(*) FROM private NOT INDEXED),
  NOT EXISTS (SELECT 1 FROM private AS it NOT INDEXED WHERE it.field = 'name' AND NOT EXISTS (
    SELECT 1 FROM private AS p INDEXED BY private_name
    WHERE p.field = 'name' AND substr(p.value, 1, 64) = substr(it.value, 1, 64) AND p.rowid = it.rowid)),
  (SELECT count(*) FROM private INDEXED BY private_name WHERE field = 'name')
    = (SELECT count(*) FROM private NOT INDEXED WHERE field = 'name')
