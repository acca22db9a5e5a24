
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE FUNCTION public.audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.audit_is_being_written() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1886675571, 2);
    RETURN NULL;
END
$$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.access_tokens (
    hash bigint NOT NULL,
    connection_id uuid NOT NULL
);

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    event text NOT NULL,
    outcome text NOT NULL,
    actor text NOT NULL,
    client_id text,
    transaction_id uuid,
    connection_id uuid,
    grant_id uuid,
    address text,
    request_id text,
    detail text,
    times bigint NOT NULL,
    last_at bigint NOT NULL,
    CONSTRAINT audit_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text, 'failed'::text]))),
    CONSTRAINT audit_times_check CHECK ((times > 0))
);

CREATE TABLE public.audit_horizon (
    one bigint NOT NULL,
    before bigint NOT NULL,
    CONSTRAINT audit_horizon_one_check CHECK ((one = 1))
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.connection_health (
    connection_id uuid NOT NULL,
    health text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE public.connections (
    id uuid NOT NULL,
    item_id text NOT NULL,
    access_token bytea NOT NULL,
    institution_id text,
    institution_name text,
    created_at bigint NOT NULL,
    removed_at bigint,
    public_token bytea,
    transaction_id uuid,
    client_id text,
    grant_id uuid,
    CONSTRAINT connections_check CHECK (((transaction_id IS NULL) <> (client_id IS NULL))),
    CONSTRAINT connections_check1 CHECK (((client_id IS NULL) = (grant_id IS NULL)))
);

CREATE TABLE public.grant_use (
    grant_id uuid NOT NULL,
    refreshed_at bigint NOT NULL
);

CREATE TABLE public.grants (
    id uuid NOT NULL,
    nonce bytea NOT NULL,
    client_id text NOT NULL,
    connection_id uuid NOT NULL,
    scope text NOT NULL,
    created_at bigint NOT NULL,
    revoked_at bigint,
    previous_nonce bytea,
    rotated_at bigint,
    CONSTRAINT grants_check CHECK (((previous_nonce IS NULL) = (rotated_at IS NULL)))
);

CREATE TABLE public.meta (
    name text NOT NULL,
    value bytea NOT NULL
);

CREATE TABLE public.redirect_uris (
    client_id text NOT NULL,
    uri text NOT NULL,
    allowed_at bigint NOT NULL,
    allowed_by text NOT NULL
);

CREATE TABLE public.removals (
    connection_id uuid NOT NULL,
    reason bigint NOT NULL,
    attempts bigint NOT NULL,
    next_try bigint NOT NULL,
    CONSTRAINT removals_reason_check CHECK (((reason >= 0) AND (reason <= 1)))
);

CREATE TABLE public.transactions (
    id uuid NOT NULL,
    nonce bytea NOT NULL,
    client_id text,
    redirect_uri text,
    redirect_uri_sent boolean NOT NULL,
    state text,
    code_challenge text,
    scope text,
    client_user_id text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    stage bigint NOT NULL,
    stage_at bigint,
    connection_id uuid,
    public_token bytea,
    code_expires_at bigint,
    grant_id uuid,
    link_tokens bigint DEFAULT 0 NOT NULL,
    CONSTRAINT transactions_check CHECK (((client_id IS NULL) = (redirect_uri IS NULL))),
    CONSTRAINT transactions_check1 CHECK (((stage <> ALL (ARRAY[(1)::bigint, (2)::bigint])) OR ((stage_at IS NOT NULL) AND (connection_id IS NOT NULL) AND (public_token IS NOT NULL) AND (code_expires_at IS NOT NULL)))),
    CONSTRAINT transactions_check2 CHECK (((stage = 2) = (grant_id IS NOT NULL))),
    CONSTRAINT transactions_stage_check CHECK (((stage >= 0) AND (stage <= 4)))
);

INSERT INTO public.access_tokens VALUES (7871787322288158756, '018bcfe5-6800-7000-8000-000000000012');
INSERT INTO public.access_tokens VALUES (5475418525685529052, '018bcfe5-6800-7000-8000-000000000013');
INSERT INTO public.access_tokens VALUES (-1149720000440655606, '018bcfe5-6800-7000-8000-000000000014');

INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (1, 1700000000000, 'authorization.opened', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000001', NULL, NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (2, 1700000000000, 'authorization.opened', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000002', NULL, NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (3, 1700000000000, 'authorization.opened', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000003', NULL, NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (4, 1700000000000, 'authorization.opened', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000004', NULL, NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (5, 1700000000000, 'authorization.completed', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000002', '018bcfe5-6800-7000-8000-000000000012', NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (6, 1700000000000, 'authorization.completed', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000003', '018bcfe5-6800-7000-8000-000000000013', NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (7, 1700000000000, 'authorization.completed', 'done', 'person', 'kore', '018bcfe5-6800-7000-8000-000000000004', '018bcfe5-6800-7000-8000-000000000014', NULL, NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (8, 1700000000000, 'code.redeemed', 'done', 'client', 'kore', '018bcfe5-6800-7000-8000-000000000003', '018bcfe5-6800-7000-8000-000000000013', '018bcfe5-6800-7000-8000-000000000023', NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (9, 1700000000000, 'code.redeemed', 'done', 'client', 'kore', '018bcfe5-6800-7000-8000-000000000004', '018bcfe5-6800-7000-8000-000000000014', '018bcfe5-6800-7000-8000-000000000024', NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (10, 1700000000000, 'grant.revoked', 'done', 'client', 'kore', NULL, '018bcfe5-6800-7000-8000-000000000014', '018bcfe5-6800-7000-8000-000000000024', NULL, NULL, NULL, 1, 1700000000000);
INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES (11, 1700000000000, 'connection.ended', 'done', 'broker', 'kore', NULL, '018bcfe5-6800-7000-8000-000000000014', NULL, NULL, NULL, 'revoked', 1, 1700000000000);

INSERT INTO public.audit_horizon VALUES (1, -9223372036854775808);

INSERT INTO public.connections VALUES ('018bcfe5-6800-7000-8000-000000000012', 'item-2', '\x010161ac3903ea9bceef8b4440e403315e6cccfadc2ad3d1cc2f9c36d22c122ecc62933e8ff819f386843d7b917c229a7e5bb78d419457945eb4be63a9421c102e84a83dcd1151559633794f8762842752b33d8068e1fa4f89bcdf2b448a', 'ins_1', 'Bank of Tests', 1700000000000, NULL, '\x0202020202020202020202020202020202020202020202020202020202020202', '018bcfe5-6800-7000-8000-000000000002', NULL, NULL);
INSERT INTO public.connections VALUES ('018bcfe5-6800-7000-8000-000000000013', 'item-3', '\x010161a37e185d7f42d1cabb70c22271cab614707bdcdd5d89a7aa4b38621e086a2617456c370d29c97655a0d491d6feef91d2c1cbd8e797e0d0968c5b03a37444446ff987e88b6d1abf578ef658dacd3199e84147e81854d9dea265c4ec', 'ins_1', 'Bank of Tests', 1700000000000, NULL, '\x0303030303030303030303030303030303030303030303030303030303030303', '018bcfe5-6800-7000-8000-000000000003', NULL, NULL);
INSERT INTO public.connections VALUES ('018bcfe5-6800-7000-8000-000000000014', 'item-4', '\x0101610ced40837464915227b9555b2c8091a213c684b6fc0d144a0cd1d2ee0d5f0be57022bc63d8386b1dcba5fafc3d1d7ef68c6c3d32e2bb936c3648f7e723cecc6ac7dbfca48599d34dc77046e52f92b74aaec9e4d64649e7a9c63513', 'ins_1', 'Bank of Tests', 1700000000000, 1700000000000, '\x0404040404040404040404040404040404040404040404040404040404040404', '018bcfe5-6800-7000-8000-000000000004', NULL, NULL);

INSERT INTO public.grants VALUES ('018bcfe5-6800-7000-8000-000000000023', '\x2323232323232323232323232323232323232323232323232323232323232323', 'kore', '018bcfe5-6800-7000-8000-000000000013', 'auth', 1700000000000, NULL, NULL, NULL);
INSERT INTO public.grants VALUES ('018bcfe5-6800-7000-8000-000000000024', '\x2424242424242424242424242424242424242424242424242424242424242424', 'kore', '018bcfe5-6800-7000-8000-000000000014', 'auth', 1700000000000, 1700000000000, NULL, NULL);

INSERT INTO public.meta VALUES ('access_tokens', '\x0100');
INSERT INTO public.meta VALUES ('schema', '\x0000000000000002');
INSERT INTO public.meta VALUES ('program', '\x706c6169642d746f6b656e2d62726f6b6572');
INSERT INTO public.meta VALUES ('probe', '\x5e465c796c6bbe28');
INSERT INTO public.meta VALUES ('environment', '\x73616e64626f78');
INSERT INTO public.meta VALUES ('client_id', '\x303132333435363738396162636465663031323334353637');
INSERT INTO public.meta VALUES ('token_key', '\x01016191db069d40a8de59298b5257c5c74df80d90860fe3f7653d717781baed3100930585fce0d2933173eaae019ee5f26acf52290df09fca571d730f866bb0657d4ae863380f652749d0');

INSERT INTO public.removals VALUES ('018bcfe5-6800-7000-8000-000000000014', 1, 0, 1700000000000);

INSERT INTO public.transactions VALUES ('018bcfe5-6800-7000-8000-000000000001', '\x0101010101010101010101010101010101010101010101010101010101010101', 'kore', 'https://idp.kore.ai/callback', true, 'a%20b', 'challenge', 'auth identity', 'user-1', 1700000000000, 1700001800000, 0, NULL, NULL, NULL, NULL, NULL, 2);
INSERT INTO public.transactions VALUES ('018bcfe5-6800-7000-8000-000000000002', '\x0202020202020202020202020202020202020202020202020202020202020202', 'kore', 'https://idp.kore.ai/callback', true, 'a%20b', 'challenge', 'auth identity', 'user-2', 1700000000000, 1700001800000, 1, 1700000000000, '018bcfe5-6800-7000-8000-000000000012', '\x0202020202020202020202020202020202020202020202020202020202020202', 1700000300000, NULL, 1);
INSERT INTO public.transactions VALUES ('018bcfe5-6800-7000-8000-000000000003', '\x0303030303030303030303030303030303030303030303030303030303030303', 'kore', 'https://idp.kore.ai/callback', true, 'a%20b', 'challenge', 'auth identity', 'user-3', 1700000000000, 1700001800000, 2, 1700000000000, '018bcfe5-6800-7000-8000-000000000013', '\x0303030303030303030303030303030303030303030303030303030303030303', 1700000300000, '018bcfe5-6800-7000-8000-000000000023', 1);
INSERT INTO public.transactions VALUES ('018bcfe5-6800-7000-8000-000000000004', '\x0404040404040404040404040404040404040404040404040404040404040404', 'kore', 'https://idp.kore.ai/callback', true, 'a%20b', 'challenge', 'auth identity', 'user-4', 1700000000000, 1700001800000, 2, 1700000000000, '018bcfe5-6800-7000-8000-000000000014', '\x0404040404040404040404040404040404040404040404040404040404040404', 1700000300000, '018bcfe5-6800-7000-8000-000000000024', 1);

SELECT pg_catalog.setval('public.audit_id_seq', 11, true);

ALTER TABLE ONLY public.access_tokens
    ADD CONSTRAINT access_tokens_pkey PRIMARY KEY (hash, connection_id);

ALTER TABLE ONLY public.audit_horizon
    ADD CONSTRAINT audit_horizon_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.connection_health
    ADD CONSTRAINT connection_health_pkey PRIMARY KEY (connection_id);

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.grant_use
    ADD CONSTRAINT grant_use_pkey PRIMARY KEY (grant_id);

ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.redirect_uris
    ADD CONSTRAINT redirect_uris_pkey PRIMARY KEY (client_id, uri);

ALTER TABLE ONLY public.removals
    ADD CONSTRAINT removals_pkey PRIMARY KEY (connection_id);

ALTER TABLE ONLY public.transactions
    ADD CONSTRAINT transactions_pkey PRIMARY KEY (id);

CREATE UNIQUE INDEX connections_public_token ON public.connections USING btree (public_token) WHERE (public_token IS NOT NULL);

CREATE INDEX connections_to_forget ON public.connections USING btree (created_at) WHERE ((removed_at IS NOT NULL) AND (public_token IS NOT NULL));

CREATE INDEX grants_connection ON public.grants USING btree (connection_id);

CREATE INDEX removals_next_try ON public.removals USING btree (next_try);

CREATE INDEX transactions_sessions ON public.transactions USING btree (stage_at) WHERE ((stage = 1) AND (client_id IS NULL));

CREATE INDEX transactions_to_forget ON public.transactions USING btree (expires_at) WHERE (stage = ANY (ARRAY[(0)::bigint, (3)::bigint, (4)::bigint]));

CREATE INDEX transactions_unredeemed ON public.transactions USING btree (stage_at) WHERE ((stage = 1) AND (client_id IS NOT NULL));

CREATE TRIGGER audit_horizon_moves_forward BEFORE DELETE OR UPDATE ON public.audit_horizon FOR EACH ROW EXECUTE FUNCTION public.audit_is_append_only();

CREATE TRIGGER audit_horizon_stays BEFORE TRUNCATE ON public.audit_horizon FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only();

CREATE TRIGGER audit_is_never_changed BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.audit_is_append_only();

CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only();

CREATE TRIGGER audit_is_written_in_order BEFORE INSERT ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_being_written();

ALTER TABLE ONLY public.grants
    ADD CONSTRAINT grants_connection_id_fkey FOREIGN KEY (connection_id) REFERENCES public.connections(id);

ALTER TABLE ONLY public.removals
    ADD CONSTRAINT removals_connection_id_fkey FOREIGN KEY (connection_id) REFERENCES public.connections(id);

ALTER TABLE ONLY public.transactions
    ADD CONSTRAINT transactions_connection_id_fkey FOREIGN KEY (connection_id) REFERENCES public.connections(id);

ALTER TABLE ONLY public.transactions
    ADD CONSTRAINT transactions_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES public.grants(id);

