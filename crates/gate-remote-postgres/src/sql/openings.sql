SELECT line FROM gate_opening WHERE ledger = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq, commitment
