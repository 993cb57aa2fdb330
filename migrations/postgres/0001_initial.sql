-- The first schema. Instants are timestamptz, ids UUIDv7 of the application, lists JSON. Text that is an id, or that
-- lists are in order of, is compared byte by byte (COLLATE "C"), whatever the database's language.
-- A released migration is never edited: the next change is the next file.
--
-- Databases in which add_dual_oauth_schema.sql has run are adopted where they are: its tables are made here as it made
-- them, unless they exist, and then become ours. So both kinds of database go one way and end the same.

-- The instants of those tables are without a zone, and mean UTC.
SET LOCAL TimeZone = 'UTC';

CREATE TABLE IF NOT EXISTS users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email varchar(255) UNIQUE NOT NULL,
  password_hash varchar(255),
  first_name varchar(100),
  last_name varchar(100),
  auth_provider varchar(50) NOT NULL,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
  is_email_verified boolean DEFAULT FALSE,
  email_verified_at timestamp
);
CREATE TABLE IF NOT EXISTS connected_accounts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider varchar(50) NOT NULL,
  email varchar(255) NOT NULL,
  access_token text NOT NULL,
  refresh_token text,
  token_expires_at timestamp,
  scope text,
  is_active boolean DEFAULT TRUE,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
  last_refresh_at timestamp,
  UNIQUE (user_id, provider)
);
CREATE TABLE IF NOT EXISTS email_sync_status (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  sync_status varchar(50) DEFAULT 'PENDING',
  sync_stage varchar(50),
  last_sync_at timestamp,
  next_sync_at timestamp,
  error_message text,
  synced_messages_count int DEFAULT 0,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS synced_messages (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_message_id varchar(500) NOT NULL,
  subject text,
  body text,
  from_email varchar(255),
  to_email varchar(255),
  cc text,
  bcc text,
  received_at timestamp,
  is_read boolean DEFAULT FALSE,
  labels text,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (connected_account_id, external_message_id)
);
CREATE TABLE IF NOT EXISTS calendar_events (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_event_id varchar(500) NOT NULL,
  title text NOT NULL,
  description text,
  start_time timestamp,
  end_time timestamp,
  attendees text,
  is_all_day boolean DEFAULT FALSE,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (connected_account_id, external_event_id)
);
CREATE TABLE IF NOT EXISTS oauth_refresh_tokens (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token_type varchar(50),
  jwt_token text,
  family varchar(255),
  refresh_counter int DEFAULT 0,
  is_revoked boolean DEFAULT FALSE,
  expires_at timestamp NOT NULL,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS job_logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  job_type varchar(100),
  connected_account_id uuid REFERENCES connected_accounts (id) ON DELETE SET NULL,
  status varchar(50),
  error_message text,
  started_at timestamp,
  completed_at timestamp,
  created_at timestamp DEFAULT CURRENT_TIMESTAMP
);
-- The older program's table, kept for the import.
CREATE TABLE IF NOT EXISTS oauth_connections (
  org_name text,
  provider text,
  state text,
  state_created_at bigint,
  access_token text,
  refresh_token text,
  expires_at bigint,
  token_type text,
  scope text,
  last_login_at bigint,
  last_refresh_at bigint,
  updated_at bigint,
  PRIMARY KEY (org_name, provider)
);
ALTER TABLE oauth_connections ADD COLUMN IF NOT EXISTS migrated_at timestamptz;

-- What stands in the way: triggers, checks of fewer values, the rule of one account per provider and of one person per
-- address (under whatever name a tool gave them), and indexes under names of ours.
DO $$
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT tgname AS name, tgrelid::regclass AS holder FROM pg_trigger
    WHERE NOT tgisinternal AND tgfoid = to_regproc('update_updated_at_column')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found.name, found.holder);
  END LOOP;
  FOR found IN
    SELECT c.conname AS name, c.conrelid::regclass AS holder FROM pg_constraint c
    WHERE c.contype = 'c' AND c.conname IN ('valid_provider', 'valid_status')
      AND c.conrelid IN ('users'::regclass, 'connected_accounts'::regclass, 'email_sync_status'::regclass)
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.holder, found.name);
  END LOOP;
  FOR found IN
    SELECT i.indexrelid::regclass AS name, i.indrelid::regclass AS holder, c.conname AS rule
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
    WHERE NOT i.indisprimary
      AND (i.indrelid IN ('users'::regclass, 'connected_accounts'::regclass, 'email_sync_status'::regclass,
                          'synced_messages'::regclass, 'calendar_events'::regclass, 'oauth_refresh_tokens'::regclass,
                          'job_logs'::regclass))
      AND (i.indisunique OR i.indexrelid::regclass::text LIKE 'idx\_%')
  LOOP
    IF found.rule IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.holder, found.rule);
    ELSE
      EXECUTE format('DROP INDEX %s', found.name);
    END IF;
  END LOOP;
  -- Every instant gets its zone, in one pass over each table.
  FOR found IN
    SELECT format('%I.%I', table_schema, table_name) AS holder,
           string_agg(format('ALTER COLUMN %I TYPE timestamptz', column_name), ', ') AS changes
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type = 'timestamp without time zone'
      AND table_name IN ('users', 'connected_accounts', 'email_sync_status', 'synced_messages', 'calendar_events',
                         'oauth_refresh_tokens', 'job_logs', 'oauth_connections')
    GROUP BY 1
  LOOP
    EXECUTE format('ALTER TABLE %s %s', found.holder, found.changes);
  END LOOP;
END $$;

-- For the tables that have it: whoever changes a row without saying when gets the time of the change.
CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at = CURRENT_TIMESTAMP;
  RETURN NEW;
END;
$$;

-- People ------------------------------------------------------------------------------------------------------------

UPDATE users
SET first_name = coalesce(first_name, ''), last_name = coalesce(last_name, ''),
    is_email_verified = coalesce(is_email_verified, FALSE), created_at = coalesce(created_at, CURRENT_TIMESTAMP),
    updated_at = coalesce(updated_at, created_at, CURRENT_TIMESTAMP),
    auth_provider = CASE WHEN auth_provider IN ('password', 'google', 'microsoft', 'sso') THEN auth_provider ELSE 'sso' END;
ALTER TABLE users
  -- Not unique: issuer and subject identify a person, an address may occur twice.
  ALTER COLUMN email TYPE text COLLATE "C",
  ALTER COLUMN password_hash TYPE text,
  ALTER COLUMN first_name TYPE text, ALTER COLUMN first_name SET DEFAULT '', ALTER COLUMN first_name SET NOT NULL,
  ALTER COLUMN last_name TYPE text, ALTER COLUMN last_name SET DEFAULT '', ALTER COLUMN last_name SET NOT NULL,
  ALTER COLUMN is_email_verified SET DEFAULT FALSE, ALTER COLUMN is_email_verified SET NOT NULL,
  ALTER COLUMN created_at SET NOT NULL,
  ALTER COLUMN updated_at SET NOT NULL,
  ADD COLUMN is_admin boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN disabled boolean NOT NULL DEFAULT FALSE,
  ADD CONSTRAINT valid_provider CHECK (auth_provider IN ('password', 'google', 'microsoft', 'sso'));
CREATE INDEX idx_users_email ON users (email);
CREATE INDEX idx_users_auth_provider ON users (auth_provider);
CREATE INDEX idx_users_admin ON users (id) WHERE is_admin;

CREATE TABLE identities (
  issuer text COLLATE "C" NOT NULL CHECK (issuer <> ''),
  subject text COLLATE "C" NOT NULL CHECK (subject <> ''),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider varchar(50) NOT NULL,
  email text NOT NULL DEFAULT '',
  email_verified boolean NOT NULL DEFAULT FALSE,
  created_at timestamptz NOT NULL,
  last_sign_in_at timestamptz NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX idx_identities_user ON identities (user_id);

CREATE TABLE sessions (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Of the cookie's value, which itself is nowhere.
  token_hash text COLLATE "C" NOT NULL UNIQUE CHECK (token_hash <> ''),
  csrf_hash text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  user_agent text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT ''
);
CREATE INDEX idx_sessions_user ON sessions (user_id);
CREATE INDEX idx_sessions_expires ON sessions (expires_at);

-- States of authorization flows that came back: the insert that succeeds is the one that may redeem the code.
CREATE TABLE consumed_states (
  state_hash text COLLATE "C" NOT NULL PRIMARY KEY,
  expires_at timestamptz NOT NULL,
  -- How the first one ended: NULL while at work, 'ok', or an error code.
  outcome text
);
CREATE INDEX idx_consumed_states_expires ON consumed_states (expires_at);

-- The one-time link that makes the first administrator.
CREATE TABLE setup (
  only_row integer NOT NULL PRIMARY KEY CHECK (only_row = 1),
  token_hash text COLLATE "C" NOT NULL CHECK (token_hash <> ''),
  created_at timestamptz NOT NULL
);

CREATE TABLE audit_log (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  event text NOT NULL CHECK (event <> ''),
  -- No foreign key: the record outlives the person's row.
  user_id uuid,
  detail json NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL
);
CREATE INDEX idx_audit_log_user ON audit_log (user_id, id);

-- Tokens of the older program were kept as they were given out: they are no login here, and are not kept.
UPDATE oauth_refresh_tokens
SET family = id::text, refresh_counter = greatest(coalesce(refresh_counter, 0), 0), is_revoked = TRUE,
    created_at = coalesce(created_at, CURRENT_TIMESTAMP);
ALTER TABLE oauth_refresh_tokens
  DROP COLUMN jwt_token,
  -- One row per family: family and counter stand for the token, which is not stored.
  ALTER COLUMN family TYPE varchar(255) COLLATE "C", ALTER COLUMN family SET NOT NULL,
  ALTER COLUMN refresh_counter TYPE bigint, ALTER COLUMN refresh_counter SET NOT NULL,
  ALTER COLUMN is_revoked SET NOT NULL,
  ADD COLUMN IF NOT EXISTS is_rotated boolean DEFAULT FALSE,
  ALTER COLUMN created_at SET NOT NULL,
  ADD UNIQUE (family),
  ADD CHECK (refresh_counter >= 0);
UPDATE oauth_refresh_tokens SET is_rotated = FALSE WHERE is_rotated IS NULL;
ALTER TABLE oauth_refresh_tokens ALTER COLUMN is_rotated SET NOT NULL;
CREATE INDEX idx_oauth_tokens_user ON oauth_refresh_tokens (user_id);

-- Key check values: opening one proves that the ring holds the key that sealed the tokens.
CREATE TABLE vault_keys (
  key_id text COLLATE "C" NOT NULL PRIMARY KEY,
  check_value text NOT NULL,
  created_at timestamptz NOT NULL
);

-- Connections -------------------------------------------------------------------------------------------------------

ALTER TABLE connected_accounts
  ALTER COLUMN email TYPE text,
  ADD COLUMN provider_account_id text COLLATE "C",
  ADD COLUMN display_name text NOT NULL DEFAULT '',
  ADD COLUMN refresh_token_expires_at timestamptz,
  ADD COLUMN token_version bigint NOT NULL DEFAULT 1,
  ADD COLUMN refresh_lease_holder text,
  ADD COLUMN refresh_lease_until timestamptz,
  ADD COLUMN requested_capabilities json NOT NULL DEFAULT '[]',
  ADD COLUMN granted_capabilities json NOT NULL DEFAULT '[]',
  -- Every write of a job names the generation it started from.
  ADD COLUMN generation bigint NOT NULL DEFAULT 1,
  ADD COLUMN paused_at timestamptz,
  ADD COLUMN disconnecting boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN fault_code text,
  ADD COLUMN fault_since timestamptz,
  ADD COLUMN next_attempt_at timestamptz,
  ADD COLUMN last_success_at timestamptz,
  -- Tokens of an adopted account, sealed with the older program's key: our vault cannot open them.
  ADD COLUMN adopted_access_token text,
  ADD COLUMN adopted_refresh_token text;
-- The provider's own id of an adopted mailbox is not known before its person signs in there again, and until then its
-- address stands for it. Nothing is due: there is no token that can be used.
UPDATE connected_accounts
SET provider_account_id = 'email:' || lower(email), display_name = email,
    adopted_access_token = nullif(access_token, ''), adopted_refresh_token = nullif(refresh_token, ''),
    access_token = '', refresh_token = '', token_expires_at = NULL, scope = coalesce(scope, ''),
    is_active = coalesce(is_active, TRUE),
    paused_at = CASE WHEN NOT is_active THEN coalesce(updated_at, CURRENT_TIMESTAMP) END,
    fault_code = 'reauth_invalid_grant', fault_since = CURRENT_TIMESTAMP,
    requested_capabilities = array_to_json(array_remove(ARRAY[
      CASE WHEN scope ~* '(gmail\.(readonly|modify)|mail\.google\.com|mail\.read)' THEN 'read_mail' END,
      CASE WHEN scope ~* '(gmail\.(send|compose|modify)|mail\.google\.com|mail\.send)' THEN 'send_mail' END,
      CASE WHEN scope ~* 'calendar' THEN 'read_calendar' END], NULL)),
    created_at = coalesce(created_at, CURRENT_TIMESTAMP),
    updated_at = coalesce(updated_at, created_at, CURRENT_TIMESTAMP);
UPDATE connected_accounts SET granted_capabilities = requested_capabilities;
ALTER TABLE connected_accounts
  ALTER COLUMN provider_account_id SET NOT NULL,
  -- Sealed by the vault, never clear.
  ALTER COLUMN access_token SET DEFAULT '',
  ALTER COLUMN refresh_token SET DEFAULT '', ALTER COLUMN refresh_token SET NOT NULL,
  -- Granted scopes, separated by spaces as in RFC 6749; capabilities as their names in a JSON array.
  ALTER COLUMN scope SET DEFAULT '', ALTER COLUMN scope SET NOT NULL,
  -- False while paused or disconnecting.
  ALTER COLUMN is_active SET NOT NULL,
  ALTER COLUMN created_at SET NOT NULL,
  ALTER COLUMN updated_at SET NOT NULL,
  ADD CONSTRAINT valid_provider CHECK (provider IN ('google', 'microsoft')),
  ADD CHECK (provider_account_id <> ''),
  ADD CHECK (token_version >= 1),
  ADD CHECK (generation >= 1),
  ADD CHECK ((fault_code IS NULL) = (fault_since IS NULL)),
  ADD CHECK (is_active = (paused_at IS NULL AND NOT disconnecting)),
  ADD CHECK ((refresh_lease_holder IS NULL) = (refresh_lease_until IS NULL)),
  SET (fillfactor = 80);
-- One living connection per mailbox and user; an erase in progress does not stand in the way of a new one.
CREATE UNIQUE INDEX idx_connected_accounts_identity
  ON connected_accounts (user_id, provider, provider_account_id) WHERE NOT disconnecting;
CREATE INDEX idx_connected_accounts_user_id ON connected_accounts (user_id);
CREATE INDEX idx_connected_accounts_provider ON connected_accounts (provider, provider_account_id);

CREATE TABLE connect_attempts (
  id uuid NOT NULL PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id uuid NOT NULL,
  provider varchar(50) NOT NULL,
  capabilities json NOT NULL DEFAULT '[]',
  mode varchar(50) NOT NULL CHECK (mode IN ('popup', 'page')),
  -- The account being reconnected, and the account that came of it.
  connected_account_id uuid REFERENCES connected_accounts (id) ON DELETE CASCADE,
  result_account_id uuid REFERENCES connected_accounts (id) ON DELETE CASCADE,
  state varchar(50) NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
  error_code text,
  -- Of API clients' attempts: the hash of the single-use ticket, gone once it was used.
  ticket_hash text COLLATE "C" UNIQUE,
  ticket_expires_at timestamptz,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
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
  id uuid NOT NULL PRIMARY KEY,
  -- No foreign keys: the receipt outlives what it tells of.
  user_id uuid NOT NULL,
  connected_account_id uuid NOT NULL UNIQUE,
  email text NOT NULL,
  provider varchar(50) NOT NULL,
  total bigint NOT NULL CHECK (total >= 0),
  revoked_at_provider boolean NOT NULL DEFAULT FALSE,
  requested_at timestamptz NOT NULL,
  completed_at timestamptz
);
CREATE INDEX idx_erasures_user ON erasures (user_id);

CREATE TABLE erasure_counts (
  erasure_id uuid NOT NULL REFERENCES erasures (id) ON DELETE CASCADE,
  table_name text COLLATE "C" NOT NULL,
  deleted bigint NOT NULL CHECK (deleted >= 0),
  PRIMARY KEY (erasure_id, table_name)
);

-- An operator's fault, told once however many accounts meet it.
CREATE TABLE notices (
  provider varchar(50) NOT NULL,
  code text COLLATE "C" NOT NULL,
  since timestamptz NOT NULL,
  last_seen timestamptz NOT NULL,
  count bigint NOT NULL DEFAULT 1 CHECK (count >= 1),
  resolved_at timestamptz,
  PRIMARY KEY (provider, code)
);

-- Mail --------------------------------------------------------------------------------------------------------------

-- One row per account: of several the newest stays.
DELETE FROM email_sync_status s USING email_sync_status newer
WHERE newer.connected_account_id = s.connected_account_id
  AND (coalesce(newer.updated_at, '-infinity'), newer.id) > (coalesce(s.updated_at, '-infinity'), s.id);
INSERT INTO email_sync_status (connected_account_id)
SELECT id FROM connected_accounts WHERE id NOT IN (SELECT connected_account_id FROM email_sync_status);
UPDATE email_sync_status s
SET sync_status = CASE WHEN a.is_active THEN 'FAILED' ELSE 'PAUSED' END,
    error_message = coalesce(nullif(s.error_message, ''), a.fault_code), next_sync_at = NULL,
    sync_stage = CASE WHEN s.sync_stage IN ('INITIAL', 'INCREMENTAL') THEN s.sync_stage END,
    synced_messages_count = (SELECT count(*) FROM synced_messages m WHERE m.connected_account_id = a.id),
    created_at = coalesce(s.created_at, CURRENT_TIMESTAMP),
    updated_at = coalesce(s.updated_at, s.created_at, CURRENT_TIMESTAMP)
FROM connected_accounts a WHERE a.id = s.connected_account_id;
ALTER TABLE email_sync_status
  ALTER COLUMN sync_status SET NOT NULL,
  -- next_sync_at: NULL while nothing must run: paused, disconnecting, or waiting for the person.
  ALTER COLUMN synced_messages_count TYPE bigint, ALTER COLUMN synced_messages_count SET NOT NULL,
  ADD COLUMN epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  ADD COLUMN backfill_complete boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN backfill_done bigint NOT NULL DEFAULT 0,
  ADD COLUMN backfill_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN backfill_started_at timestamptz,
  ADD COLUMN backfill_completed_at timestamptz,
  ALTER COLUMN created_at SET NOT NULL,
  ALTER COLUMN updated_at SET NOT NULL,
  ADD UNIQUE (connected_account_id),
  ADD CONSTRAINT valid_status CHECK (sync_status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'PAUSED')),
  ADD CHECK (sync_stage IN ('INITIAL', 'INCREMENTAL')),
  ADD CHECK (synced_messages_count >= 0),
  SET (fillfactor = 80);
-- What the scheduler asks: its cost follows the number due.
CREATE INDEX idx_email_sync_status_due ON email_sync_status (next_sync_at) WHERE next_sync_at IS NOT NULL;

CREATE TABLE sync_cursors (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  lane text COLLATE "C" NOT NULL,
  value text NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (connected_account_id, lane)
) WITH (fillfactor = 80);

-- What lists show. The integer key is what the bodies, the placements and the search index refer to. The lists of
-- addresses are longer than the seed's columns.
ALTER TABLE synced_messages
  ADD COLUMN row_id bigint GENERATED BY DEFAULT AS IDENTITY UNIQUE,
  ALTER COLUMN external_message_id TYPE text COLLATE "C",
  ADD COLUMN thread_id text COLLATE "C" NOT NULL DEFAULT '',
  -- The provider's version; unsigned 64 bit kept as the signed number of the same bits.
  ADD COLUMN version bigint NOT NULL DEFAULT 0,
  -- The last full read that saw it.
  ADD COLUMN epoch bigint NOT NULL DEFAULT 0,
  ADD COLUMN sent_at timestamptz,
  ADD COLUMN snippet text NOT NULL DEFAULT '',
  ADD COLUMN from_name text NOT NULL DEFAULT '',
  ALTER COLUMN from_email TYPE text,
  -- Addresses only, separated by commas; the lists with names are in the body.
  ALTER COLUMN to_email TYPE text,
  ADD COLUMN to_count bigint NOT NULL DEFAULT 0,
  ADD COLUMN message_id text,
  ADD COLUMN is_starred boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN is_draft boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN has_attachments boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN truncated boolean NOT NULL DEFAULT FALSE,
  ADD COLUMN size_estimate bigint NOT NULL DEFAULT 0;

-- Apart from the list row, because labels and epochs change often and a body almost never.
CREATE TABLE message_bodies (
  message_row bigint PRIMARY KEY REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  -- zstd frame of text, HTML, address lists and references (storage/message_content.hpp).
  body bytea NOT NULL
);

CREATE TABLE attachments (
  message_row bigint NOT NULL REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  position bigint NOT NULL,
  part_id text NOT NULL,
  provider_id text NOT NULL,
  name text NOT NULL,
  mime_type text NOT NULL,
  content_id text NOT NULL DEFAULT '',
  size bigint NOT NULL,
  is_inline boolean NOT NULL,
  PRIMARY KEY (message_row, position)
);

-- Labels and folders, with counters that every change of a placement keeps true.
CREATE TABLE labels (
  row_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id text COLLATE "C" NOT NULL CHECK (external_id <> ''),
  name text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  visible boolean NOT NULL DEFAULT TRUE,
  -- No longer in the provider's list; its placements wait for the messages' own changes.
  removed boolean NOT NULL DEFAULT FALSE,
  total bigint NOT NULL DEFAULT 0 CHECK (total >= 0),
  unread bigint NOT NULL DEFAULT 0 CHECK (unread >= 0 AND unread <= total),
  UNIQUE (connected_account_id, external_id)
) WITH (fillfactor = 50);

-- Placements: the list of a label, newest first, is one walk back along the key.
CREATE TABLE message_labels (
  label_row bigint NOT NULL REFERENCES labels (row_id) ON DELETE CASCADE,
  received_at timestamptz NOT NULL,
  message_row bigint NOT NULL,
  PRIMARY KEY (label_row, received_at, message_row)
);

CREATE TABLE tombstones (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  PRIMARY KEY (connected_account_id, external_id)
);

CREATE TABLE failed_items (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id text COLLATE "C" NOT NULL,
  failures bigint NOT NULL CHECK (failures >= 1),
  -- Given up for now; the account goes on without it.
  set_aside boolean NOT NULL DEFAULT FALSE,
  error_code text NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (connected_account_id, external_id)
);

-- The words of each message as the embedded engine's tokenizer finds them (storage/search_text.hpp), so that both
-- engines find the same. One word stands for the account: the index then follows this account's matches only.
CREATE TABLE message_search (
  message_row bigint PRIMARY KEY REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  words tsvector NOT NULL
);
CREATE INDEX idx_message_search_words ON message_search USING gin (words);
-- Stored messages that the index does not hold yet, filled in the commit that stores them.
CREATE TABLE search_pending (
  message_row bigint PRIMARY KEY REFERENCES synced_messages (row_id) ON DELETE CASCADE,
  -- Changes when the message does, so that text read before is not indexed for the text stored after.
  stamp bigint NOT NULL
);

-- Frames of zstd do not shrink any more. Text and words do, best by lz4; a server that was built without it keeps its
-- own way.
ALTER TABLE message_bodies ALTER COLUMN body SET STORAGE EXTERNAL;
DO $$
BEGIN
  ALTER TABLE message_search ALTER COLUMN words SET COMPRESSION lz4;
  ALTER TABLE calendar_events ALTER COLUMN description SET COMPRESSION lz4;
  ALTER TABLE calendar_events ALTER COLUMN attendees SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END $$;

-- Adopted messages: body and lists of addresses become one frame in the format of storage/message_content.hpp, made of
-- blocks that are stored as they are (RFC 8878 section 3.1.1), and their labels become placements.
CREATE FUNCTION pg_temp.number(value bigint) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  out bytea := '';
BEGIN
  WHILE value >= 128 LOOP
    out := out || set_byte('\x00', 0, (128 | (value & 127))::int);
    value := value >> 7;
  END LOOP;
  RETURN out || set_byte('\x00', 0, value::int);
END $$;
CREATE FUNCTION pg_temp.field(value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT pg_temp.number(octet_length(coalesce(value, ''))) || convert_to(coalesce(value, ''), 'UTF8')
$$;
CREATE FUNCTION pg_temp.addresses(list text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT pg_temp.number(count(*)) || coalesce(string_agg(pg_temp.field('') || pg_temp.field(btrim(one)), ''::bytea ORDER BY place), '')
  FROM regexp_split_to_table(coalesce(list, ''), ',') WITH ORDINALITY AS split (one, place) WHERE btrim(one) <> ''
$$;
CREATE FUNCTION pg_temp.frame(plain bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  size bigint := length(plain);
  done bigint := 0;
  part int;
  head bigint;
  out bytea;
BEGIN
  out := '\x28b52ffde0' || (SELECT string_agg(set_byte('\x00', 0, ((size >> (8 * i)) & 255)::int), ''::bytea ORDER BY i)
                            FROM generate_series(0, 7) i);
  WHILE done < size LOOP
    part := least(size - done, 131072);
    head := (part::bigint << 3) | CASE WHEN done + part = size THEN 1 ELSE 0 END;
    out := out || (SELECT string_agg(set_byte('\x00', 0, ((head >> (8 * i)) & 255)::int), ''::bytea ORDER BY i)
                   FROM generate_series(0, 2) i) || substr(plain, (done + 1)::int, part);
    done := done + part;
  END LOOP;
  RETURN out;
END $$;
-- A JSON array of texts, each once and in order; anything else is no label.
CREATE FUNCTION pg_temp.label_list(list text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce((SELECT array_agg(DISTINCT one COLLATE "C" ORDER BY one COLLATE "C") FROM jsonb_array_elements_text(list::jsonb) AS each (one)
                   WHERE one <> ''), '{}');
EXCEPTION WHEN OTHERS THEN
  RETURN '{}';
END $$;

INSERT INTO message_bodies (message_row, body)
SELECT row_id, pg_temp.frame('\x01'
  || CASE WHEN body ~ '^\s*<' THEN pg_temp.field('') || pg_temp.field(body) ELSE pg_temp.field(body) || pg_temp.field('') END
  || pg_temp.addresses(from_email) || pg_temp.addresses(to_email) || pg_temp.addresses(cc) || pg_temp.addresses(bcc)
  || pg_temp.number(0) || pg_temp.field('') || pg_temp.number(0))
FROM synced_messages;
INSERT INTO search_pending (message_row, stamp) SELECT row_id, 0 FROM synced_messages;
UPDATE synced_messages
SET received_at = coalesce(received_at, created_at, CURRENT_TIMESTAMP), subject = coalesce(subject, ''),
    snippet = left(regexp_replace(CASE WHEN body ~ '^\s*<' THEN '' ELSE coalesce(body, '') END, '\s+', ' ', 'g'), 200),
    from_email = coalesce(from_email, ''), to_email = coalesce(to_email, ''),
    to_count = (SELECT count(*) FROM regexp_split_to_table(coalesce(to_email, ''), ',') AS split (one) WHERE btrim(one) <> ''),
    is_read = coalesce(is_read, FALSE), is_starred = 'STARRED' = ANY (pg_temp.label_list(labels)),
    is_draft = 'DRAFT' = ANY (pg_temp.label_list(labels)), size_estimate = coalesce(octet_length(body), 0),
    labels = array_to_json(pg_temp.label_list(labels))::text, created_at = coalesce(created_at, CURRENT_TIMESTAMP),
    updated_at = coalesce(updated_at, created_at, CURRENT_TIMESTAMP);
INSERT INTO labels (connected_account_id, external_id, name, role, total, unread)
SELECT m.connected_account_id, l.id, l.id,
       CASE WHEN l.id LIKE 'CATEGORY\_%' THEN 'category' WHEN l.id = 'DRAFT' THEN 'drafts'
            WHEN l.id IN ('INBOX', 'SENT', 'TRASH', 'SPAM', 'STARRED', 'IMPORTANT', 'UNREAD') THEN lower(l.id) ELSE 'none' END,
       count(*), count(*) FILTER (WHERE NOT m.is_read)
FROM synced_messages m CROSS JOIN LATERAL unnest(pg_temp.label_list(m.labels)) AS l (id) GROUP BY 1, 2;
INSERT INTO message_labels (label_row, received_at, message_row)
SELECT k.row_id, m.received_at, m.row_id
FROM synced_messages m CROSS JOIN LATERAL unnest(pg_temp.label_list(m.labels)) AS l (id)
JOIN labels k ON k.connected_account_id = m.connected_account_id AND k.external_id = l.id;
DROP FUNCTION pg_temp.label_list(text), pg_temp.frame(bytea), pg_temp.addresses(text), pg_temp.field(text), pg_temp.number(bigint);

ALTER TABLE synced_messages
  DROP COLUMN body,
  ALTER COLUMN received_at SET NOT NULL,
  ALTER COLUMN subject SET NOT NULL,
  ALTER COLUMN from_email SET NOT NULL,
  ALTER COLUMN to_email SET NOT NULL,
  ALTER COLUMN is_read SET NOT NULL,
  -- JSON array of the provider's label ids, sorted.
  ALTER COLUMN labels SET DEFAULT '[]', ALTER COLUMN labels SET NOT NULL,
  ALTER COLUMN created_at SET NOT NULL,
  ALTER COLUMN updated_at SET NOT NULL,
  ADD UNIQUE (connected_account_id, external_message_id),
  ADD CHECK (external_message_id <> ''),
  SET (fillfactor = 90);
CREATE INDEX idx_synced_messages_received ON synced_messages (connected_account_id, received_at, row_id);
CREATE INDEX idx_synced_messages_thread ON synced_messages (connected_account_id, thread_id, received_at, row_id);

-- Work --------------------------------------------------------------------------------------------------------------

-- Rows change state three times and go: room for them on their pages, and a vacuum that follows closely.
CREATE TABLE jobs (
  row_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE,
  kind text COLLATE "C" NOT NULL CHECK (kind <> ''),
  args json NOT NULL DEFAULT '{}' CHECK (octet_length(args::text) <= 4096),
  priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 3),
  state text COLLATE "C" NOT NULL
    CHECK (state IN ('available', 'scheduled', 'running', 'retryable', 'completed', 'discarded', 'cancelled')),
  attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  max_attempts integer NOT NULL CHECK (max_attempts >= 1),
  unique_key text COLLATE "C",
  -- No foreign key: the erase job outlives the account it erases.
  connected_account_id uuid,
  generation bigint NOT NULL DEFAULT 0,
  lease_token text COLLATE "C",
  lease_until timestamptz,
  -- Asked for again while it ran: runs once more when it ends.
  rerun boolean NOT NULL DEFAULT FALSE,
  created_at timestamptz NOT NULL,
  scheduled_at timestamptz NOT NULL,
  attempted_at timestamptz,
  finalized_at timestamptz,
  last_error_code text NOT NULL DEFAULT '',
  last_error text NOT NULL DEFAULT '',
  CHECK ((finalized_at IS NOT NULL) = (state IN ('completed', 'discarded', 'cancelled'))),
  CHECK ((lease_token IS NOT NULL) = (state = 'running')),
  CHECK ((lease_until IS NOT NULL) = (state = 'running')),
  CHECK (NOT rerun OR state = 'running')
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX idx_jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL AND finalized_at IS NULL;
CREATE INDEX idx_jobs_claim ON jobs (kind, priority, scheduled_at, row_id) WHERE state = 'available';
CREATE INDEX idx_jobs_due ON jobs (scheduled_at) WHERE state IN ('scheduled', 'retryable');
-- Without the time it ends at, so that a heartbeat changes no index; as many rows as jobs run.
CREATE INDEX idx_jobs_lease ON jobs (row_id) WHERE state = 'running';
-- At most one running job of a kind per account, by the schema itself.
CREATE UNIQUE INDEX idx_jobs_running ON jobs (connected_account_id, kind)
  WHERE state = 'running' AND connected_account_id IS NOT NULL;
CREATE INDEX idx_jobs_finalized ON jobs (finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX idx_jobs_account ON jobs (connected_account_id, row_id) WHERE connected_account_id IS NOT NULL;
-- What a person asks for by its state; the rest is found among the newest.
CREATE INDEX idx_jobs_state ON jobs (state, row_id) WHERE state IN ('retryable', 'discarded', 'cancelled');

-- One row per attempt of a job.
ALTER TABLE job_logs
  ALTER COLUMN job_type TYPE text COLLATE "C",
  ADD COLUMN job_id uuid,
  ADD COLUMN attempt integer NOT NULL DEFAULT 1,
  ADD COLUMN error_code text NOT NULL DEFAULT '';
UPDATE job_logs
SET job_type = coalesce(job_type, ''), job_id = id, created_at = coalesce(created_at, started_at, CURRENT_TIMESTAMP),
    status = CASE WHEN status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED') THEN status ELSE 'FAILED' END;
ALTER TABLE job_logs
  ALTER COLUMN job_type SET NOT NULL,
  ALTER COLUMN job_id SET NOT NULL,
  ALTER COLUMN attempt DROP DEFAULT,
  ALTER COLUMN status SET NOT NULL,
  ALTER COLUMN created_at SET NOT NULL,
  ADD CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED')),
  SET (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX idx_job_logs_account ON job_logs (connected_account_id, created_at);
CREATE INDEX idx_job_logs_created ON job_logs (created_at);

-- Ids of one user grow in the order of the commits: who writes takes the user's turn first (storage/rows.cpp).
CREATE TABLE events (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  type text NOT NULL CHECK (type <> ''),
  user_id uuid NOT NULL,
  connected_account_id uuid,
  payload json NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX idx_events_user ON events (user_id, id);
CREATE INDEX idx_events_created ON events (created_at);
CREATE INDEX idx_events_account ON events (connected_account_id) WHERE connected_account_id IS NOT NULL;

-- Up to which id events have been pruned: a reader that is further back must start over.
CREATE TABLE event_horizon (
  only_row integer NOT NULL PRIMARY KEY CHECK (only_row = 1),
  pruned_through bigint NOT NULL
);
INSERT INTO event_horizon (only_row, pruned_through) VALUES (1, 0);

CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON users
  FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_connected_accounts_updated_at BEFORE UPDATE ON connected_accounts
  FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_synced_messages_updated_at BEFORE UPDATE ON synced_messages
  FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_calendar_events_updated_at BEFORE UPDATE ON calendar_events
  FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_email_sync_status_updated_at BEFORE UPDATE ON email_sync_status
  FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION update_updated_at_column();
