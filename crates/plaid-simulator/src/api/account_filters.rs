//! The filters of accounts that `/link/token/create` takes.

use crate::spec::fields::{Field, Kind, optional, required};
use crate::spec::subtypes;

const fn of_type(words: &'static Kind) -> Field {
    required("account_subtypes", Kind::List { of: words, min: 0 })
}

const DEPOSITORY: Kind = Kind::Settings(&[
    of_type(&Kind::OneOf(subtypes::DEPOSITORY)),
    optional(
        "limited_purpose_types",
        Kind::List {
            of: &Kind::OneOf(&["RENT_MORTGAGE"]),
            min: 0,
        },
    ),
]);
const CREDIT: Kind = Kind::Settings(&[of_type(&Kind::OneOf(subtypes::CREDIT))]);
const LOAN: Kind = Kind::Settings(&[of_type(&Kind::OneOf(subtypes::LOAN))]);
const INVESTMENT: Kind = Kind::Settings(&[of_type(&Kind::OneOf(subtypes::INVESTMENT))]);
const OTHER: Kind = Kind::Settings(&[of_type(&Kind::OneOf(subtypes::OTHER))]);

/// Which accounts Link shows: <https://plaid.com/docs/api/accounts/#account-type-schema>.
pub(super) const ACCOUNT_FILTERS: Kind = Kind::Settings(&[
    optional("depository", DEPOSITORY),
    optional("credit", CREDIT),
    optional("loan", LOAN),
    optional("investment", INVESTMENT),
    optional("other", OTHER),
]);
