DELETE FROM gate_entry WHERE ledger = $1 AND seq < $2 AND NOT seq = ANY ($3)
