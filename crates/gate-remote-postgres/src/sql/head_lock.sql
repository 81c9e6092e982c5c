SELECT id, seq, hash, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM gate_ledger WHERE name = $1 FOR UPDATE
