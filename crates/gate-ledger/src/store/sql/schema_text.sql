SELECT sql FROM sqlite_schema ORDER BY rowid
