-- The tables of gate-remote-postgres, and who may do what. Run once in the database, by whoever owns it.
-- A person or a pipeline gets one of the roles: GRANT gate_writer TO runner;

CREATE TABLE gate_ledger (
  name text PRIMARY KEY,
  id text NOT NULL,
  -- The newest entry. Whoever appends takes this row first, so that writers come one after the other.
  seq bigint NOT NULL,
  hash bytea NOT NULL
);

CREATE TABLE gate_entry (
  ledger text NOT NULL REFERENCES gate_ledger (name),
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  -- Bytes, and no json: they are hashed as they are.
  body bytea NOT NULL,
  PRIMARY KEY (ledger, seq)
);

CREATE TABLE gate_opening (
  ledger text NOT NULL REFERENCES gate_ledger (name),
  commitment bytea NOT NULL,
  -- The entry that it came with.
  seq bigint NOT NULL,
  line bytea NOT NULL,
  PRIMARY KEY (ledger, commitment)
);

CREATE ROLE gate_reader NOLOGIN;
CREATE ROLE gate_writer NOLOGIN;
CREATE ROLE gate_keeper NOLOGIN;

GRANT SELECT ON gate_ledger, gate_entry, gate_opening TO gate_reader, gate_writer, gate_keeper;
GRANT INSERT ON gate_entry, gate_opening TO gate_writer, gate_keeper;
GRANT UPDATE (seq, hash) ON gate_ledger TO gate_writer, gate_keeper;
GRANT INSERT ON gate_ledger TO gate_keeper;
GRANT DELETE ON gate_entry, gate_opening TO gate_keeper;
