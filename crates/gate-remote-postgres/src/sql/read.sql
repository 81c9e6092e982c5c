SELECT body, hash, seq FROM gate_entry WHERE ledger = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
