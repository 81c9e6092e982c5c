SELECT seq, spends FROM entry INDEXED BY entry_spent_together
WHERE kind = 'decision' AND instr(spends, ',') > 0 AND gate = ?1 AND seq > ?2 ORDER BY seq
