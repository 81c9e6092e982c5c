INSERT INTO gate_opening (ledger, commitment, seq, line) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
