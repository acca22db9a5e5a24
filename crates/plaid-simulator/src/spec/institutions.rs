//! Plaid's Sandbox institutions: <https://plaid.com/docs/sandbox/institutions/>.

mod list;
mod status;

use serde_json::{Value, json};

pub(crate) use self::list::{ALL, HOUNDSTOOTH, NO_BANK, WINDOWPANE};

/// What is special about an institution in Link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trait {
    Ordinary,
    /// Login happens at the bank's own page.
    OAuth,
    /// Answers no login.
    Down,
    /// Is known, and not supported.
    Unsupported,
}

/// One institution.
#[derive(Debug)]
pub(crate) struct Institution {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) country: &'static str,
    pub(crate) special: Trait,
    products: &'static [&'static str],
    /// Tells account numbers of its own for each connection, and so Plaid a `persistent_account_id`
    /// (<https://plaid.com/docs/auth/#tokenized-account-numbers>).
    pub(crate) tokenizes_numbers: bool,
    /// Whether its `status` says that logins and updates fail at times.
    degraded: bool,
    /// How long a person's consent to share lasts, where it ends by itself
    /// (<https://plaid.com/docs/link/oauth/#refreshing-item-consent>).
    pub(crate) consent_days: Option<u16>,
    /// Ends an older Item's login when the same login is linked with other accounts.
    pub(crate) replaces_duplicates: bool,
}

/// The institution with this id.
pub(crate) fn by_id(id: &str) -> Option<&'static Institution> {
    ALL.iter().find(|institution| institution.id == id)
}

/// Whether the institution is in the United States or Canada, where Data Transparency Messaging is.
pub(crate) fn is_american(institution: &Institution) -> bool {
    matches!(institution.country, "US" | "CA")
}

/// The optional parts of an institution that a call asked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extras {
    pub(crate) optional_metadata: bool,
    pub(crate) status: bool,
    pub(crate) auth_metadata: bool,
}

/// The routing number of every American test bank.
const ROUTING_NUMBER: &str = "011401533";

impl Institution {
    pub(crate) fn supports(&self, product: &str) -> bool {
        self.products.contains(&product)
    }

    pub(crate) fn products(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.products.iter().copied()
    }

    pub(crate) fn has_routing_number(&self, wanted: &[String]) -> bool {
        self.country == "US" && wanted.iter().any(|number| number == ROUTING_NUMBER)
    }

    /// As in Link's callbacks.
    pub(crate) fn link_json(&self) -> Value {
        json!({"name": self.name, "institution_id": self.id})
    }

    /// As answers name it: not at all when there is none.
    pub(crate) fn known(&'static self) -> Option<&'static Self> {
        (!self.id.is_empty()).then_some(self)
    }

    pub(crate) fn is_oauth(&self) -> bool {
        self.special == Trait::OAuth
    }

    /// Plaid's institution object; parts that were not asked for are null.
    pub(crate) fn json(&self, extras: Extras) -> Value {
        let url = extras.optional_metadata.then_some("https://www.plaid.com/");
        let primary_color = extras.optional_metadata.then_some("#174e7c");
        let availability = if self.special == Trait::Unsupported {
            "NOT_SUPPORTED"
        } else {
            "SUPPORTED"
        };
        let auth_metadata = extras.auth_metadata.then(|| {
            json!({"supported_methods": {
                "instant_auth": self.supports("auth"),
                "instant_match": self.id == HOUNDSTOOTH,
                "automated_micro_deposits": self.id == HOUNDSTOOTH,
                "instant_micro_deposits": self.id == WINDOWPANE,
            }})
        });
        json!({
            "institution_id": self.id,
            "name": self.name,
            "products": self.products,
            "country_codes": [self.country],
            "routing_numbers": if self.country == "US" { vec![ROUTING_NUMBER] } else { Vec::new() },
            "dtc_numbers": [],
            "oauth": self.is_oauth(),
            "connection_availability": availability,
            "url": url,
            "primary_color": primary_color,
            "logo": extras.optional_metadata.then_some(status::LOGO),
            "status": extras.status.then(|| status::json(self)),
            "auth_metadata": auth_metadata,
            "payment_initiation_metadata": null,
        })
    }
}

/// An institution as its id, in snapshots.
impl serde::Serialize for Institution {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

/// Reads what an institution was written as.
pub(crate) mod as_id {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer};

    use super::{Institution, NO_BANK, by_id};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static Institution, D::Error> {
        let known = optional(deserializer)?;
        known.ok_or_else(|| D::Error::custom("there is no institution"))
    }

    /// One that may not be chosen yet.
    pub(crate) fn optional<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<&'static Institution>, D::Error> {
        let unknown = || D::Error::custom("there is no institution with this id");
        Option::<String>::deserialize(deserializer)?
            .map(|id| {
                if id.is_empty() {
                    Ok(&NO_BANK)
                } else {
                    by_id(&id).ok_or_else(unknown)
                }
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;

    #[test]
    fn optional_parts_are_null_unless_asked_for() {
        let bank = by_id("ins_109508").expect("known");
        let plain = bank.json(Extras::default());
        assert!(plain["status"].is_null() && plain["url"].is_null() && plain["auth_metadata"].is_null());
        let full = bank.json(Extras {
            optional_metadata: true,
            status: true,
            auth_metadata: true,
        });
        assert_eq!(full["status"]["item_logins"]["status"], "HEALTHY");
        assert_eq!(full["url"], "https://www.plaid.com/");
        assert!(by_id("ins_0").is_none());
    }
}
