DELETE FROM gate_opening WHERE ledger = $1 AND commitment = ANY ($2)
