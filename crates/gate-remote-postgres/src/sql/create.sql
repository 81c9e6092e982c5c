INSERT INTO gate_ledger (name, id, seq, hash) VALUES ($1, $2, $3, $4)
