-- Times are microseconds since 1970, UTC. Numbers that stand for words are listed in src/sqlite/code.rs.

-- One row for each start of the service. A delivery's owner is a run.
CREATE TABLE run (
    id          INTEGER PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    alive_until INTEGER NOT NULL
) STRICT;

CREATE TABLE sink (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE,
    kind              TEXT NOT NULL,
    platform          TEXT NOT NULL,
    fingerprint       BLOB NOT NULL,
    last_delivered_at INTEGER
) STRICT;

-- event_name is '' where all the sink is held. ended_at is NULL while the hold is in force.
CREATE TABLE hold (
    id         INTEGER PRIMARY KEY,
    sink       INTEGER NOT NULL,
    event_name TEXT NOT NULL,
    reason     TEXT NOT NULL,
    message    TEXT NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER,
    failures   INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX hold_in_force ON hold (sink, event_name) WHERE ended_at IS NULL;
CREATE INDEX hold_past ON hold (sink, event_name, ended_at) WHERE ended_at IS NOT NULL;

-- The sets of sinks that events were routed to: sorted sink ids, joined by spaces.
CREATE TABLE route (
    id    INTEGER PRIMARY KEY,
    sinks TEXT NOT NULL UNIQUE
) STRICT;

-- conversion_id is NULL where it equals id. The content is in body, so that this table stays dense: duplicates,
-- earlier deliveries and the audit read it alone.
CREATE TABLE event (
    seq           INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    id            TEXT NOT NULL,
    conversion_id TEXT,
    fingerprint   BLOB NOT NULL,
    origin        INTEGER NOT NULL,
    accepted_at   INTEGER NOT NULL,
    route         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_identity ON event (id, name) WHERE origin = 0;
CREATE INDEX event_conversion ON event (conversion_id) WHERE conversion_id IS NOT NULL;
CREATE INDEX event_test ON event (id) WHERE origin = 1;

-- The stored event, packed (src/sqlite/pack.rs). No row once retention has removed it.
CREATE TABLE body (
    event INTEGER PRIMARY KEY,
    json  BLOB NOT NULL
) STRICT;

-- A delivery is leased exactly while owner is not NULL. retried_at is when it was last made due by a human's word:
-- patience with it begins anew then. origin repeats the event's, so that counting needs no join.
CREATE TABLE delivery (
    event           INTEGER NOT NULL,
    sink            INTEGER NOT NULL,
    origin          INTEGER NOT NULL,
    status          INTEGER NOT NULL DEFAULT 0,
    due_at          INTEGER NOT NULL,
    owner           INTEGER,
    fence           INTEGER NOT NULL,
    tries           INTEGER NOT NULL DEFAULT 0,
    retried_at      INTEGER,
    uncertain_since INTEGER,
    dedup_key       TEXT,
    reason          TEXT,
    message         TEXT,
    consent         INTEGER,
    attempts        INTEGER NOT NULL DEFAULT 0,
    response_code   INTEGER,
    settled_at      INTEGER,
    confirmation    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (event, sink)
) STRICT, WITHOUT ROWID;
-- Free deliveries of a sink stand together (owner NULL), in the order in which they are due; so do those of each run.
CREATE INDEX delivery_pending ON delivery (sink, owner, due_at) WHERE status = 0;
CREATE INDEX delivery_failed ON delivery (event, sink) WHERE status = 3;

-- Address and headers of requests, as JSON: the same for nearly every exchange of a sink.
CREATE TABLE endpoint (
    id   INTEGER PRIMARY KEY,
    head TEXT NOT NULL UNIQUE
) STRICT;

-- items says where each item stands in the body. status is NULL where there was no answer.
CREATE TABLE exchange (
    seq       INTEGER PRIMARY KEY,
    sent_at   INTEGER NOT NULL,
    duration  INTEGER NOT NULL,
    endpoint  INTEGER NOT NULL,
    body      BLOB NOT NULL,
    items     BLOB NOT NULL,
    status    INTEGER,
    response  BLOB,
    truncated INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
    event    INTEGER NOT NULL,
    sink     INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    exchange INTEGER NOT NULL,
    position INTEGER NOT NULL,
    result   TEXT NOT NULL,
    note     TEXT,
    PRIMARY KEY (event, sink, number)
) STRICT, WITHOUT ROWID;

-- How many live deliveries of each sink stand how. Sink 0 stands for the events themselves.
CREATE TABLE counter (
    sink INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (sink, kind)
) STRICT, WITHOUT ROWID;

-- Written to see whether the disk takes anything.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    n  INTEGER NOT NULL
) STRICT;
