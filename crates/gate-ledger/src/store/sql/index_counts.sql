-- How many entries up to the row ?1 each index holds.
SELECT
  (SELECT count(*) FROM entry INDEXED BY entry_live WHERE kind = 'grant' AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_admitted WHERE kind = 'grant' AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_granted WHERE kind = 'grant' AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_owing WHERE kind = 'grant' AND owes IS NOT NULL AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_waiting WHERE kind = 'request' AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_life WHERE ref IS NOT NULL AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_policy WHERE kind = 'policy' AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_spent
    WHERE kind = 'decision' AND spends IS NOT NULL AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_spent_together
    WHERE kind = 'decision' AND instr(spends, ',') > 0 AND seq <= ?1),
  (SELECT count(*) FROM entry INDEXED BY entry_nonce WHERE nonce IS NOT NULL AND seq <= ?1)
