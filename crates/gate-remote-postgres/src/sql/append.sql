INSERT INTO gate_entry (ledger, seq, hash, body) SELECT $1, seq, hash, body FROM unnest($2, $3, $4) AS new (seq, hash, body)
