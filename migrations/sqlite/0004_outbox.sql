-- Mail on its way out.

-- Files that a person sent us to attach to a mail. They end at expires_at unless a mail on its way holds them.
CREATE TABLE uploads (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Of the mail that it is attached to: from then on it is erased with that account.
  connected_account_id TEXT REFERENCES connected_accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
  -- All of it has arrived.
  complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX idx_uploads_user ON uploads (user_id);
CREATE INDEX idx_uploads_account ON uploads (connected_account_id) WHERE connected_account_id IS NOT NULL;
CREATE INDEX idx_uploads_expires ON uploads (expires_at);

CREATE TABLE upload_chunks (
  upload_row INTEGER NOT NULL REFERENCES uploads (row_id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  bytes BLOB NOT NULL,
  PRIMARY KEY (upload_row, position)
);

--   queued -> sending -> sent
--     |  ^       |-----> failed       (nothing was sent; the person may retry)
--     |  '-------+-----> unconfirmed  (what became of it could not be decided; the person decides)
--     '-> cancelled                    held: from a restored backup, waits for the person
CREATE TABLE outbox (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unconfirmed', 'held', 'cancelled')),
  error_code TEXT CHECK (error_code <> ''),
  idempotency_key TEXT NOT NULL CHECK (idempotency_key <> ''),
  -- SHA-256 of the request that made it.
  request_hash TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- zstd frame of text, HTML, address lists and references (storage/message_content.hpp).
  content BLOB NOT NULL,
  -- Ours, without angle brackets.
  message_id TEXT NOT NULL CHECK (message_id <> ''),
  relation TEXT NOT NULL CHECK (relation IN ('new', 'reply', 'forward')),
  related_external_id TEXT NOT NULL DEFAULT '',
  thread_id TEXT NOT NULL DEFAULT '',
  -- Just before the call after which the mail can be out; NULL: nothing can have been sent.
  handed_over_at INTEGER,
  -- How often its fate was looked for since then.
  checks INTEGER NOT NULL DEFAULT 0 CHECK (checks >= 0),
  -- The person wants it sent again although it may be out already.
  resend INTEGER NOT NULL DEFAULT 0 CHECK (resend IN (0, 1)),
  -- At the provider: the draft it is sent from, and the sent mail.
  draft_id TEXT NOT NULL DEFAULT '',
  external_id TEXT NOT NULL DEFAULT '',
  dismissed INTEGER NOT NULL DEFAULT 0 CHECK (dismissed IN (0, 1)),
  created_at INTEGER NOT NULL,
  send_at INTEGER NOT NULL,
  sent_at INTEGER,
  updated_at INTEGER NOT NULL,
  CHECK ((sent_at IS NOT NULL) = (state = 'sent')),
  CHECK (error_code IS NOT NULL OR state NOT IN ('failed', 'unconfirmed')),
  CHECK (handed_over_at IS NOT NULL OR state NOT IN ('sent', 'unconfirmed')),
  UNIQUE (user_id, idempotency_key)
);
CREATE INDEX idx_outbox_user ON outbox (user_id, row_id);
CREATE INDEX idx_outbox_account ON outbox (connected_account_id, row_id);
-- What still has to be worked on, so that a lost job is found without a look at what is long sent.
CREATE INDEX idx_outbox_open ON outbox (row_id) WHERE state IN ('queued', 'sending');
CREATE INDEX idx_outbox_ended ON outbox (updated_at) WHERE state IN ('sent', 'failed', 'unconfirmed', 'cancelled');

CREATE TABLE outbox_attachments (
  outbox_row INTEGER NOT NULL REFERENCES outbox (row_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  -- NULL once the content is no longer needed.
  upload_row INTEGER REFERENCES uploads (row_id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  content_id TEXT NOT NULL DEFAULT '',
  size INTEGER NOT NULL,
  is_inline INTEGER NOT NULL CHECK (is_inline IN (0, 1)),
  PRIMARY KEY (outbox_row, position)
) WITHOUT ROWID;
CREATE INDEX idx_outbox_attachments_upload ON outbox_attachments (upload_row) WHERE upload_row IS NOT NULL;
