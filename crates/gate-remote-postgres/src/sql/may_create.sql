SELECT has_table_privilege('gate_ledger', 'INSERT')
