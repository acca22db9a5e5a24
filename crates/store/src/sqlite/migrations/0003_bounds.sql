-- Finds connections by Plaid's access token: the first eight bytes of a hash of it under the store's token key, as a number.
-- A table of its own and not a column, so that adding the rows of older connections rewrites none of theirs.
CREATE TABLE access_tokens (
    hash          INTEGER NOT NULL,
    connection_id BLOB NOT NULL,
    PRIMARY KEY (hash, connection_id)
) STRICT, WITHOUT ROWID;

-- How far older connections have been added: see src/store/token_index.rs. Without any, that is done.
INSERT INTO meta (name, value)
SELECT 'access_tokens', CASE WHEN EXISTS (SELECT 1 FROM connections) THEN x'0000' ELSE x'0100' END;

-- How many link tokens were made for an open transaction, from the second one on: one authorization gets a bounded number.
-- A table of its own, because SQLite reads the whole of a STRICT table when a column is added to it.
CREATE TABLE link_tokens (
    transaction_id BLOB PRIMARY KEY,
    made           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
