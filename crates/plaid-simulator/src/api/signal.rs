//! `/signal/evaluate`: <https://plaid.com/docs/api/products/signal/>.

use super::prelude::*;
use super::reading::account;
use crate::data::Money;
use crate::simulator::ledger_view::accounts_now;
use crate::spec::guesses::SignalScores;
use crate::spec::{ids, time_text};

request! {
    pub(super) struct Evaluate {
        required access_token: TEXT => String,
        required account_id: TEXT => String,
        required client_transaction_id: text(1, 36) => String,
        required amount: Kind::Number => Money,
        nullable user_present: Kind::Bool,
        optional client_user_id: TEXT,
        nullable is_recurring: Kind::Bool,
        nullable default_payment_method: TEXT,
        optional user: Kind::Object(fields! {
            nullable name: Kind::Object(fields! {
                nullable prefix: TEXT,
                nullable given_name: TEXT,
                nullable middle_name: TEXT,
                nullable family_name: TEXT,
                nullable suffix: TEXT,
            }),
            nullable phone_number: TEXT,
            nullable email_address: TEXT,
            nullable address: Kind::Object(fields! {
                optional city: TEXT,
                nullable region: TEXT,
                optional street: TEXT,
                nullable postal_code: TEXT,
                nullable country: TEXT,
            }),
        }),
        optional device: Kind::Object(fields! { nullable ip_address: TEXT, nullable user_agent: TEXT, }),
        nullable risk_profile_key: TEXT,
        nullable ruleset_key: TEXT => Option<String>,
    }
}

/// `/signal/evaluate`. Sandbox scores are random; here they are a function of `client_transaction_id`.
pub(super) fn evaluate(call: &Call<'_>, request: Evaluate) -> Result<Value, PlaidError> {
    refuse_if(request.amount < Money::ZERO, "amount must not be negative")?;
    call.read(&request.access_token, "signal", |item| {
        let account = account(item, &request.account_id)?;
        if !account.has_numbers() {
            return Err(PlaidError::no_accounts("NO_AUTH_ACCOUNTS", "checking or savings"));
        }
        let now = accounts_now(call.simulator, item, &[account], call.now);
        let account = now.first().unwrap_or(account);
        let random = (call.guesses.signal_scores == SignalScores::Random).then(ids::new_uuid);
        let score = |kind: &str| {
            let of = random.as_deref().unwrap_or(&request.client_transaction_id);
            let text = format!("{kind}{of}");
            text.bytes()
                .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
                % 99
                + 1
        };
        let (customer, bank) = (score("customer"), score("bank"));
        let short = account
            .available
            .is_some_and(|available| available < request.amount);
        let result = match customer.max(bank) {
            _ if short => "REROUTE",
            91.. => "REROUTE",
            76..=90 => "REVIEW",
            _ => "ACCEPT",
        };
        Ok(json!({
            "scores": {
                "customer_initiated_return_risk": {"score": customer, "risk_tier": 1 + customer / 25},
                "bank_initiated_return_risk": {"score": bank, "risk_tier": 1 + bank / 13},
            },
            "core_attributes": {
                "available_balance": account.available.map(Money::json),
                "current_balance": account.current.json(),
                "balance_last_updated": time_text(call.now),
                "is_savings_or_money_market_account": account.subtype == "savings",
                "days_since_first_plaid_connection": call.now.since(item.created_at).as_secs() / 86_400,
                "total_plaid_connections_count": 1,
                "is_account_closed": false,
            },
            "ruleset": {
                "ruleset_key": request.ruleset_key.as_deref().unwrap_or("default"),
                "result": result,
                "triggered_rule_details": null,
            },
            "warnings": [],
        }))
    })
}
