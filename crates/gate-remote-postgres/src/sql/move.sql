UPDATE gate_ledger SET seq = $2, hash = $3 WHERE name = $1 AND seq = $4 AND hash = $5
