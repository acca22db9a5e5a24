-- Finds connections by Plaid's access token: the first eight bytes of a hash of it under the store's token key, as a number.
-- A table of its own and not a column, so that adding the rows of older connections rewrites none of theirs.
CREATE TABLE access_tokens (
    hash          bigint NOT NULL,
    connection_id uuid NOT NULL,
    PRIMARY KEY (hash, connection_id)
);

-- How far older connections have been added: see src/store/token_index.rs. Without any, that is done.
INSERT INTO meta (name, value)
SELECT 'access_tokens', CASE WHEN EXISTS (SELECT 1 FROM connections) THEN '\x0000'::bytea ELSE '\x0100'::bytea END;

-- How many link tokens were made for a transaction: one authorization gets a bounded number of them.
ALTER TABLE transactions ADD COLUMN link_tokens bigint NOT NULL DEFAULT 0;
