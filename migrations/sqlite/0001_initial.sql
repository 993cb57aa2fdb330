-- The first schema. Instants are microseconds UTC, ids are UUIDv7 text, booleans 0 or 1, lists JSON.
-- A released migration is never edited: the next change is the next file.

-- People ------------------------------------------------------------------------------------------------------------

CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY,
  -- Not unique: issuer and subject identify a person, an address may occur twice.
  email TEXT NOT NULL,
  password_hash TEXT,
  first_name TEXT NOT NULL DEFAULT '',
  last_name TEXT NOT NULL DEFAULT '',
  auth_provider TEXT NOT NULL CHECK (auth_provider IN ('password', 'google', 'microsoft', 'sso')),
  is_email_verified INTEGER NOT NULL DEFAULT 0 CHECK (is_email_verified IN (0, 1)),
  email_verified_at INTEGER,
  is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE INDEX idx_users_email ON users (email);
CREATE INDEX idx_users_auth_provider ON users (auth_provider);
CREATE INDEX idx_users_admin ON users (id) WHERE is_admin = 1;

CREATE TABLE identities (
  issuer TEXT NOT NULL CHECK (issuer <> ''),
  subject TEXT NOT NULL CHECK (subject <> ''),
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  email TEXT NOT NULL DEFAULT '',
  email_verified INTEGER NOT NULL DEFAULT 0 CHECK (email_verified IN (0, 1)),
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;
CREATE INDEX idx_identities_user ON identities (user_id);

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Of the cookie's value, which itself is nowhere.
  token_hash TEXT NOT NULL UNIQUE CHECK (token_hash <> ''),
  csrf_hash TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  user_agent TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX idx_sessions_user ON sessions (user_id);
CREATE INDEX idx_sessions_expires ON sessions (expires_at);

-- States of authorization flows that came back: the insert that succeeds is the one that may redeem the code.
CREATE TABLE consumed_states (
  state_hash TEXT NOT NULL PRIMARY KEY,
  expires_at INTEGER NOT NULL,
  -- How the first one ended: NULL while at work, 'ok', or an error code.
  outcome TEXT
) WITHOUT ROWID;
CREATE INDEX idx_consumed_states_expires ON consumed_states (expires_at);

-- The one-time link that makes the first administrator.
CREATE TABLE setup (
  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  token_hash TEXT NOT NULL CHECK (token_hash <> ''),
  created_at INTEGER NOT NULL
);

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event TEXT NOT NULL CHECK (event <> ''),
  -- No foreign key: the record outlives the person's row.
  user_id TEXT,
  detail TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail)),
  created_at INTEGER NOT NULL
);
CREATE INDEX idx_audit_log_user ON audit_log (user_id, id);

CREATE TABLE oauth_refresh_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token_type TEXT,
  -- One row per family: family and counter stand for the token, which is not stored.
  family TEXT NOT NULL UNIQUE,
  refresh_counter INTEGER NOT NULL DEFAULT 0 CHECK (refresh_counter >= 0),
  is_revoked INTEGER NOT NULL DEFAULT 0 CHECK (is_revoked IN (0, 1)),
  is_rotated INTEGER NOT NULL DEFAULT 0 CHECK (is_rotated IN (0, 1)),
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX idx_oauth_tokens_user ON oauth_refresh_tokens (user_id);

-- Key check values: opening one proves that the ring holds the key that sealed the tokens.
CREATE TABLE vault_keys (
  key_id TEXT NOT NULL PRIMARY KEY,
  check_value TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

-- Connections -------------------------------------------------------------------------------------------------------

CREATE TABLE connected_accounts (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider TEXT NOT NULL CHECK (provider IN ('google', 'microsoft')),
  provider_account_id TEXT NOT NULL CHECK (provider_account_id <> ''),
  email TEXT NOT NULL,
  display_name TEXT NOT NULL DEFAULT '',
  -- Sealed by the vault, never clear.
  access_token TEXT NOT NULL DEFAULT '',
  refresh_token TEXT NOT NULL DEFAULT '',
  token_expires_at INTEGER,
  refresh_token_expires_at INTEGER,
  token_version INTEGER NOT NULL DEFAULT 1 CHECK (token_version >= 1),
  last_refresh_at INTEGER,
  refresh_lease_holder TEXT,
  refresh_lease_until INTEGER,
  -- Granted scopes, separated by spaces as in RFC 6749; capabilities as their names in a JSON array.
  scope TEXT NOT NULL DEFAULT '',
  requested_capabilities TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(requested_capabilities)),
  granted_capabilities TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(granted_capabilities)),
  -- False while paused or disconnecting.
  is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  -- Every write of a job names the generation it started from.
  generation INTEGER NOT NULL DEFAULT 1 CHECK (generation >= 1),
  paused_at INTEGER,
  disconnecting INTEGER NOT NULL DEFAULT 0 CHECK (disconnecting IN (0, 1)),
  fault_code TEXT,
  fault_since INTEGER,
  next_attempt_at INTEGER,
  last_success_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((fault_code IS NULL) = (fault_since IS NULL)),
  CHECK (is_active = (paused_at IS NULL AND disconnecting = 0)),
  CHECK ((refresh_lease_holder IS NULL) = (refresh_lease_until IS NULL))
);
-- One living connection per mailbox and user; an erase in progress does not stand in the way of a new one.
CREATE UNIQUE INDEX idx_connected_accounts_identity
  ON connected_accounts (user_id, provider, provider_account_id) WHERE disconnecting = 0;
CREATE INDEX idx_connected_accounts_user_id ON connected_accounts (user_id);
CREATE INDEX idx_connected_accounts_provider ON connected_accounts (provider, provider_account_id);

CREATE TABLE connect_attempts (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  capabilities TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(capabilities)),
  mode TEXT NOT NULL CHECK (mode IN ('popup', 'page')),
  -- The account being reconnected, and the account that came of it.
  connected_account_id TEXT REFERENCES connected_accounts (id) ON DELETE CASCADE,
  result_account_id TEXT REFERENCES connected_accounts (id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
  error_code TEXT,
  -- Of API clients' attempts: the hash of the single-use ticket, gone once it was used.
  ticket_hash TEXT UNIQUE,
  ticket_expires_at INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- A success may carry a note, such as that not everything asked for was granted.
  CHECK (error_code IS NOT NULL OR state <> 'failed'),
  CHECK (error_code IS NULL OR state <> 'pending'),
  CHECK ((result_account_id IS NOT NULL) = (state = 'succeeded'))
);
CREATE INDEX idx_connect_attempts_user ON connect_attempts (user_id);
CREATE INDEX idx_connect_attempts_expires ON connect_attempts (expires_at);
CREATE INDEX idx_connect_attempts_account ON connect_attempts (connected_account_id);
CREATE INDEX idx_connect_attempts_result ON connect_attempts (result_account_id);

CREATE TABLE erasures (
  id TEXT NOT NULL PRIMARY KEY,
  -- No foreign keys: the receipt outlives what it tells of.
  user_id TEXT NOT NULL,
  connected_account_id TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  provider TEXT NOT NULL,
  total INTEGER NOT NULL CHECK (total >= 0),
  revoked_at_provider INTEGER NOT NULL DEFAULT 0 CHECK (revoked_at_provider IN (0, 1)),
  requested_at INTEGER NOT NULL,
  completed_at INTEGER
);
CREATE INDEX idx_erasures_user ON erasures (user_id);

CREATE TABLE erasure_counts (
  erasure_id TEXT NOT NULL REFERENCES erasures (id) ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  deleted INTEGER NOT NULL CHECK (deleted >= 0),
  PRIMARY KEY (erasure_id, table_name)
) WITHOUT ROWID;

-- An operator's fault, told once however many accounts meet it.
CREATE TABLE notices (
  provider TEXT NOT NULL,
  code TEXT NOT NULL,
  since INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  count INTEGER NOT NULL DEFAULT 1 CHECK (count >= 1),
  resolved_at INTEGER,
  PRIMARY KEY (provider, code)
) WITHOUT ROWID;

-- Mail --------------------------------------------------------------------------------------------------------------

CREATE TABLE email_sync_status (
  id TEXT NOT NULL PRIMARY KEY,
  connected_account_id TEXT NOT NULL UNIQUE REFERENCES connected_accounts (id) ON DELETE CASCADE,
  sync_status TEXT NOT NULL DEFAULT 'PENDING'
    CHECK (sync_status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'PAUSED')),
  sync_stage TEXT CHECK (sync_stage IN ('INITIAL', 'INCREMENTAL')),
  last_sync_at INTEGER,
  -- NULL while nothing must run: paused, disconnecting, or waiting for the person.
  next_sync_at INTEGER,
  error_message TEXT,
  synced_messages_count INTEGER NOT NULL DEFAULT 0 CHECK (synced_messages_count >= 0),
  epoch INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  backfill_complete INTEGER NOT NULL DEFAULT 0 CHECK (backfill_complete IN (0, 1)),
  backfill_done INTEGER NOT NULL DEFAULT 0,
  backfill_total INTEGER NOT NULL DEFAULT 0,
  backfill_started_at INTEGER,
  backfill_completed_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
-- What the scheduler asks: its cost follows the number due.
CREATE INDEX idx_email_sync_status_due ON email_sync_status (next_sync_at) WHERE next_sync_at IS NOT NULL;

CREATE TABLE sync_cursors (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  lane TEXT NOT NULL,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (connected_account_id, lane)
) WITHOUT ROWID;

-- What lists show. The integer key is what the bodies, the placements and the search index refer to.
CREATE TABLE synced_messages (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_message_id TEXT NOT NULL CHECK (external_message_id <> ''),
  thread_id TEXT NOT NULL DEFAULT '',
  -- The provider's version; unsigned 64 bit kept as the signed number of the same bits.
  version INTEGER NOT NULL,
  -- The last full read that saw it.
  epoch INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  sent_at INTEGER,
  subject TEXT NOT NULL,
  snippet TEXT NOT NULL,
  from_name TEXT NOT NULL,
  from_email TEXT NOT NULL,
  -- Addresses only, separated by commas; the lists with names are in the body.
  to_email TEXT NOT NULL,
  to_count INTEGER NOT NULL,
  cc TEXT,
  bcc TEXT,
  message_id TEXT,
  is_read INTEGER NOT NULL DEFAULT 0 CHECK (is_read IN (0, 1)),
  is_starred INTEGER NOT NULL DEFAULT 0 CHECK (is_starred IN (0, 1)),
  is_draft INTEGER NOT NULL DEFAULT 0 CHECK (is_draft IN (0, 1)),
  has_attachments INTEGER NOT NULL DEFAULT 0 CHECK (has_attachments IN (0, 1)),
  truncated INTEGER NOT NULL DEFAULT 0 CHECK (truncated IN (0, 1)),
  size_estimate INTEGER NOT NULL DEFAULT 0,
  -- JSON array of the provider's label ids, sorted.
  labels TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (connected_account_id, external_message_id)
);
CREATE INDEX idx_synced_messages_received ON synced_messages (connected_account_id, received_at DESC, row_id DESC);
CREATE INDEX idx_synced_messages_thread
  ON synced_messages (connected_account_id, thread_id, received_at DESC, row_id DESC);

-- Apart from the list row, because labels and epochs change often and a body almost never.
CREATE TABLE message_bodies (
  message_row INTEGER PRIMARY KEY REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  -- zstd frame of text, HTML, address lists and references (storage/message_content.hpp).
  body BLOB NOT NULL
);

CREATE TABLE attachments (
  message_row INTEGER NOT NULL REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  part_id TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  content_id TEXT NOT NULL DEFAULT '',
  size INTEGER NOT NULL,
  is_inline INTEGER NOT NULL CHECK (is_inline IN (0, 1)),
  PRIMARY KEY (message_row, position)
) WITHOUT ROWID;

-- Labels and folders, with counters that every change of a placement keeps true.
CREATE TABLE labels (
  row_id INTEGER PRIMARY KEY,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL CHECK (external_id <> ''),
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  visible INTEGER NOT NULL DEFAULT 1 CHECK (visible IN (0, 1)),
  -- No longer in the provider's list; its placements wait for the messages' own changes.
  removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
  total INTEGER NOT NULL DEFAULT 0 CHECK (total >= 0),
  unread INTEGER NOT NULL DEFAULT 0 CHECK (unread >= 0 AND unread <= total),
  UNIQUE (connected_account_id, external_id)
);

-- Placements: the list of a label, newest first, is one walk along the key.
CREATE TABLE message_labels (
  label_row INTEGER NOT NULL REFERENCES labels (row_id) ON DELETE CASCADE,
  received_at INTEGER NOT NULL,
  message_row INTEGER NOT NULL,
  PRIMARY KEY (label_row, received_at DESC, message_row DESC)
) WITHOUT ROWID;

CREATE TABLE tombstones (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  PRIMARY KEY (connected_account_id, external_id)
) WITHOUT ROWID;

CREATE TABLE failed_items (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  failures INTEGER NOT NULL CHECK (failures >= 1),
  -- Given up for now; the account goes on without it.
  set_aside INTEGER NOT NULL DEFAULT 0 CHECK (set_aside IN (0, 1)),
  error_code TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (connected_account_id, external_id)
) WITHOUT ROWID;

-- Full-text index without a copy of the text: the text to delete is rebuilt from the stored message.
CREATE VIRTUAL TABLE message_search USING fts5 (
  account, subject, people, body,
  content = '',
  tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
);
-- As much text as one of its transactions holds, so that each writes one segment; and merging a little later, because
-- a backfill writes many.
INSERT INTO message_search (message_search, rank) VALUES ('hashsize', 16777216);
INSERT INTO message_search (message_search, rank) VALUES ('automerge', 8);
-- Stored messages that the index does not hold yet, filled in the commit that stores them.
CREATE TABLE search_pending (
  message_row INTEGER PRIMARY KEY REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  -- Changes when the message does, so that text read before is not indexed for the text stored after.
  stamp INTEGER NOT NULL
);

CREATE TABLE calendar_events (
  id TEXT NOT NULL PRIMARY KEY,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_event_id TEXT NOT NULL CHECK (external_event_id <> ''),
  title TEXT NOT NULL,
  description TEXT,
  start_time INTEGER,
  end_time INTEGER,
  attendees TEXT,
  is_all_day INTEGER NOT NULL DEFAULT 0 CHECK (is_all_day IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (connected_account_id, external_event_id)
);
CREATE INDEX idx_calendar_events_time ON calendar_events (connected_account_id, start_time);

-- Work --------------------------------------------------------------------------------------------------------------

CREATE TABLE jobs (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind <> ''),
  args TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(args) AND length(args) <= 4096),
  priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 3),
  state TEXT NOT NULL
    CHECK (state IN ('available', 'scheduled', 'running', 'retryable', 'completed', 'discarded', 'cancelled')),
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
  unique_key TEXT,
  -- No foreign key: the erase job outlives the account it erases.
  connected_account_id TEXT,
  generation INTEGER NOT NULL DEFAULT 0,
  lease_token TEXT,
  lease_until INTEGER,
  -- Asked for again while it ran: runs once more when it ends.
  rerun INTEGER NOT NULL DEFAULT 0 CHECK (rerun IN (0, 1)),
  created_at INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  attempted_at INTEGER,
  finalized_at INTEGER,
  last_error_code TEXT NOT NULL DEFAULT '',
  last_error TEXT NOT NULL DEFAULT '',
  CHECK ((finalized_at IS NOT NULL) = (state IN ('completed', 'discarded', 'cancelled'))),
  CHECK ((lease_token IS NOT NULL) = (state = 'running')),
  CHECK ((lease_until IS NOT NULL) = (state = 'running')),
  CHECK (rerun = 0 OR state = 'running')
);
CREATE UNIQUE INDEX idx_jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL AND finalized_at IS NULL;
CREATE INDEX idx_jobs_claim ON jobs (kind, priority, scheduled_at, row_id) WHERE state = 'available';
CREATE INDEX idx_jobs_due ON jobs (scheduled_at) WHERE state IN ('scheduled', 'retryable');
CREATE INDEX idx_jobs_lease ON jobs (lease_until) WHERE state = 'running';
-- At most one running job of a kind per account, by the schema itself.
CREATE UNIQUE INDEX idx_jobs_running ON jobs (connected_account_id, kind)
  WHERE state = 'running' AND connected_account_id IS NOT NULL;
CREATE INDEX idx_jobs_finalized ON jobs (finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX idx_jobs_account ON jobs (connected_account_id, row_id) WHERE connected_account_id IS NOT NULL;
CREATE INDEX idx_jobs_state ON jobs (state, row_id);

-- One row per attempt of a job.
CREATE TABLE job_logs (
  id TEXT NOT NULL PRIMARY KEY,
  job_type TEXT NOT NULL,
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  connected_account_id TEXT REFERENCES connected_accounts (id) ON DELETE SET NULL,
  status TEXT NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED')),
  error_code TEXT NOT NULL DEFAULT '',
  error_message TEXT,
  started_at INTEGER,
  completed_at INTEGER,
  created_at INTEGER NOT NULL
);
CREATE INDEX idx_job_logs_account ON job_logs (connected_account_id, created_at);
CREATE INDEX idx_job_logs_created ON job_logs (created_at);

CREATE TABLE events (
  -- AUTOINCREMENT: an id is never given out twice, also after the newest rows are gone.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT NOT NULL CHECK (type <> ''),
  user_id TEXT NOT NULL,
  connected_account_id TEXT,
  payload TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
  created_at INTEGER NOT NULL
);
CREATE INDEX idx_events_user ON events (user_id, id);
CREATE INDEX idx_events_created ON events (created_at);
CREATE INDEX idx_events_account ON events (connected_account_id) WHERE connected_account_id IS NOT NULL;

-- Up to which id events have been pruned: a reader that is further back must start over.
CREATE TABLE event_horizon (
  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  pruned_through INTEGER NOT NULL
);
INSERT INTO event_horizon (only_row, pruned_through) VALUES (1, 0);

-- The seed's first table, kept for the import of installations that had it.
CREATE TABLE IF NOT EXISTS oauth_connections (
  org_name TEXT NOT NULL,
  provider TEXT NOT NULL,
  state TEXT,
  state_created_at INTEGER,
  access_token TEXT,
  refresh_token TEXT,
  expires_at INTEGER,
  token_type TEXT,
  scope TEXT,
  last_login_at INTEGER,
  last_refresh_at INTEGER,
  updated_at INTEGER,
  migrated_at INTEGER,
  PRIMARY KEY (org_name, provider)
);
