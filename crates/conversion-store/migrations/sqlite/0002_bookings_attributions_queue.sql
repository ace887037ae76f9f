-- When the run last gave a sign of life.
ALTER TABLE run ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;

-- What visitors left behind, packed (src/sqlite/pack.rs), by the id that their site hands on. last_seen repeats what is
-- packed, so that the oldest can be forgotten.
CREATE TABLE attribution (
    seq       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    last_seen INTEGER NOT NULL,
    json      BLOB NOT NULL
) STRICT;
CREATE INDEX attribution_last_seen ON attribution (last_seen);

-- source, revision, service, is_canceled and is_trial are NULL where only events name the appointment. details is packed.
CREATE TABLE appointment (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    source      TEXT,
    revision    INTEGER,
    service     TEXT,
    starts_at   INTEGER,
    is_canceled INTEGER,
    value       TEXT,
    is_trial    INTEGER,
    booked_at   INTEGER,
    details     BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

-- Webhooks of booking systems. event_name and event_id are those of the event that was made of it. waiting_since is
-- received_at, or when the same was last told again or a human last retried it.
CREATE TABLE notice (
    id            INTEGER PRIMARY KEY,
    source        TEXT NOT NULL,
    action        TEXT NOT NULL,
    appointment   TEXT,
    status        INTEGER NOT NULL,
    reason        TEXT,
    message       TEXT,
    event_name    TEXT,
    event_id      TEXT,
    received_at   INTEGER NOT NULL,
    waiting_since INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    tries         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notice_pending ON notice (source, due_at) WHERE status = 0 AND appointment IS NOT NULL;
CREATE INDEX notice_waiting ON notice (appointment) WHERE status = 0 AND appointment IS NOT NULL;
CREATE INDEX notice_failed ON notice (id) WHERE status = 3;
CREATE INDEX notice_status ON notice (source, status);
CREATE INDEX notice_appointment ON notice (appointment) WHERE appointment IS NOT NULL;

ALTER TABLE event ADD COLUMN appointment TEXT;
CREATE INDEX event_appointment ON event (appointment) WHERE appointment IS NOT NULL;
-- Lists of events walk from the latest; those by a seldom name would walk over all others.
CREATE INDEX event_name ON event (name) WHERE origin = 0;

-- retried_at is also the time until which a delivery was made to wait before it was tried.
-- publications is the number of the latest message to an external queue, or of a human's retry since; messages of lower
-- numbers are void.
ALTER TABLE delivery ADD COLUMN driver INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN publications INTEGER NOT NULL DEFAULT 0;
-- Free deliveries of a sink and a driver stand together (owner NULL), in the order in which they are due.
DROP INDEX delivery_pending;
CREATE INDEX delivery_pending ON delivery (sink, owner, driver, due_at) WHERE status = 0;

-- What dedup keys are made of beside the conversion id, by the settings that the sink last ran with. Deliveries that
-- were leased then may have been sent under them.
CREATE TABLE dedup_target (
    sink       INTEGER NOT NULL,
    event_name TEXT NOT NULL,
    target     TEXT NOT NULL,
    PRIMARY KEY (sink, event_name)
) STRICT, WITHOUT ROWID;

-- Until when the times of replayed deliveries of the sink are taken.
ALTER TABLE sink ADD COLUMN replayed_until INTEGER;

-- What an external queue tells this store from others by: numbers of deliveries begin anew in each. One row.
CREATE TABLE installation (
    id TEXT NOT NULL
) STRICT;
INSERT INTO installation (id) VALUES (lower(hex(randomblob(8))));

-- Requests that a platform judges later than it answers, by the name that it gave them. items is how many each held. A
-- receipt goes when its verdict is known.
CREATE TABLE receipt (
    id      INTEGER PRIMARY KEY,
    sink    INTEGER NOT NULL,
    token   TEXT NOT NULL,
    items   INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    due_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_due ON receipt (sink, due_at);

-- The deliveries that await the verdict of a receipt, by their position in the request.
CREATE TABLE awaited (
    receipt  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    PRIMARY KEY (receipt, position)
) STRICT, WITHOUT ROWID;
