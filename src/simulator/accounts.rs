//! The accounts of the test user `user_good`: <https://plaid.com/docs/sandbox/test-credentials/>.

use serde_json::{Value, json};

use super::ids::account_id;

/// An account as every Item has it; the id is made of the Item's.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) mask: &'static str,
    name: &'static str,
    official_name: Option<&'static str>,
    kind: &'static str,
    subtype: &'static str,
    available: Option<Amount>,
    current: Amount,
    limit: Option<Amount>,
}

/// An amount of US dollars as Plaid writes it.
#[derive(Clone, Copy, Debug)]
enum Amount {
    Whole(i64),
    Broken(f64),
}

impl Amount {
    fn json(self) -> Value {
        match self {
            Self::Whole(amount) => amount.into(),
            Self::Broken(amount) => amount.into(),
        }
    }
}

use Amount::{Broken, Whole};

const fn depository(mask: &'static str, name: &'static str, subtype: &'static str, current: i64) -> Account {
    Account {
        mask,
        name,
        official_name: None,
        kind: "depository",
        subtype,
        available: None,
        current: Whole(current),
        limit: None,
    }
}

/// All accounts, in Plaid's order.
pub(super) const ALL: &[Account] = &[
    Account {
        official_name: Some("Plaid Gold Standard 0% Interest Checking"),
        available: Some(Whole(100)),
        ..depository("0000", "Plaid Checking", "checking", 110)
    },
    Account {
        official_name: Some("Plaid Silver Standard 0.1% Interest Saving"),
        available: Some(Whole(200)),
        ..depository("1111", "Plaid Saving", "savings", 210)
    },
    Account {
        official_name: Some("Plaid Bronze Standard 0.2% Interest CD"),
        ..depository("2222", "Plaid CD", "cd", 1000)
    },
    Account {
        official_name: Some("Plaid Diamond 12.5% APR Interest Credit Card"),
        kind: "credit",
        limit: Some(Whole(2000)),
        ..depository("3333", "Plaid Credit Card", "credit card", 410)
    },
    Account {
        official_name: Some("Plaid Platinum Standard 1.85% Interest Money Market"),
        available: Some(Whole(43200)),
        ..depository("4444", "Plaid Money Market", "money market", 43200)
    },
    Account {
        kind: "investment",
        current: Broken(320.76),
        ..depository("5555", "Plaid IRA", "ira", 0)
    },
    Account {
        kind: "investment",
        current: Broken(23631.9805),
        ..depository("6666", "Plaid 401k", "401k", 0)
    },
    Account {
        kind: "loan",
        ..depository("7777", "Plaid Student Loan", "student", 65262)
    },
    Account {
        kind: "loan",
        current: Broken(56302.06),
        ..depository("8888", "Plaid Mortgage", "mortgage", 0)
    },
];

/// Which account types and subtypes Link may offer (`account_filters`); `all` stands for every subtype.
pub(super) type Filters = std::collections::BTreeMap<String, Filter>;

/// The subtypes of one type.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(super) struct Filter {
    pub(super) account_subtypes: Vec<String>,
}

/// The accounts that Link offers: with `auth` only those that have numbers to pay from.
pub(super) fn offered(
    auth: bool,
    filters: Option<&Filters>,
) -> impl Iterator<Item = &'static Account> + use<'_> {
    ALL.iter().filter(move |account| {
        let passes = filters.is_none_or(|filters| {
            filters.get(account.kind).is_some_and(|filter| {
                filter
                    .account_subtypes
                    .iter()
                    .any(|subtype| subtype == "all" || subtype == account.subtype)
            })
        });
        passes && (!auth || matches!(account.subtype, "checking" | "savings" | "cash management"))
    })
}

impl Account {
    /// The account as `/accounts/get` tells it.
    pub(super) fn json(&self, item_id: &str) -> Value {
        json!({
            "account_id": account_id(item_id, self.mask),
            "balances": {
                "available": self.available.map(Amount::json),
                "current": self.current.json(),
                "limit": self.limit.map(Amount::json),
                "iso_currency_code": "USD",
                "unofficial_currency_code": null,
            },
            "holder_category": "personal",
            "mask": self.mask,
            "name": self.name,
            "official_name": self.official_name,
            "type": self.kind,
            "subtype": self.subtype,
        })
    }

    /// The account as Link's callbacks and sessions tell it.
    pub(super) fn link_json(&self, item_id: &str) -> Value {
        json!({
            "id": account_id(item_id, self.mask),
            "name": self.name,
            "mask": self.mask,
            "type": self.kind,
            "subtype": self.subtype,
            "verification_status": null,
            "class_type": null,
        })
    }
}

/// Chosen accounts as their masks, in snapshots.
pub(super) mod as_masks {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer};

    use super::ALL;

    pub(in crate::simulator) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<&'static str>>, D::Error> {
        let Some(masks) = Option::<Vec<String>>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let known = masks.iter().map(|mask| {
            let account = ALL.iter().find(|account| account.mask == mask);
            account
                .map(|account| account.mask)
                .ok_or_else(|| D::Error::custom("there is no account with this mask"))
        });
        known.collect::<Result<_, _>>().map(Some)
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

    fn masks(auth: bool, filters: Option<&Filters>) -> Vec<&'static str> {
        offered(auth, filters).map(|account| account.mask).collect()
    }

    #[test]
    fn auth_offers_only_accounts_to_pay_from() {
        assert_eq!(masks(true, None), ["0000", "1111"]);
        assert_eq!(masks(false, None).len(), 9);
    }

    #[test]
    fn filters_drop_what_they_do_not_mention() {
        let filters = |value: Value| serde_json::from_value::<Filters>(value).expect("filters");
        let credit = filters(json!({"credit": {"account_subtypes": ["all"]}}));
        assert_eq!(masks(false, Some(&credit)), ["3333"]);
        let savings = filters(json!({"depository": {"account_subtypes": ["savings", "cd"]}}));
        assert_eq!(masks(false, Some(&savings)), ["1111", "2222"]);
        assert_eq!(masks(true, Some(&savings)), ["1111"]);
    }

    #[test]
    fn balances_are_the_published_ones() {
        let checking = ALL[0].json("item");
        assert_eq!(checking["balances"]["available"], 100);
        assert_eq!(checking["balances"]["current"], 110);
        assert!(ALL[5].json("item")["balances"]["available"].is_null());
    }
}
