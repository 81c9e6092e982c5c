SELECT seq FROM entry INDEXED BY entry_live
WHERE kind = 'grant' AND gate = ?1 AND expires > ?2 ORDER BY seq
