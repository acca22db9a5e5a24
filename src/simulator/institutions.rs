//! Plaid's Sandbox institutions: <https://plaid.com/docs/sandbox/institutions/>.

use serde_json::{Value, json};

/// What is special about an institution in Link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trait {
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
pub(super) struct Institution {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) country: &'static str,
    pub(super) special: Trait,
    products: &'static [&'static str],
    /// Tells account numbers of its own for each connection, and so Plaid a `persistent_account_id`
    /// (<https://plaid.com/docs/auth/#tokenized-account-numbers>).
    pub(super) tokenizes_numbers: bool,
    /// Ends an older Item's login when the same login is linked with other accounts.
    pub(super) replaces_duplicates: bool,
}

/// What the American Sandbox banks offer.
const US: &[&str] = &[
    "assets",
    "auth",
    "balance",
    "identity",
    "identity_match",
    "income_verification",
    "investments",
    "liabilities",
    "processor_payments",
    "signal",
    "statements",
    "transactions",
    "transfer",
];

/// What banks outside of the United States offer.
const ABROAD: &[&str] = &["assets", "auth", "balance", "identity", "transactions"];

/// And those that also start payments.
const OPEN_BANKING: &[&str] = &[
    "assets",
    "auth",
    "balance",
    "identity",
    "payment_initiation",
    "transactions",
];

const fn bank(id: &'static str, name: &'static str) -> Institution {
    Institution {
        id,
        name,
        country: "US",
        special: Trait::Ordinary,
        products: US,
        tokenizes_numbers: false,
        replaces_duplicates: false,
    }
}

/// Where Instant Match and automated micro-deposits are tried.
pub(super) const HOUNDSTOOTH: &str = "ins_109512";
/// Where instant micro-deposits are tried.
pub(super) const WINDOWPANE: &str = "ins_135858";

/// In the place of a bank when account numbers were typed in: which bank they are of is not told.
pub(super) static NO_BANK: Institution = Institution {
    products: super::auth_flags::MANUAL_PRODUCTS,
    ..bank("", "")
};

/// All of them; Link offers them in this order.
pub(super) const ALL: &[Institution] = &[
    bank("ins_109508", "First Platypus Bank"),
    bank("ins_109509", "First Gingham Credit Union"),
    bank("ins_109510", "Tattersall Federal Credit Union"),
    bank("ins_109511", "Tartan Bank"),
    bank(HOUNDSTOOTH, "Houndstooth Bank"),
    bank("ins_130016", "First Platypus Balance Bank"),
    bank(WINDOWPANE, "Windowpane Bank"),
    bank("ins_132363", "Unhealthy Platypus Bank - Degraded"),
    Institution {
        special: Trait::Down,
        ..bank("ins_132361", "Unhealthy Platypus Bank - Down")
    },
    Institution {
        special: Trait::Unsupported,
        ..bank("ins_133402", "Unsupported Platypus Bank")
    },
    Institution {
        special: Trait::OAuth,
        tokenizes_numbers: true,
        ..bank("ins_127287", "Platypus OAuth Bank")
    },
    Institution {
        special: Trait::OAuth,
        ..bank("ins_132241", "First Platypus OAuth App2App Bank")
    },
    Institution {
        special: Trait::OAuth,
        ..bank("ins_128026", "Capital One")
    },
    Institution {
        special: Trait::OAuth,
        tokenizes_numbers: true,
        replaces_duplicates: true,
        ..bank("ins_56", "Chase")
    },
    Institution {
        special: Trait::OAuth,
        tokenizes_numbers: true,
        replaces_duplicates: true,
        ..bank("ins_13", "PNC")
    },
    Institution {
        special: Trait::OAuth,
        replaces_duplicates: true,
        ..bank("ins_11", "Charles Schwab")
    },
    Institution {
        special: Trait::OAuth,
        tokenizes_numbers: true,
        ..bank("ins_127990", "U.S. Bank")
    },
    Institution {
        country: "CA",
        products: ABROAD,
        ..bank("ins_43", "Tartan-Dominion Bank of Canada")
    },
    Institution {
        country: "GB",
        products: OPEN_BANKING,
        ..bank("ins_117650", "Royal Bank of Plaid")
    },
    Institution {
        country: "GB",
        products: OPEN_BANKING,
        special: Trait::OAuth,
        ..bank("ins_116834", "Flexible Platypus Open Banking")
    },
    Institution {
        country: "GB",
        products: OPEN_BANKING,
        special: Trait::OAuth,
        ..bank("ins_117181", "Flexible Platypus Open Banking (QR)")
    },
];

/// The institution with this id.
pub(super) fn by_id(id: &str) -> Option<&'static Institution> {
    ALL.iter().find(|institution| institution.id == id)
}

/// Whether the institution is in the United States or Canada, where Data Transparency Messaging is.
pub(super) fn is_american(institution: &Institution) -> bool {
    matches!(institution.country, "US" | "CA")
}

/// The optional parts of an institution that a call asked for.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Extras {
    #[serde(rename = "include_optional_metadata")]
    optional_metadata: bool,
    #[serde(rename = "include_status")]
    status: bool,
    #[serde(rename = "include_auth_metadata")]
    auth_metadata: bool,
}

impl Extras {
    pub(super) fn new(optional_metadata: bool, auth_metadata: bool) -> Self {
        Self {
            optional_metadata,
            status: false,
            auth_metadata,
        }
    }
}

/// The routing number of every American test bank.
const ROUTING_NUMBER: &str = "011401533";

impl Institution {
    pub(super) fn supports(&self, product: &str) -> bool {
        self.products.contains(&product)
    }

    pub(super) fn products(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.products.iter().copied()
    }

    pub(super) fn has_routing_number(&self, wanted: &[String]) -> bool {
        self.country == "US" && wanted.iter().any(|number| number == ROUTING_NUMBER)
    }

    /// As Link's callbacks tell it.
    pub(super) fn link_json(&self) -> Value {
        json!({"name": self.name, "institution_id": self.id})
    }

    /// As answers name it: not at all when there is none.
    pub(super) fn told(&'static self) -> Option<&'static Self> {
        (!self.id.is_empty()).then_some(self)
    }

    pub(super) fn is_oauth(&self) -> bool {
        self.special == Trait::OAuth
    }

    /// Plaid's institution object; parts that were not asked for are null.
    pub(super) fn json(&self, extras: Extras) -> Value {
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
            "logo": null,
            "status": extras.status.then(|| self.status()),
            "auth_metadata": auth_metadata,
            "payment_initiation_metadata": null,
        })
    }

    fn status(&self) -> Value {
        let down = self.special == Trait::Down;
        let state = if down { "DOWN" } else { "HEALTHY" };
        json!({"item_logins": {
            "status": state,
            "last_status_change": "2020-01-01T00:00:00Z",
            "breakdown": {
                "success": u8::from(!down),
                "error_plaid": 0,
                "error_institution": u8::from(down),
            },
        }})
    }
}

/// An institution as its id, in snapshots.
impl serde::Serialize for Institution {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

/// Reads what an institution was written as.
pub(super) mod as_id {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer};

    use super::{Institution, NO_BANK, by_id};

    pub(in crate::simulator) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static Institution, D::Error> {
        let known = optional(deserializer)?;
        known.ok_or_else(|| D::Error::custom("there is no institution"))
    }

    /// One that may not be chosen yet.
    pub(in crate::simulator) fn optional<'de, D: Deserializer<'de>>(
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
