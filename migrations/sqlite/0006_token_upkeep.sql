-- Token upkeep.

-- What Entra wants to be handed back with the next sign-in of this person (a claims request); gone with new tokens.
ALTER TABLE connected_accounts ADD COLUMN claims_challenge TEXT;
-- Seconds a refresh token was given for, where the provider said so; Google gives its projects in testing seven days.
ALTER TABLE connected_accounts ADD COLUMN refresh_token_lifetime INTEGER;
-- When the person was told that they have to sign in again; once until new tokens come.
ALTER TABLE connected_accounts ADD COLUMN reauth_notified_at INTEGER;

-- Refresh tokens die of disuse: the ones used longest ago are found by this.
CREATE INDEX idx_connected_accounts_last_refresh ON connected_accounts (coalesce(last_refresh_at, created_at))
  WHERE disconnecting = 0 AND refresh_token <> '';

-- Which of several causes an operator's fault has, such as a client secret that expired and not one that is wrong.
ALTER TABLE notices ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- Values for the words about a failed attempt, such as the two addresses when it was another mailbox's.
ALTER TABLE connect_attempts ADD COLUMN params TEXT NOT NULL DEFAULT '{}';

-- Until when a provider asked not to be called for an account (Retry-After).
CREATE TABLE provider_pauses (
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service TEXT NOT NULL CHECK (service <> ''),
  until INTEGER NOT NULL,
  PRIMARY KEY (connected_account_id, service)
) WITHOUT ROWID;
CREATE INDEX idx_provider_pauses_until ON provider_pauses (until);
