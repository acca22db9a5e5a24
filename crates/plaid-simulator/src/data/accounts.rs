//! The accounts of the test user `user_good`: <https://plaid.com/docs/sandbox/test-credentials/>.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Money;
use crate::spec::ids::account_id;

/// An account as every Item has it; the id is made of the Item's.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Names the account among those of one person, and so makes its id.
    pub(crate) key: &'static str,
    pub(crate) mask: Option<Cow<'static, str>>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) official_name: Option<Cow<'static, str>>,
    pub(crate) kind: &'static str,
    pub(crate) subtype: Cow<'static, str>,
    pub(crate) available: Option<Money>,
    pub(crate) current: Money,
    pub(crate) limit: Option<Money>,
    pub(crate) currency: Cow<'static, str>,
    pub(crate) holder_category: &'static str,
}

/// An account with nothing but what it needs; the mask is also its key.
pub(crate) fn account(
    mask: &'static str,
    name: &'static str,
    (kind, subtype): (&'static str, &'static str),
    current: Money,
) -> Account {
    Account {
        key: mask,
        mask: Some(Cow::Borrowed(mask)),
        name: Cow::Borrowed(name),
        official_name: None,
        kind,
        subtype: Cow::Borrowed(subtype),
        available: None,
        current,
        limit: None,
        currency: Cow::Borrowed("USD"),
        holder_category: "personal",
    }
}

pub(crate) const CHECKING: (&str, &str) = ("depository", "checking");
pub(crate) const SAVINGS: (&str, &str) = ("depository", "savings");
pub(crate) const CREDIT_CARD: (&str, &str) = ("credit", "credit card");

/// The accounts of `user_good`, in Plaid's order.
#[rustfmt::skip]
pub(crate) static ALL: LazyLock<Vec<Account>> = LazyLock::new(|| {
    vec![
        account("0000", "Plaid Checking", CHECKING, Money::whole(110))
            .officially("Plaid Gold Standard 0% Interest Checking").available(Money::whole(100)),
        account("1111", "Plaid Saving", SAVINGS, Money::whole(210))
            .officially("Plaid Silver Standard 0.1% Interest Saving").available(Money::whole(200)),
        account("2222", "Plaid CD", ("depository", "cd"), Money::whole(1000))
            .officially("Plaid Bronze Standard 0.2% Interest CD"),
        account("3333", "Plaid Credit Card", CREDIT_CARD, Money::whole(410))
            .officially("Plaid Diamond 12.5% APR Interest Credit Card").limited(Money::whole(2000)),
        account("4444", "Plaid Money Market", ("depository", "money market"), Money::whole(43_200))
            .officially("Plaid Platinum Standard 1.85% Interest Money Market").available(Money::whole(43_200)),
        account("5555", "Plaid IRA", ("investment", "ira"), Money::cents(32_076)),
        account("6666", "Plaid 401k", ("investment", "401k"), Money::ten_thousandths(236_319_805)),
        account("7777", "Plaid Student Loan", ("loan", "student"), Money::whole(65_262)),
        account("8888", "Plaid Mortgage", ("loan", "mortgage"), Money::cents(5_630_206)),
    ]
});

/// Which account types and subtypes Link may offer (`account_filters`); `all` stands for every subtype.
pub(crate) type Filters = std::collections::BTreeMap<String, Filter>;

/// The subtypes of one type.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct Filter {
    pub(crate) account_subtypes: Vec<String>,
}

/// The accounts that Link offers: with `auth` only those that have numbers to pay from.
pub(crate) fn offered<'a>(
    accounts: &'a [Account],
    auth: bool,
    filters: Option<&'a Filters>,
) -> impl Iterator<Item = &'a Account> {
    accounts.iter().filter(move |account| {
        let passes = filters.is_none_or(|filters| {
            filters.get(account.kind).is_some_and(|filter| {
                filter
                    .account_subtypes
                    .iter()
                    .any(|subtype| subtype == "all" || *subtype == account.subtype)
            })
        });
        passes && (!auth || account.has_numbers())
    })
}

impl Account {
    pub(crate) fn officially(mut self, name: &'static str) -> Self {
        self.official_name = Some(Cow::Borrowed(name));
        self
    }

    pub(crate) fn available(mut self, amount: Money) -> Self {
        self.available = Some(amount);
        self
    }

    pub(crate) fn limited(mut self, limit: Money) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(crate) fn of_business(mut self) -> Self {
        self.holder_category = "business";
        self
    }

    /// Plaid's `account_id` on this Item.
    pub(crate) fn id(&self, item_id: &str) -> String {
        account_id(item_id, self.key)
    }

    /// Whether money can be moved to and from it, as `auth` needs.
    pub(crate) fn has_numbers(&self) -> bool {
        self.kind == "depository" && matches!(&*self.subtype, "checking" | "savings" | "cash management")
    }

    /// The account as in `/accounts/get`.
    pub(crate) fn json(&self, item_id: &str) -> Value {
        json!({
            "account_id": self.id(item_id),
            "balances": self.balances(),
            "holder_category": self.holder_category,
            "mask": self.mask,
            "name": self.name,
            "official_name": self.official_name,
            "type": self.kind,
            "subtype": self.subtype,
        })
    }

    fn balances(&self) -> Value {
        json!({
            "available": self.available.map(Money::json),
            "current": self.current.json(),
            "limit": self.limit.map(Money::json),
            "iso_currency_code": self.currency,
            "unofficial_currency_code": null,
        })
    }

    /// The account as in Link's callbacks and sessions.
    pub(crate) fn link_json(&self, item_id: &str, verification_status: Option<&str>) -> Value {
        json!({
            "id": self.id(item_id),
            "name": self.name,
            "mask": self.mask,
            "type": self.kind,
            "subtype": self.subtype,
            "verification_status": verification_status,
            "class_type": null,
        })
    }
}

/// The account number that a bank in the United States has for an account.
pub(crate) fn account_number(account: &Account) -> String {
    format!("111122223333{}", account.mask.as_deref().unwrap_or("0000"))
}

/// The keys of made-up accounts, in their order; they make the accounts' ids.
pub(crate) const CUSTOM_KEYS: [&str; 10] = [
    "custom-0", "custom-1", "custom-2", "custom-3", "custom-4", "custom-5", "custom-6", "custom-7",
    "custom-8", "custom-9",
];

/// Chosen accounts as their keys, in snapshots.
pub(crate) mod as_keys {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer};

    use super::{ALL, CUSTOM_KEYS};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<&'static str>>, D::Error> {
        let Some(keys) = Option::<Vec<String>>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let known = keys.iter().map(|key| {
            let of_all = ALL.iter().map(|account| account.key);
            of_all
                .chain(CUSTOM_KEYS)
                .find(|known| known == key)
                .ok_or_else(|| D::Error::custom("there is no account with this key"))
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
        offered(&ALL, auth, filters).map(|account| account.key).collect()
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
