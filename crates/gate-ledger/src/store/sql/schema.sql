-- The schema of a ledger, version 1. Blocks are separated by one empty line; each becomes one row of
-- sqlite_schema, whose text is compared at every open. Only functions of every SQLite since 3.38 are used.

-- body and hash are the ledger; the columns after them are read out of the body and take no space in the table.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  hash BLOB NOT NULL,
  kind TEXT AS (body ->> '$.kind') VIRTUAL,
  gate TEXT AS (body ->> '$.gate') VIRTUAL,
  ref INTEGER AS (body ->> '$.ref') VIRTUAL,
  at TEXT AS (body ->> '$.at') VIRTUAL,
  actor TEXT AS (coalesce(body ->> '$.actor.id', body ->> '$.actor.id_c')) VIRTUAL,
  expires TEXT AS (body ->> '$.data.expires') VIRTUAL,
  lapses TEXT AS (body ->> '$.data.lapses') VIRTUAL,
  owes TEXT AS (json_type(body, '$.data.owes')) VIRTUAL,
  spends TEXT AS (body ->> '$.data.spends') VIRTUAL,
  nonce TEXT AS (body ->> '$.data.request.nonce') VIRTUAL,
  digest TEXT AS (body ->> '$.data.digest') VIRTUAL
) STRICT;

CREATE INDEX entry_live ON entry (gate, expires) WHERE kind = 'grant';

CREATE INDEX entry_admitted ON entry (gate, at) WHERE kind = 'grant';

CREATE INDEX entry_granted ON entry (gate) WHERE kind = 'grant';

CREATE INDEX entry_owing ON entry (gate) WHERE kind = 'grant' AND owes IS NOT NULL;

CREATE INDEX entry_waiting ON entry (gate, lapses) WHERE kind = 'request';

CREATE INDEX entry_life ON entry (ref) WHERE ref IS NOT NULL;

CREATE INDEX entry_policy ON entry (digest) WHERE kind = 'policy';

CREATE INDEX entry_spent ON entry (gate, spends) WHERE kind = 'decision' AND spends IS NOT NULL;

CREATE INDEX entry_spent_together ON entry (gate, seq, spends) WHERE kind = 'decision' AND instr(spends, ',') > 0;

CREATE INDEX entry_nonce ON entry (nonce) WHERE nonce IS NOT NULL;

-- What commitments hide, beside the chain, so that it can be erased. seq is the entry that committed to it first, id
-- the first entry of its life, actor who wrote it: so a text is found when its entry was archived. Rows are not kept
-- in the order of a key, and indexes hold the beginnings of values only, so that a planted row of any size is found
-- and skipped without being read.
CREATE TABLE private (
  commitment BLOB NOT NULL,
  seq INTEGER NOT NULL,
  id INTEGER NOT NULL,
  actor TEXT NOT NULL,
  field TEXT NOT NULL,
  salt BLOB NOT NULL,
  value TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX private_commitment ON private (substr(commitment, 1, 32));

CREATE INDEX private_name ON private (substr(value, 1, 64)) WHERE field = 'name';

-- Refuses REPLACE too, for writers that leave recursive_triggers off, and anything but the next position.
CREATE TRIGGER entry_append BEFORE INSERT ON entry
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM entry)
BEGIN SELECT raise(ABORT, 'a ledger is only appended to'); END;

CREATE TRIGGER entry_update BEFORE UPDATE ON entry
BEGIN SELECT raise(ABORT, 'a ledger is only appended to'); END;

CREATE TRIGGER entry_delete BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'a ledger is only appended to'); END;
