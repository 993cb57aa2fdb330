-- Push channels and audits.

-- Work that comes round for every account. A row is there as long as its account is; an account that is connected,
-- paused or resumed is looked at soon. Kept by triggers, so that no store can forget it.
CREATE TABLE account_duties (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  duty text COLLATE "C" NOT NULL CHECK (duty IN ('audit', 'push')),
  next_at timestamptz NOT NULL,
  PRIMARY KEY (connected_account_id, duty)
) WITH (fillfactor = 80);
CREATE INDEX idx_account_duties_due ON account_duties (duty, next_at);

-- A week later at the earliest for the first audit, and spread over a week, so that accounts which were connected
-- together are not audited together.
CREATE FUNCTION account_duties_of_new_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_duties (connected_account_id, duty, next_at) VALUES
    (NEW.id, 'audit', NEW.created_at + interval '7 days' + random() * interval '7 days'),
    (NEW.id, 'push', NEW.created_at);
  RETURN NULL;
END;
$$;
CREATE TRIGGER account_duties_of_new_account AFTER INSERT ON connected_accounts
  FOR EACH ROW EXECUTE FUNCTION account_duties_of_new_account();

CREATE FUNCTION account_duties_of_changed_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE account_duties SET next_at = NEW.updated_at WHERE connected_account_id = NEW.id AND duty = 'push';
  RETURN NULL;
END;
$$;
CREATE TRIGGER account_duties_of_changed_account AFTER UPDATE OF is_active, granted_capabilities ON connected_accounts
  FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active
                     OR OLD.granted_capabilities::text IS DISTINCT FROM NEW.granted_capabilities::text)
  EXECUTE FUNCTION account_duties_of_changed_account();

-- A calendar that is chosen is listened to, and one that is not chosen any more is not.
CREATE FUNCTION account_duties_of_calendar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE account_duties SET next_at = NEW.updated_at WHERE connected_account_id = NEW.connected_account_id AND duty = 'push';
  RETURN NULL;
END;
$$;
CREATE TRIGGER account_duties_of_new_calendar AFTER INSERT ON calendars
  FOR EACH ROW WHEN (NEW.selected) EXECUTE FUNCTION account_duties_of_calendar();
CREATE TRIGGER account_duties_of_changed_calendar AFTER UPDATE OF selected, removed ON calendars
  FOR EACH ROW WHEN (OLD.selected IS DISTINCT FROM NEW.selected OR OLD.removed IS DISTINCT FROM NEW.removed)
  EXECUTE FUNCTION account_duties_of_calendar();
INSERT INTO account_duties (connected_account_id, duty, next_at)
SELECT id, 'audit', updated_at + random() * interval '7 days' FROM connected_accounts;
INSERT INTO account_duties (connected_account_id, duty, next_at)
SELECT id, 'push', updated_at FROM connected_accounts;

-- The last audit of an account, or the one at work.
CREATE TABLE audits (
  connected_account_id uuid NOT NULL PRIMARY KEY REFERENCES connected_accounts (id) ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('running', 'complete', 'incomplete', 'failed')),
  error_code text NOT NULL DEFAULT '',
  -- The instant the last result speaks of; kept while the next audit is at work.
  as_of timestamptz,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  CHECK ((finished_at IS NULL) = (state = 'running'))
);

CREATE TABLE audit_services (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service text COLLATE "C" NOT NULL CHECK (service IN ('mail', 'calendar')),
  phase text NOT NULL
    CHECK (phase IN ('listing', 'finding_missing', 'finding_surplus', 'waiting', 'confirming', 'done')),
  -- A page token while listing, the last id looked at while comparing.
  cursor text NOT NULL DEFAULT '',
  -- The full read whose result is compared; a newer one starts the comparison over.
  epoch bigint NOT NULL,
  listed_from timestamptz NOT NULL,
  listed_until timestamptz,
  provider_count bigint NOT NULL DEFAULT 0 CHECK (provider_count >= 0),
  stored_count bigint NOT NULL DEFAULT 0 CHECK (stored_count >= 0),
  PRIMARY KEY (connected_account_id, service)
);

-- The provider's id list while it is compared; empty between audits.
CREATE TABLE audit_ids (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service text COLLATE "C" NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (connected_account_id, service, external_id)
);

-- Differences. Only a direct read makes one count: 'settled' and 'failed'.
CREATE TABLE audit_findings (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service text COLLATE "C" NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('missing', 'surplus')),
  state text COLLATE "C" NOT NULL CHECK (state IN ('suspected', 'checking', 'settled', 'failed')),
  error_code text NOT NULL DEFAULT '',
  PRIMARY KEY (connected_account_id, service, external_id)
);
CREATE INDEX idx_audit_findings_state ON audit_findings (connected_account_id, service, state, external_id);

-- What the providers notify us through. The secret a notification must carry is kept as its hash alone.
CREATE TABLE push_channels (
  -- Ours; Google Calendar gets it as the channel's id. Text, because anybody may send us one.
  id text COLLATE "C" NOT NULL PRIMARY KEY,
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service text COLLATE "C" NOT NULL CHECK (service IN ('mail', 'calendar')),
  -- What it watches: the mailbox's address in lower case (Gmail), a calendar's id, or empty.
  resource text COLLATE "C" NOT NULL DEFAULT '',
  -- The provider's own id: subscription id (Graph), resource id (Calendar); empty until its answer is here.
  external_id text COLLATE "C" NOT NULL DEFAULT '',
  secret_hash text NOT NULL DEFAULT '',
  state text COLLATE "C" NOT NULL CHECK (state IN ('creating', 'active', 'stopping')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  -- The last notification: what proves that push works.
  notified_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX idx_push_channels_account ON push_channels (connected_account_id);
CREATE INDEX idx_push_channels_external ON push_channels (external_id) WHERE external_id <> '';
CREATE INDEX idx_push_channels_resource ON push_channels (service, resource) WHERE resource <> '';
CREATE INDEX idx_push_channels_creating ON push_channels (created_at) WHERE state = 'creating';
