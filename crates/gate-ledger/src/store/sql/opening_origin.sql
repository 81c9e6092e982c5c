-- What the entry ?1 says of itself, to compare with what its row in the table of openings says.
SELECT body, coalesce(ref, seq), coalesce(actor, '') FROM entry WHERE seq = ?1
