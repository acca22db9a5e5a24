//! The list of all checks. Ids are stable: programs and `docs/checks.md` name them.

pub(super) use crate::doctor::finding::{Check, Finding, Status};

const PLAID: &str = "Plaid";
const ADDRESS: &str = "Address";
const CLIENTS: &str = "OAuth clients";
const STORE: &str = "Storage";
const BROKER: &str = "This broker";

macro_rules! checks {
    ($($name:ident: $group:ident, $id:literal, $title:literal;)*) => {
        $(pub(super) const $name: Check = Check { id: $id, group: $group, title: $title };)*
        /// Every check, in the order in which findings are best read.
        pub const ALL: &[Check] = &[$($name),*];
    };
}

checks! {
    PUBLIC_URL_VISIT: ADDRESS, "public_url_visit", "PUBLIC_URL is the address that you opened";
    PUBLIC_URL: ADDRESS, "public_url", "PUBLIC_URL can be reached from elsewhere";
    PUBLIC_URL_ANSWERS: ADDRESS, "public_url_answers", "PUBLIC_URL leads to this broker";
    BROWSER_WARNING: ADDRESS, "browser_warning", "People see the broker's page first";
    PROXIES: ADDRESS, "proxies", "The proxy in front is trusted";
    TUNNEL: ADDRESS, "tunnel", "The tunnel on this machine is the one in use";
    WEBHOOK_URL: ADDRESS, "webhook_url", "Plaid can reach the webhook address";
    PLAID_REACHABLE: PLAID, "plaid_reachable", "Plaid answers";
    PLAID_KEYS: PLAID, "plaid_keys", "Plaid accepts the keys";
    CLOCK: PLAID, "clock", "The clock agrees with Plaid's";
    PRODUCTS_ENABLED: PLAID, "products_enabled", "The products are enabled at Plaid";
    OFFERED_ACCOUNTS: PLAID, "offered_accounts", "Link offers accounts for every product";
    INSTITUTIONS: PLAID, "institutions", "The product lists leave banks to choose from";
    COUNTRIES: PLAID, "countries", "The countries are enabled at Plaid";
    LINK_SETTINGS: PLAID, "link_settings", "Link starts with these settings";
    LINK_REDIRECT_URI: PLAID, "link_redirect_uri", "Banks can send people back to Link";
    REDIRECT_URIS: CLIENTS, "redirect_uris", "The clients' callbacks are listed";
    CLIENT_AUTH: CLIENTS, "client_auth", "Clients are authenticated";
    FILE_SYSTEM: STORE, "file_system", "The store is on a file system of this machine";
    STORE_WRITABLE: STORE, "store_writable", "The store can be written";
    STORE_KEYS: STORE, "store_keys", "The keys open everything that is stored";
    KEY_FILE: STORE, "key_file", "The key is kept apart from what it seals";
    AUDIT_FILE: STORE, "audit_file", "The audit file can be written";
    DISK_SPACE: STORE, "disk_space", "The disk has room";
    PORT: BROKER, "port", "The addresses to listen on are the broker's";
    ADMIN_TOKEN: BROKER, "admin_token", "The set-up page can be opened";
    SETTINGS: BROKER, "settings", "The settings have no warnings";
    VERSION: BROKER, "version", "The running broker is this version";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DOCS: &str = include_str!("../../../docs/checks.md");

    #[test]
    fn every_id_stands_once_and_is_documented() {
        let ids: BTreeSet<_> = ALL.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), ALL.len());
        let documented: Vec<&str> = DOCS
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        assert_eq!(documented, ALL.iter().map(|check| check.id).collect::<Vec<_>>());
    }
}
