-- For the row ?1 and each index: NULL where the index should not hold it, else whether looking for it there
-- finds it. The columns of "it" are computed from the body, never taken from an index.
SELECT
  CASE WHEN it.kind = 'grant' THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_live
    WHERE e.kind = 'grant' AND e.gate IS it.gate AND e.expires IS it.expires AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'grant' THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_admitted
    WHERE e.kind = 'grant' AND e.gate IS it.gate AND e.at IS it.at AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'grant' THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_granted
    WHERE e.kind = 'grant' AND e.gate IS it.gate AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'grant' AND it.owes IS NOT NULL THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_owing
    WHERE e.kind = 'grant' AND e.owes IS NOT NULL AND e.gate IS it.gate AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'request' THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_waiting
    WHERE e.kind = 'request' AND e.gate IS it.gate AND e.lapses IS it.lapses AND e.seq = it.seq) END,
  CASE WHEN it.ref IS NOT NULL THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_life
    WHERE e.ref = it.ref AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'policy' THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_policy
    WHERE e.kind = 'policy' AND e.digest IS it.digest AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'decision' AND it.spends IS NOT NULL THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_spent
    WHERE e.kind = 'decision' AND e.spends IS NOT NULL AND e.gate IS it.gate AND e.spends = it.spends
      AND e.seq = it.seq) END,
  CASE WHEN it.kind = 'decision' AND instr(it.spends, ',') > 0 THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_spent_together
    WHERE e.kind = 'decision' AND instr(e.spends, ',') > 0 AND e.gate IS it.gate AND e.spends = it.spends
      AND e.seq = it.seq) END,
  CASE WHEN it.nonce IS NOT NULL THEN EXISTS (
    SELECT 1 FROM entry AS e INDEXED BY entry_nonce
    WHERE e.nonce = it.nonce AND e.seq = it.seq) END
FROM entry AS it NOT INDEXED WHERE it.seq = ?1
