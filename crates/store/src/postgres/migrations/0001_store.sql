-- Ids are UUIDv7: rows are appended, in order of time. Moments are milliseconds since 1970. What the tables mean is what
-- they mean in the SQLite store.

-- Whose store this is ('environment', 'client_id'), the sealed key of the tokens of our own ('token_key'), and the steps
-- that were taken ('schema', a number of 8 bytes).
CREATE TABLE meta (
    name  text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE connections (
    id               uuid PRIMARY KEY,
    item_id          text NOT NULL,
    access_token     bytea NOT NULL,   -- sealed
    institution_id   text,
    institution_name text,
    created_at       bigint NOT NULL,  -- also when its public token was exchanged
    removed_at       bigint,
    -- The keyed hash of the public token that it came of, and who brought that: a transaction, or a client.
    public_token     bytea,
    transaction_id   uuid,
    client_id        text,
    grant_id         uuid,
    CHECK ((transaction_id IS NULL) <> (client_id IS NULL)),
    CHECK ((client_id IS NULL) = (grant_id IS NULL))
);

-- The one index whose pages are hit at random. It is what makes a public token belong to whoever brought it first.
CREATE UNIQUE INDEX connections_public_token ON connections (public_token) WHERE public_token IS NOT NULL;
CREATE INDEX connections_to_forget ON connections (created_at)
    WHERE removed_at IS NOT NULL AND public_token IS NOT NULL;

CREATE TABLE grants (
    id             uuid PRIMARY KEY,
    nonce          bytea NOT NULL,
    client_id      text NOT NULL,
    connection_id  uuid NOT NULL REFERENCES connections,
    scope          text NOT NULL,      -- separated by spaces
    created_at     bigint NOT NULL,
    revoked_at     bigint,
    -- The nonce before the last rotation, and when that was: a public client's refresh token rotates.
    previous_nonce bytea,
    rotated_at     bigint,
    CHECK ((previous_nonce IS NULL) = (rotated_at IS NULL))
);

CREATE INDEX grants_connection ON grants (connection_id);

CREATE TABLE transactions (
    id                uuid PRIMARY KEY,
    nonce             bytea NOT NULL,
    -- The OAuth request; no client_id: a person looks at their own connection.
    client_id         text,
    redirect_uri      text,
    redirect_uri_sent boolean NOT NULL,
    state             text,
    code_challenge    text,
    scope             text,            -- separated by spaces; NULL: all that are configured
    client_user_id    text NOT NULL,
    created_at        bigint NOT NULL,
    expires_at        bigint NOT NULL,
    stage             bigint NOT NULL CHECK (stage BETWEEN 0 AND 4), -- open, completed, redeemed, abandoned, cancelled
    stage_at          bigint,          -- since when it is in this stage; NULL: open
    connection_id     uuid REFERENCES connections,
    public_token      bytea,
    code_expires_at   bigint,
    grant_id          uuid REFERENCES grants,
    CHECK ((client_id IS NULL) = (redirect_uri IS NULL)),
    CHECK (stage NOT IN (1, 2) OR (stage_at IS NOT NULL AND connection_id IS NOT NULL
        AND public_token IS NOT NULL AND code_expires_at IS NOT NULL)),
    CHECK ((stage = 2) = (grant_id IS NOT NULL))
);

CREATE INDEX transactions_unredeemed ON transactions (stage_at) WHERE stage = 1 AND client_id IS NOT NULL;
CREATE INDEX transactions_sessions ON transactions (stage_at) WHERE stage = 1 AND client_id IS NULL;
CREATE INDEX transactions_to_forget ON transactions (expires_at) WHERE stage IN (0, 3, 4);

-- The durable wish that an Item be removed at Plaid.
CREATE TABLE removals (
    connection_id uuid PRIMARY KEY REFERENCES connections,
    reason        bigint NOT NULL CHECK (reason BETWEEN 0 AND 1), -- unredeemed, revoked
    attempts      bigint NOT NULL,
    next_try      bigint NOT NULL
);

CREATE INDEX removals_next_try ON removals (next_try);

-- What happened. Written in the commit of what it tells of, or batched for what changes nothing. Fixed words, ids and
-- outcomes; no secret ever.
CREATE TABLE audit (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at             bigint NOT NULL,
    event          text NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    actor          text NOT NULL,      -- client, person, admin, operator, broker
    client_id      text,               -- of a client that is known
    transaction_id uuid,
    connection_id  uuid,
    grant_id       uuid,
    address        text,
    request_id     text,
    detail         text,
    times          bigint NOT NULL CHECK (times > 0), -- equal ones of a short time are one row
    last_at        bigint NOT NULL
);

-- Until when rows may be forgotten. It moves forward only, and each move is a row of the audit log itself.
CREATE TABLE audit_horizon (
    one    bigint PRIMARY KEY CHECK (one = 1),
    before bigint NOT NULL
);

INSERT INTO audit_horizon (one, before) VALUES (1, -9223372036854775808);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit' THEN
        IF OLD.last_at < (SELECT before FROM audit_horizon) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_horizon' THEN
        IF NEW.before >= OLD.before THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_horizon_moves_forward BEFORE UPDATE OR DELETE ON audit_horizon
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_horizon_stays BEFORE TRUNCATE ON audit_horizon
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Ids are drawn before the commit, so a smaller one may become visible after a greater one, and whoever follows the log
-- would pass it over. So whoever writes holds this lock, shared, from before its id is drawn until its commit, and whoever
-- follows takes it alone for a moment.
CREATE FUNCTION audit_is_being_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1886675571, 2);
    RETURN NULL;
END
$$;

CREATE TRIGGER audit_is_written_in_order BEFORE INSERT ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_being_written();

-- Callbacks that an administrator allowed for a client, beside those of the settings.
CREATE TABLE redirect_uris (
    client_id  text NOT NULL,
    uri        text NOT NULL,
    allowed_at bigint NOT NULL,
    allowed_by text NOT NULL,
    PRIMARY KEY (client_id, uri)
);

-- Written in batches and never by a request: small rows of their own, so that the big ones stay untouched.
CREATE TABLE grant_use (
    grant_id     uuid PRIMARY KEY,
    refreshed_at bigint NOT NULL
);

CREATE TABLE connection_health (
    connection_id uuid PRIMARY KEY,
    health        text NOT NULL,       -- healthy, unknown, or Plaid's error code
    at            bigint NOT NULL
);
