-- Mail kept in folders with a cursor each.

-- Rises with every full read of a folder, whichever it is: rows of messages carry the one that last saw them.
ALTER TABLE email_sync_status ADD COLUMN folder_round bigint NOT NULL DEFAULT 0 CHECK (folder_round >= 0);

CREATE TABLE folder_cursors (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  folder_id text COLLATE "C" NOT NULL CHECK (folder_id <> ''),
  -- Where to read on; empty before the first page of a round. Names no host.
  link text NOT NULL,
  round bigint NOT NULL CHECK (round >= 1),
  -- The round has been read to its end: the link now leads to what changed since.
  complete boolean NOT NULL,
  -- Messages of the round: read so far, and as the provider counted them when it began.
  done bigint NOT NULL CHECK (done >= 0),
  total bigint NOT NULL CHECK (total >= 0),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (connected_account_id, folder_id)
) WITH (fillfactor = 80);

-- Messages the provider has to be asked for by their id: gone from the folder they are stored in, or read in part.
CREATE TABLE message_checks (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id text COLLATE "C" NOT NULL CHECK (external_id <> ''),
  due_at timestamptz NOT NULL,
  -- Found in another folder this often, and waiting for that folder's own word.
  asked bigint NOT NULL CHECK (asked >= 0),
  -- The content has to be read too, not only where it is.
  whole boolean NOT NULL,
  PRIMARY KEY (connected_account_id, external_id)
);
CREATE INDEX idx_message_checks_due ON message_checks (connected_account_id, due_at);
