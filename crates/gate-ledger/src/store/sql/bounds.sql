SELECT min(seq), max(seq) FROM entry
