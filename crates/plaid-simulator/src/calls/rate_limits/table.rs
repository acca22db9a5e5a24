//! The limits that Plaid lists for its Sandbox.

use super::{Limit, Of, Per, Rule};

const fn rule(most: u32, of: Of, per: Per) -> Rule {
    Rule { most, of, per }
}

const fn item(most: u32) -> Rule {
    rule(most, Of::Item, Per::Minute)
}

const fn client(most: u32) -> Rule {
    rule(most, Of::Client, Per::Minute)
}

const fn report(most: u32) -> Rule {
    rule(most, Of::AssetReport, Per::Minute)
}

const fn limit(path: &'static str, error_code: &'static str, rules: &'static [Rule]) -> Limit {
    Limit {
        path,
        error_code,
        rules,
    }
}

/// For the paths that are not listed, when a guess says so.
pub(super) const EVERYWHERE: Limit = limit("", "RATE_LIMIT", &[rule(30, Of::Client, Per::Second)]);

#[rustfmt::skip]
pub(super) const LIMITS: &[Limit] = &[
    limit("/accounts/get", "ACCOUNTS_LIMIT", &[item(100), client(5_000)]),
    limit("/accounts/balance/get", "BALANCE_LIMIT", &[item(25), client(100)]),
    limit("/auth/get", "AUTH_LIMIT", &[item(100), client(500)]),
    limit("/identity/get", "IDENTITY_LIMIT", &[item(100), client(1_000)]),
    limit("/item/get", "ITEM_GET_LIMIT", &[item(40), client(5_000)]),
    limit("/item/remove", "RATE_LIMIT", &[item(100), client(500)]),
    limit("/transactions/sync", "TRANSACTIONS_SYNC_LIMIT", &[item(50), client(1_000)]),
    limit("/transactions/get", "TRANSACTIONS_LIMIT", &[item(80), client(1_000)]),
    limit("/investments/holdings/get", "INVESTMENT_HOLDINGS_GET_LIMIT", &[item(100), client(1_000)]),
    limit("/investments/transactions/get", "INVESTMENT_TRANSACTIONS_LIMIT", &[item(100), client(1_000)]),
    limit("/liabilities/get", "RATE_LIMIT", &[item(10), client(1_000)]),
    limit("/institutions/get_by_id", "INSTITUTIONS_GET_BY_ID_LIMIT", &[client(400)]),
    limit("/institutions/get", "INSTITUTIONS_GET_LIMIT", &[client(10)]),
    limit("/asset_report/create", "RATE_LIMIT", &[client(100)]),
    limit("/asset_report/get", "RATE_LIMIT", &[report(1_000), client(1_000)]),
    // Plaid does not publish the Sandbox's figures: these are Production's.
    limit("/asset_report/pdf/get", "RATE_LIMIT", &[report(15), client(50)]),
    limit("/statements/list", "RATE_LIMIT", &[client(100)]),
    limit("/statements/download", "RATE_LIMIT", &[client(50)]),
    limit("/signal/evaluate", "RATE_LIMIT", &[rule(10, Of::Transaction, Per::Hour), rule(70, Of::Item, Per::Hour), rule(30, Of::Client, Per::Second)]),
    limit("/transfer/authorization/create", "RATE_LIMIT", &[rule(100, Of::Item, Per::Hour), client(100)]),
    limit("/transfer/create", "RATE_LIMIT", &[client(100)]),
    // Told as 100 to 240, without saying which path has which.
    limit("/payment_initiation/payment/create", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/payment/get", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/payment/list", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/payment/reverse", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/payment/token/create", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/recipient/create", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/recipient/get", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/recipient/list", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/consent/create", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/consent/get", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/consent/revoke", "RATE_LIMIT", &[client(100)]),
    limit("/payment_initiation/consent/payment/execute", "RATE_LIMIT", &[client(100)]),
];
