//! Names that other guides and programs use for our settings. Each is an intent that would be lost without a word.

use super::variable;

/// What frameworks put before a variable so that browsers get it. (A secret that is there is public.)
const PREFIXES: [&str; 4] = ["NEXT_PUBLIC_", "REACT_APP_", "VITE_", "EXPO_PUBLIC_"];

const ALIASES: [(&str, &str); 24] = [
    ("PLAID_CLIENTID", "PLAID_CLIENT_ID"),
    ("PLAID_API_CLIENT_ID", "PLAID_CLIENT_ID"),
    ("PLAID_CLIENT_SECRET", "PLAID_SECRET"),
    ("PLAID_SECRET_KEY", "PLAID_SECRET"),
    ("PLAID_API_SECRET", "PLAID_SECRET"),
    ("PLAID_API_KEY", "PLAID_SECRET"),
    ("PLAID_SECRET_SANDBOX", "PLAID_SECRET"),
    ("PLAID_SECRET_DEVELOPMENT", "PLAID_SECRET"),
    ("PLAID_SECRET_PRODUCTION", "PLAID_SECRET"),
    ("PLAID_SANDBOX_SECRET", "PLAID_SECRET"),
    ("PLAID_DEVELOPMENT_SECRET", "PLAID_SECRET"),
    ("PLAID_PRODUCTION_SECRET", "PLAID_SECRET"),
    ("PLAID_ENVIRONMENT", "PLAID_ENV"),
    ("PLAID_COUNTRIES", "PLAID_COUNTRY_CODES"),
    ("PLAID_COUNTRY", "PLAID_COUNTRY_CODES"),
    ("PLAID_REDIRECT_URL", "PLAID_REDIRECT_URI"),
    ("PLAID_REDIRECT_URIS", "PLAID_REDIRECT_URI"),
    ("OAUTH_REDIRECT_URI", "PLAID_REDIRECT_URI"),
    ("PLAID_WEBHOOK", "PLAID_WEBHOOK_URL"),
    ("PLAID_BASE_PATH", "PLAID_BASE_URL"),
    ("PLAID_HOST", "PLAID_BASE_URL"),
    ("BROKER_PUBLIC_URL", "PUBLIC_URL"),
    ("BROKER_APP_PORT", "APP_PORT"),
    ("BROKER_DATABASE_URL", "DATABASE_URL"),
];

/// The setting that is meant by this name, which is none itself.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let find = |name: &str| ALIASES.iter().find(|(alias, _)| *alias == name);
    let stripped = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    match stripped {
        Some(rest) if rest.starts_with("PLAID_") => {
            let own = variable::find(rest).map(|variable| variable.name);
            own.or_else(|| find(rest).map(|(_, setting)| *setting))
        }
        _ => find(name).map(|(_, setting)| *setting),
    }
}

/// The setting that is meant by the name of a file for it: `PLAID_CLIENT_SECRET_FILE` means `PLAID_SECRET_FILE`.
pub(super) fn meant_file(name: &str) -> Option<&'static str> {
    let setting = meant(name.strip_suffix("_FILE")?)?;
    let mut twins = variable::twins().iter();
    twins.find_map(|twin| (twin.strip_suffix("_FILE") == Some(setting)).then_some(twin.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_means_a_setting_and_is_none() {
        for (alias, setting) in ALIASES {
            assert!(
                variable::find(alias).is_none() && variable::find(setting).is_some(),
                "{alias}"
            );
            assert_eq!(meant(alias), Some(setting));
        }
        assert_eq!(meant_file("PLAID_CLIENT_SECRET_FILE"), Some("PLAID_SECRET_FILE"));
        assert_eq!(meant_file("PLAID_ENVIRONMENT_FILE"), None);
        for (name, setting) in [
            ("NEXT_PUBLIC_PLAID_ENV", Some("PLAID_ENV")),
            ("VITE_PLAID_PRODUCTION_SECRET", Some("PLAID_SECRET")),
            ("NEXT_PUBLIC_PLAID_THING", None),
            ("NEXT_PUBLIC_APP_PORT", None),
            ("PLAID_ENV", None),
            ("PLAID_THING", None),
        ] {
            assert_eq!(meant(name), setting, "{name}");
        }
    }
}
