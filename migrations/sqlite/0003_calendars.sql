-- Calendars and their events.

CREATE TABLE calendars (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  external_id TEXT NOT NULL CHECK (external_id <> ''),
  name TEXT NOT NULL,
  color TEXT NOT NULL DEFAULT '',
  time_zone TEXT NOT NULL DEFAULT '',
  is_primary INTEGER NOT NULL DEFAULT 0 CHECK (is_primary IN (0, 1)),
  access_role TEXT NOT NULL CHECK (access_role IN ('owner', 'writer', 'reader', 'free_busy')),
  -- The person's choice; without it nothing of the calendar is kept here.
  selected INTEGER NOT NULL CHECK (selected IN (0, 1)),
  -- No longer in the provider's list: hidden at once, gone when its last event is.
  removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
  -- The highest epoch given to a full read of one of its windows.
  epoch INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  -- Between these instants occurrences are stored one by one; elsewhere series are expanded. NULL: everywhere.
  covered_from INTEGER,
  covered_to INTEGER,
  searched_at INTEGER,
  fault_code TEXT,
  last_synced_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (connected_account_id, external_id)
);

-- One row per window of a calendar that has been asked for.
CREATE TABLE calendar_cursors (
  calendar_row INTEGER NOT NULL REFERENCES calendars (row_id) ON DELETE CASCADE,
  window TEXT NOT NULL,
  window_from INTEGER,
  window_to INTEGER,
  is_near INTEGER NOT NULL DEFAULT 1 CHECK (is_near IN (0, 1)),
  epoch INTEGER NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('reading', 'sweeping', 'live')),
  token TEXT NOT NULL DEFAULT '',
  synced_at INTEGER,
  PRIMARY KEY (calendar_row, window)
) WITHOUT ROWID;

-- Per account: when its calendars are due, and what holds them.
CREATE TABLE calendar_sync_status (
  connected_account_id TEXT NOT NULL PRIMARY KEY REFERENCES connected_accounts (id) ON DELETE CASCADE,
  -- NULL while nothing must run: paused, disconnecting, or waiting for the person.
  next_sync_at INTEGER,
  last_sync_at INTEGER,
  fault_code TEXT,
  fault_since INTEGER,
  next_attempt_at INTEGER,
  CHECK ((fault_code IS NULL) = (fault_since IS NULL))
) WITHOUT ROWID;
CREATE INDEX idx_calendar_sync_status_due ON calendar_sync_status (next_sync_at) WHERE next_sync_at IS NOT NULL;

-- An event's id is only unique within its calendar: the same meeting may be in two of them. Nothing was ever stored in
-- the table as it was.
DROP TABLE calendar_events;
CREATE TABLE calendar_events (
  row_id INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  connected_account_id TEXT NOT NULL REFERENCES connected_accounts (id) ON DELETE CASCADE,
  calendar_row INTEGER NOT NULL REFERENCES calendars (row_id) ON DELETE CASCADE,
  external_event_id TEXT NOT NULL CHECK (external_event_id <> ''),
  kind TEXT NOT NULL CHECK (kind IN ('single', 'master', 'exception', 'occurrence')),
  status TEXT NOT NULL CHECK (status IN ('confirmed', 'tentative', 'cancelled')),
  series_external_id TEXT,
  original_start INTEGER,
  -- The window that last held it; '-' when it left that one, '--' while the others are asked for it, '*' for a master
  -- that was asked for by name.
  window TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  -- Instants, NULL for all-day events: those are dates.
  start_time INTEGER,
  end_time INTEGER,
  start_date TEXT,
  end_date TEXT,
  is_all_day INTEGER NOT NULL DEFAULT 0 CHECK (is_all_day IN (0, 1)),
  -- IANA name; NULL when unknown.
  time_zone TEXT,
  -- What lists are in order of: the instants, or midnight UTC of the dates; of a series the start of its first and the
  -- end of its last occurrence.
  sort_start INTEGER NOT NULL,
  sort_end INTEGER NOT NULL,
  -- JSON array of RFC 5545 lines.
  recurrence TEXT CHECK (recurrence IS NULL OR json_valid(recurrence)),
  -- JSON array of objects.
  attendees TEXT CHECK (attendees IS NULL OR json_valid(attendees)),
  attendees_omitted INTEGER NOT NULL DEFAULT 0 CHECK (attendees_omitted IN (0, 1)),
  location TEXT,
  organizer_name TEXT,
  organizer_email TEXT,
  organizer_self INTEGER NOT NULL DEFAULT 0 CHECK (organizer_self IN (0, 1)),
  conference_url TEXT,
  html_link TEXT,
  is_private INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1)),
  shows_as TEXT NOT NULL,
  -- Bits of what it takes from its series (calendar/event.hpp).
  inherits INTEGER NOT NULL DEFAULT 0,
  -- Of all of the above that a provider says: an event that did not change is not written.
  fingerprint INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (calendar_row, external_event_id),
  CHECK ((start_time IS NULL) = is_all_day AND (end_time IS NULL) = is_all_day),
  CHECK ((start_date IS NOT NULL) = is_all_day AND (end_date IS NOT NULL) = is_all_day)
);
CREATE INDEX idx_calendar_events_time ON calendar_events (calendar_row, is_all_day, sort_start, id)
  WHERE kind <> 'master';
-- What began long ago and may reach into a range; everything else began within a day of it.
CREATE INDEX idx_calendar_events_long ON calendar_events (calendar_row, is_all_day, sort_end)
  WHERE kind <> 'master' AND sort_end - sort_start > 86400000000;
CREATE INDEX idx_calendar_events_masters ON calendar_events (calendar_row, sort_end) WHERE kind = 'master';
CREATE INDEX idx_calendar_events_series ON calendar_events (calendar_row, series_external_id, original_start)
  WHERE series_external_id IS NOT NULL;
CREATE INDEX idx_calendar_events_epoch ON calendar_events (calendar_row, window, epoch);
CREATE INDEX idx_calendar_events_account ON calendar_events (connected_account_id);
