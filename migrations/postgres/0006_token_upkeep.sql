-- Token upkeep.

-- What Entra wants to be handed back with the next sign-in of this person (a claims request); gone with new tokens.
ALTER TABLE connected_accounts ADD COLUMN claims_challenge text;
-- Seconds a refresh token was given for, where the provider said so; Google gives its projects in testing seven days.
ALTER TABLE connected_accounts ADD COLUMN refresh_token_lifetime bigint;
-- When the person was told that they have to sign in again; once until new tokens come.
ALTER TABLE connected_accounts ADD COLUMN reauth_notified_at timestamptz;

-- Refresh tokens die of disuse: the ones used longest ago are found by this.
CREATE INDEX idx_connected_accounts_last_refresh ON connected_accounts (coalesce(last_refresh_at, created_at))
  WHERE NOT disconnecting AND refresh_token <> '';

-- Which of several causes an operator's fault has, such as a client secret that expired and not one that is wrong.
ALTER TABLE notices ADD COLUMN reason text NOT NULL DEFAULT '';

-- Values for the words about a failed attempt, such as the two addresses when it was another mailbox's.
ALTER TABLE connect_attempts ADD COLUMN params json NOT NULL DEFAULT '{}';

-- Until when a provider asked not to be called for an account (Retry-After).
CREATE TABLE provider_pauses (
  connected_account_id uuid NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  service text COLLATE "C" NOT NULL CHECK (service <> ''),
  until timestamptz NOT NULL,
  PRIMARY KEY (connected_account_id, service)
);
CREATE INDEX idx_provider_pauses_until ON provider_pauses (until);
