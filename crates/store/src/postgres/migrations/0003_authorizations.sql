-- The tables' owner can drop a trigger: they protected the audit log from nobody.
DROP TRIGGER audit_is_never_changed ON audit;
DROP TRIGGER audit_is_never_emptied ON audit;
DROP TABLE audit_horizon;
DROP FUNCTION audit_is_append_only();

-- One name for an authorization in progress.
ALTER TABLE audit RENAME COLUMN transaction_id TO authorization_id;
ALTER TABLE connections RENAME COLUMN transaction_id TO authorization_id;
ALTER TABLE transactions RENAME TO authorizations;
ALTER TABLE authorizations DROP COLUMN redirect_uri_sent;
ALTER INDEX transactions_pkey RENAME TO authorizations_pkey;
ALTER INDEX transactions_unredeemed RENAME TO authorizations_unredeemed;
ALTER INDEX transactions_sessions RENAME TO authorizations_sessions;
ALTER INDEX transactions_to_forget RENAME TO authorizations_to_forget;
