//! The subtypes that each type of account can have: <https://plaid.com/docs/api/accounts/#account-type-schema>. Filters may name
//! them, and [`ALL`], which is no account's.

/// What stands in a filter for all subtypes of its type; the last word of each list.
pub(crate) const ALL: &str = "all";

#[rustfmt::skip]
pub(crate) const DEPOSITORY: &[&str] = &[
    "checking", "savings", "hsa", "cd", "money market", "paypal", "prepaid", "cash management", "ebt",
    "limited purpose checking", ALL,
];

pub(crate) const CREDIT: &[&str] = &["credit card", "paypal", ALL];

#[rustfmt::skip]
pub(crate) const LOAN: &[&str] = &[
    "auto", "business", "commercial", "construction", "consumer", "home equity", "loan", "mortgage",
    "overdraft", "line of credit", "student", "other", ALL,
];

#[rustfmt::skip]
pub(crate) const INVESTMENT: &[&str] = &[
    "529", "401a", "401k", "403B", "457b", "brokerage", "cash isa", "crypto exchange",
    "education savings account", "fhsa", "fixed annuity", "gic", "health reimbursement arrangement", "hsa",
    "ira", "isa", "keogh", "lif", "life insurance", "line of credit", "lira", "lrif", "lrsp", "mutual fund",
    "non-custodial wallet", "non-taxable brokerage account", "other", "other annuity", "other insurance",
    "pension", "prif", "profit sharing plan", "qshr", "rdsp", "resp", "retirement", "rlif", "roth",
    "roth 401k", "roth 403B", "roth 457b", "roth pension", "roth profit sharing plan",
    "roth thrift savings plan", "rrif", "rrsp", "sarsep", "sep ira", "simple ira", "sipp", "stock plan",
    "thrift savings plan", "tfsa", "trust", "ugma", "utma", "variable annuity", ALL,
];

pub(crate) const OTHER: &[&str] = &["other", ALL];
