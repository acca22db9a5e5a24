-- How many link tokens were made for a transaction: one authorization gets a bounded number of them.
ALTER TABLE transactions ADD COLUMN link_tokens INTEGER NOT NULL DEFAULT 0;
