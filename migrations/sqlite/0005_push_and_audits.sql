-- Push channels and audits.

-- Work that comes round for every account. A row is there as long as its account is; an account that is connected,
-- paused or resumed is looked at soon. Kept by triggers, so that no store can forget it.
CREATE TABLE account_duties (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  duty TEXT NOT NULL CHECK (duty IN ('audit', 'push')),
  next_at INTEGER NOT NULL,
  PRIMARY KEY (connected_account_id, duty)
) WITHOUT ROWID;
CREATE INDEX idx_account_duties_due ON account_duties (duty, next_at);

-- A week later at the earliest for the first audit, and spread over a week, so that accounts which were connected
-- together are not audited together.
CREATE TRIGGER account_duties_of_new_account AFTER INSERT ON connected_accounts
BEGIN
  INSERT INTO account_duties (connected_account_id, duty, next_at) VALUES
    (new.id, 'audit', new.created_at + 604800000000 + abs(random() % 604800000000)),
    (new.id, 'push', new.created_at);
END;
CREATE TRIGGER account_duties_of_changed_account AFTER UPDATE OF is_active, granted_capabilities ON connected_accounts
WHEN old.is_active IS NOT new.is_active OR old.granted_capabilities IS NOT new.granted_capabilities
BEGIN
  UPDATE account_duties SET next_at = new.updated_at WHERE connected_account_id = new.id AND duty = 'push';
END;
-- A calendar that is chosen is listened to, and one that is not chosen any more is not.
CREATE TRIGGER account_duties_of_new_calendar AFTER INSERT ON calendars WHEN new.selected = 1
BEGIN
  UPDATE account_duties SET next_at = new.updated_at WHERE connected_account_id = new.connected_account_id AND duty = 'push';
END;
CREATE TRIGGER account_duties_of_changed_calendar AFTER UPDATE OF selected, removed ON calendars
WHEN old.selected IS NOT new.selected OR old.removed IS NOT new.removed
BEGIN
  UPDATE account_duties SET next_at = new.updated_at WHERE connected_account_id = new.connected_account_id AND duty = 'push';
END;
INSERT INTO account_duties (connected_account_id, duty, next_at)
SELECT id, 'audit', updated_at + abs(random() % 604800000000) FROM connected_accounts;
INSERT INTO account_duties (connected_account_id, duty, next_at)
SELECT id, 'push', updated_at FROM connected_accounts;

-- The last audit of an account, or the one at work.
CREATE TABLE audits (
  connected_account_id TEXT NOT NULL PRIMARY KEY REFERENCES connected_accounts (id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK (state IN ('running', 'complete', 'incomplete', 'failed')),
  error_code TEXT NOT NULL DEFAULT '',
  -- The instant the last result speaks of; kept while the next audit is at work.
  as_of INTEGER,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  CHECK ((finished_at IS NULL) = (state = 'running'))
) WITHOUT ROWID;

CREATE TABLE audit_services (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service TEXT NOT NULL CHECK (service IN ('mail', 'calendar')),
  phase TEXT NOT NULL
    CHECK (phase IN ('listing', 'finding_missing', 'finding_surplus', 'waiting', 'confirming', 'done')),
  -- A page token while listing, the last id looked at while comparing.
  cursor TEXT NOT NULL DEFAULT '',
  -- The full read whose result is compared; a newer one starts the comparison over.
  epoch INTEGER NOT NULL,
  listed_from INTEGER NOT NULL,
  listed_until INTEGER,
  provider_count INTEGER NOT NULL DEFAULT 0 CHECK (provider_count >= 0),
  stored_count INTEGER NOT NULL DEFAULT 0 CHECK (stored_count >= 0),
  PRIMARY KEY (connected_account_id, service)
) WITHOUT ROWID;

-- The provider's id list while it is compared; empty between audits.
CREATE TABLE audit_ids (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service TEXT NOT NULL,
  external_id TEXT NOT NULL,
  PRIMARY KEY (connected_account_id, service, external_id)
) WITHOUT ROWID;

-- Differences. Only a direct read makes one count: 'settled' and 'failed'.
CREATE TABLE audit_findings (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service TEXT NOT NULL,
  external_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('missing', 'surplus')),
  state TEXT NOT NULL CHECK (state IN ('suspected', 'checking', 'settled', 'failed')),
  error_code TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (connected_account_id, service, external_id)
) WITHOUT ROWID;
CREATE INDEX idx_audit_findings_state ON audit_findings (connected_account_id, service, state, external_id);

-- What the providers notify us through. The secret a notification must carry is kept as its hash alone.
CREATE TABLE push_channels (
  -- Ours; Google Calendar gets it as the channel's id.
  id TEXT NOT NULL PRIMARY KEY,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service TEXT NOT NULL CHECK (service IN ('mail', 'calendar')),
  -- What it watches: the mailbox's address in lower case (Gmail), a calendar's id, or empty.
  resource TEXT NOT NULL DEFAULT '',
  -- The provider's own id: subscription id (Graph), resource id (Calendar); empty until its answer is here.
  external_id TEXT NOT NULL DEFAULT '',
  secret_hash TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('creating', 'active', 'stopping')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  -- The last notification: what proves that push works.
  notified_at INTEGER
);
CREATE INDEX idx_push_channels_account ON push_channels (connected_account_id);
CREATE INDEX idx_push_channels_external ON push_channels (external_id) WHERE external_id <> '';
CREATE INDEX idx_push_channels_resource ON push_channels (service, resource) WHERE resource <> '';
CREATE INDEX idx_push_channels_creating ON push_channels (created_at) WHERE state = 'creating';
