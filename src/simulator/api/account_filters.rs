//! The subtypes of accounts that `account_filters` of `/link/token/create` may name.

use crate::simulator::fields::{Kind, optional, required};

/// One type of accounts, with these subtypes.
macro_rules! subtypes {
    ($($name:literal),+ $(,)?) => {
        Kind::Settings(&[required(
            "account_subtypes",
            Kind::List {
                of: &Kind::OneOf(&[$($name),+]),
                min: 0,
            },
        )])
    };
}

const DEPOSITORY: Kind = Kind::Settings(&[
    required(
        "account_subtypes",
        Kind::List {
            of: &Kind::OneOf(&[
                "checking",
                "savings",
                "hsa",
                "cd",
                "money market",
                "paypal",
                "prepaid",
                "cash management",
                "ebt",
                "limited purpose checking",
                "all",
            ]),
            min: 0,
        },
    ),
    optional(
        "limited_purpose_types",
        Kind::List {
            of: &Kind::OneOf(&["RENT_MORTGAGE"]),
            min: 0,
        },
    ),
]);

const CREDIT: Kind = subtypes!("credit card", "paypal", "all");

const LOAN: Kind = subtypes!(
    "auto",
    "business",
    "commercial",
    "construction",
    "consumer",
    "home equity",
    "loan",
    "mortgage",
    "overdraft",
    "line of credit",
    "student",
    "other",
    "all"
);

const INVESTMENT: Kind = subtypes!(
    "529",
    "401a",
    "401k",
    "403B",
    "457b",
    "brokerage",
    "cash isa",
    "crypto exchange",
    "education savings account",
    "fhsa",
    "fixed annuity",
    "gic",
    "health reimbursement arrangement",
    "hsa",
    "ira",
    "isa",
    "keogh",
    "lif",
    "life insurance",
    "line of credit",
    "lira",
    "lrif",
    "lrsp",
    "mutual fund",
    "non-custodial wallet",
    "non-taxable brokerage account",
    "other",
    "other annuity",
    "other insurance",
    "pension",
    "prif",
    "profit sharing plan",
    "qshr",
    "rdsp",
    "resp",
    "retirement",
    "rlif",
    "roth",
    "roth 401k",
    "roth 403B",
    "roth 457b",
    "roth pension",
    "roth profit sharing plan",
    "roth thrift savings plan",
    "rrif",
    "rrsp",
    "sarsep",
    "sep ira",
    "simple ira",
    "sipp",
    "stock plan",
    "thrift savings plan",
    "tfsa",
    "trust",
    "ugma",
    "utma",
    "variable annuity",
    "all"
);

const OTHER: Kind = subtypes!("other", "all");

/// Which accounts Link shows: <https://plaid.com/docs/api/accounts/#account-type-schema>.
pub(super) const ACCOUNT_FILTERS: Kind = Kind::Settings(&[
    optional("depository", DEPOSITORY),
    optional("credit", CREDIT),
    optional("loan", LOAN),
    optional("investment", INVESTMENT),
    optional("other", OTHER),
]);
