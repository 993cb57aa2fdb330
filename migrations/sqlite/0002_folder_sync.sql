-- Mail kept in folders with a cursor each.

-- Rises with every full read of a folder, whichever it is: rows of messages carry the one that last saw them.
ALTER TABLE email_sync_status ADD COLUMN folder_round INTEGER NOT NULL DEFAULT 0 CHECK (folder_round >= 0);

CREATE TABLE folder_cursors (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  folder_id TEXT NOT NULL CHECK (folder_id <> ''),
  -- Where to read on; empty before the first page of a round. Names no host.
  link TEXT NOT NULL,
  round INTEGER NOT NULL CHECK (round >= 1),
  -- The round has been read to its end: the link now leads to what changed since.
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  -- Messages of the round: read so far, and as the provider counted them when it began.
  done INTEGER NOT NULL CHECK (done >= 0),
  total INTEGER NOT NULL CHECK (total >= 0),
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (connected_account_id, folder_id)
) WITHOUT ROWID;

-- Messages the provider has to be asked for by their id: gone from the folder they are stored in, or read in part.
CREATE TABLE message_checks (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL CHECK (external_id <> ''),
  due_at INTEGER NOT NULL,
  -- Found in another folder this often, and waiting for that folder's own word.
  asked INTEGER NOT NULL CHECK (asked >= 0),
  -- The content has to be read too, not only where it is.
  whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
  PRIMARY KEY (connected_account_id, external_id)
) WITHOUT ROWID;
CREATE INDEX idx_message_checks_due ON message_checks (connected_account_id, due_at);
