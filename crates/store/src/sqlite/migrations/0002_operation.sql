-- What happened, in the order of the commits. Written in the commit of what it tells of, or batched for what changes
-- nothing. Fixed words, ids and outcomes; no secret ever.
CREATE TABLE audit (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    event          TEXT NOT NULL,
    outcome        TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    actor          TEXT NOT NULL,      -- client, person, admin, operator, broker
    client_id      TEXT,               -- of a client that is known
    transaction_id BLOB,
    connection_id  BLOB,
    grant_id       BLOB,
    address        TEXT,
    request_id     TEXT,
    detail         TEXT,
    times          INTEGER NOT NULL CHECK (times > 0), -- equal ones of a short time are one row
    last_at        INTEGER NOT NULL
) STRICT;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

-- REPLACE would remove a row without asking the trigger on DELETE.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

-- Until when rows may be forgotten. It moves forward only, and each move is a row of the audit log itself.
CREATE TABLE audit_horizon (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    before INTEGER NOT NULL
) STRICT;

INSERT INTO audit_horizon (one, before) VALUES (1, -9223372036854775808);

CREATE TRIGGER audit_horizon_moves_forward BEFORE UPDATE ON audit_horizon WHEN NEW.before < OLD.before
BEGIN
    SELECT raise(ABORT, 'the horizon of the audit log moves forward only');
END;

CREATE TRIGGER audit_horizon_stays BEFORE DELETE ON audit_horizon
BEGIN
    SELECT raise(ABORT, 'the horizon of the audit log cannot be removed');
END;

CREATE TRIGGER audit_is_forgotten_by_its_horizon_alone BEFORE DELETE ON audit
WHEN OLD.last_at >= (SELECT before FROM audit_horizon)
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

-- Callbacks that an administrator allowed for a client, beside those of the settings.
CREATE TABLE redirect_uris (
    client_id  TEXT NOT NULL,
    uri        TEXT NOT NULL,
    allowed_at INTEGER NOT NULL,
    allowed_by TEXT NOT NULL,
    PRIMARY KEY (client_id, uri)
) STRICT, WITHOUT ROWID;

-- Written in batches and never by a request: small rows of their own, so that the big ones stay untouched.
CREATE TABLE grant_use (
    grant_id     BLOB PRIMARY KEY,
    refreshed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connection_health (
    connection_id BLOB PRIMARY KEY,
    health        TEXT NOT NULL,       -- healthy, unknown, or Plaid's error code
    at            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
