-- Ids are UUIDv7, stored as their 16 bytes: rows are appended, in order of time. Moments are milliseconds since 1970.

-- Whose store this is ('environment', 'client_id') and the sealed key of the tokens of our own ('token_key').
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connections (
    id               BLOB PRIMARY KEY,
    item_id          TEXT NOT NULL,
    access_token     BLOB NOT NULL,    -- sealed
    institution_id   TEXT,
    institution_name TEXT,
    created_at       INTEGER NOT NULL, -- also when its public token was exchanged
    removed_at       INTEGER,
    -- The keyed hash of the public token that it came of, and who brought that: a transaction, or a client.
    public_token     BLOB,
    transaction_id   BLOB,
    client_id        TEXT,
    grant_id         BLOB,
    CHECK ((transaction_id IS NULL) <> (client_id IS NULL)),
    CHECK ((client_id IS NULL) = (grant_id IS NULL))
) STRICT, WITHOUT ROWID;

-- The one index whose pages are hit at random. It is what makes a public token belong to whoever brought it first.
CREATE UNIQUE INDEX connections_public_token ON connections (public_token) WHERE public_token IS NOT NULL;
CREATE INDEX connections_to_forget ON connections (created_at)
    WHERE removed_at IS NOT NULL AND public_token IS NOT NULL;

CREATE TABLE grants (
    id            BLOB PRIMARY KEY,
    nonce         BLOB NOT NULL,
    client_id     TEXT NOT NULL,
    connection_id BLOB NOT NULL REFERENCES connections,
    scope         TEXT NOT NULL,       -- separated by spaces
    created_at    INTEGER NOT NULL,
    revoked_at    INTEGER,
    -- The nonce before the last rotation, and when that was: a public client's refresh token rotates.
    previous_nonce BLOB,
    rotated_at    INTEGER,
    CHECK ((previous_nonce IS NULL) = (rotated_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_connection ON grants (connection_id);

CREATE TABLE transactions (
    id                BLOB PRIMARY KEY,
    nonce             BLOB NOT NULL,
    -- The OAuth request; no client_id: a person looks at their own connection.
    client_id         TEXT,
    redirect_uri      TEXT,
    redirect_uri_sent INTEGER NOT NULL,
    state             TEXT,
    code_challenge    TEXT,
    scope             TEXT,            -- separated by spaces; NULL: all that are configured
    client_user_id    TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    stage             INTEGER NOT NULL CHECK (stage BETWEEN 0 AND 4), -- open, completed, redeemed, abandoned, cancelled
    stage_at          INTEGER,         -- since when it is in this stage; NULL: open
    connection_id     BLOB REFERENCES connections,
    public_token      BLOB,
    code_expires_at   INTEGER,
    grant_id          BLOB REFERENCES grants,
    CHECK ((client_id IS NULL) = (redirect_uri IS NULL)),
    CHECK (stage NOT IN (1, 2) OR (stage_at IS NOT NULL AND connection_id IS NOT NULL
        AND public_token IS NOT NULL AND code_expires_at IS NOT NULL)),
    CHECK ((stage = 2) = (grant_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX transactions_unredeemed ON transactions (stage_at) WHERE stage = 1 AND client_id IS NOT NULL;
CREATE INDEX transactions_sessions ON transactions (stage_at) WHERE stage = 1 AND client_id IS NULL;
CREATE INDEX transactions_to_forget ON transactions (expires_at) WHERE stage IN (0, 3, 4);

-- The durable wish that an Item be removed at Plaid.
CREATE TABLE removals (
    connection_id BLOB PRIMARY KEY REFERENCES connections,
    reason        INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 1), -- unredeemed, revoked
    attempts      INTEGER NOT NULL,
    next_try      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX removals_next_try ON removals (next_try);
