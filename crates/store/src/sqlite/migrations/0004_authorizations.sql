-- Whoever can write the file can drop a trigger: they protected the audit log from nobody.
DROP TRIGGER audit_is_never_changed;
DROP TRIGGER audit_is_never_replaced;
DROP TRIGGER audit_is_forgotten_by_its_horizon_alone;
DROP TABLE audit_horizon;

-- One name for an authorization in progress.
ALTER TABLE audit RENAME COLUMN transaction_id TO authorization_id;
ALTER TABLE connections RENAME COLUMN transaction_id TO authorization_id;

-- Written anew and not altered, as one column goes, and the number of link tokens comes in from a table of its own.
CREATE TABLE authorizations (
    id                BLOB PRIMARY KEY,
    nonce             BLOB NOT NULL,
    -- The OAuth request; no client_id: a person looks at their own connection.
    client_id         TEXT,
    redirect_uri      TEXT,
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
    link_tokens       INTEGER NOT NULL, -- how many were made: one authorization gets a bounded number
    CHECK ((client_id IS NULL) = (redirect_uri IS NULL)),
    CHECK (stage NOT IN (1, 2) OR (stage_at IS NOT NULL AND connection_id IS NOT NULL
        AND public_token IS NOT NULL AND code_expires_at IS NOT NULL)),
    CHECK ((stage = 2) = (grant_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO authorizations
SELECT id, nonce, client_id, redirect_uri, state, code_challenge, scope, client_user_id, created_at, expires_at, stage,
    stage_at, connection_id, public_token, code_expires_at, grant_id, coalesce(made, 1)
FROM transactions LEFT JOIN link_tokens ON link_tokens.transaction_id = transactions.id ORDER BY id;

DROP TABLE transactions;
DROP TABLE link_tokens;

CREATE INDEX authorizations_unredeemed ON authorizations (stage_at) WHERE stage = 1 AND client_id IS NOT NULL;
CREATE INDEX authorizations_sessions ON authorizations (stage_at) WHERE stage = 1 AND client_id IS NULL;
CREATE INDEX authorizations_to_forget ON authorizations (expires_at) WHERE stage IN (0, 3, 4);
