//! `/transfer/…`: <https://plaid.com/docs/api/products/transfer/initiating-transfers/>.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Call;
use super::reading::account;
use crate::data::accounts::Account;
use crate::data::money::Money;
use crate::items::transfers::Authorization;
use crate::simulator::ledger_view::accounts_now;
use crate::spec::error::PlaidError;
use crate::spec::guesses::TransferWithAuth;
use crate::spec::ids::{new_uuid, time_text};

#[derive(Deserialize)]
struct Authorize {
    access_token: String,
    account_id: String,
    #[serde(rename = "type")]
    kind: String,
    network: String,
    amount: String,
    ach_class: Option<String>,
    user: Map<String, Value>,
    wire_details: Option<Value>,
    funding_account_id: Option<String>,
    ledger_id: Option<String>,
    idempotency_key: Option<String>,
    originator_client_id: Option<String>,
}

/// `/transfer/authorization/create`. The Sandbox decides by the available balance and the state of the Item.
pub(super) fn authorize(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Authorize = call.take()?;
    let amount = Money::parse(&request.amount)
        .filter(|amount| *amount > Money::ZERO)
        .ok_or_else(|| PlaidError::invalid_field("amount must be like \"10.00\", and more than nothing"))?;
    if matches!(&*request.network, "ach" | "same-day-ach") && request.ach_class.is_none() {
        return Err(PlaidError::missing_fields(&["ach_class".to_owned()]));
    }
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    item.permitted(&call.guesses)?;
    call.check_enabled("transfer")?;
    let refusal = call.guesses.missing_consent;
    item.enable("transfer", refusal)
        .or_else(|error| match call.guesses.transfer_with_auth {
            TransferWithAuth::Allowed => item.enable("auth", refusal).map_err(|_| error),
            TransferWithAuth::Refused => Err(error),
        })?;
    item.verified(call.now)?;
    let account = transferable(account(item, &request.account_id)?)?;
    let of_now = accounts_now(call.simulator, item, &[account], call.now);
    let account = of_now.first().unwrap_or(account);
    let decision = if item.draft().is_manual() && !item.login_required(call.now) {
        Some(MANUAL)
    } else {
        decide(item.login_required(call.now), account, amount, &request.kind)
    };
    let item_id = item.id().to_owned();
    let key = request.idempotency_key.as_deref().filter(|key| !key.is_empty());
    let earlier = key.and_then(|key| state.transfers.earlier(&call.client_id, key, call.now));
    if let Some(earlier) = earlier {
        return Ok(json!({"authorization": earlier.json}));
    }
    let id = new_uuid();
    let approved = decision.is_none_or(|(decision, _, _)| decision == MANUAL.0);
    let json = authorization_json(&id, &call, &request, decision);
    state.transfers.keep(
        &id,
        key,
        Authorization {
            client_id: call.client_id.to_string(),
            item_id,
            account_id: request.account_id,
            created_at: call.now,
            approved,
            json: json.clone(),
            transfer: None,
        },
    );
    Ok(json!({"authorization": json}))
}

fn transferable(account: &Account) -> Result<&Account, PlaidError> {
    if account.has_numbers() {
        return Ok(account);
    }
    Err(PlaidError::new(
        "TRANSFER_ERROR",
        "TRANSFER_UNSUPPORTED_ACCOUNT_TYPE",
        "transfers need a checking, savings or cash management account",
    ))
}

/// Of an account whose numbers were typed in Plaid knows no balance, approves, and says so.
const MANUAL: (&str, &str, &str) = (
    "approved",
    "MANUALLY_VERIFIED_ITEM",
    "Nobody logged in for this Item, so the account's balance is not known.",
);

/// Why not; `None` when the transfer is approved.
fn decide(
    login_required: bool,
    account: &Account,
    amount: Money,
    kind: &str,
) -> Option<(&'static str, &'static str, &'static str)> {
    let available = account.available.unwrap_or(account.current);
    if login_required {
        return Some((
            "user_action_required",
            "ITEM_LOGIN_REQUIRED",
            "The person has to log in again with Link's update mode.",
        ));
    }
    if kind == "credit" {
        None
    } else if available == Money::ZERO {
        Some(("declined", "RISK", "The transfer is too risky."))
    } else if amount > available {
        Some(("declined", "NSF", "The account has not enough money."))
    } else {
        None
    }
}

fn authorization_json(
    id: &str,
    call: &Call<'_>,
    request: &Authorize,
    decision: Option<(&'static str, &'static str, &'static str)>,
) -> Value {
    let mut proposed = json!({
        "account_id": request.account_id,
        "funding_account_id": request.funding_account_id,
        "ledger_id": request.ledger_id,
        "type": request.kind,
        "user": user(&request.user),
        "amount": request.amount,
        "requested_amount": request.amount,
        "network": request.network,
        "wire_details": request.wire_details,
        "origination_account_id": "",
        "iso_currency_code": "USD",
        "originator_client_id": request.originator_client_id,
        "credit_funds_source": null,
    });
    if let (Some(class), Some(proposed)) = (&request.ach_class, proposed.as_object_mut()) {
        proposed.insert("ach_class".to_owned(), json!(class));
    }
    json!({
        "id": id,
        "created": time_text(call.now),
        "decision": decision.map_or("approved", |(decision, _, _)| decision),
        "decision_rationale":
            decision.map(|(_, code, description)| json!({"code": code, "description": description})),
        "guarantee_decision": null,
        "guarantee_decision_rationale": null,
        "payment_risk": null,
        "proposed_transfer": proposed,
    })
}

/// The user with all keys that answers have.
fn user(given: &Map<String, Value>) -> Value {
    let address = given.get("address").and_then(Value::as_object).map(|address| {
        json!({
            "street": address.get("street"),
            "city": address.get("city"),
            "region": address.get("region"),
            "postal_code": address.get("postal_code"),
            "country": address.get("country"),
        })
    });
    json!({
        "legal_name": given.get("legal_name"),
        "phone_number": given.get("phone_number"),
        "email_address": given.get("email_address"),
        "address": address,
    })
}

#[derive(Deserialize)]
struct Create {
    access_token: String,
    account_id: String,
    authorization_id: String,
    description: String,
    amount: Option<String>,
    metadata: Option<Map<String, Value>>,
}

/// `/transfer/create`
pub(super) fn create(mut call: Call<'_>) -> Result<Value, PlaidError> {
    let request: Create = call.take()?;
    if let Some(metadata) = &request.metadata {
        check_metadata(metadata)?;
    }
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, &request.access_token, &call.guesses)?;
    item.permitted(&call.guesses)?;
    let item_id = item.id().to_owned();
    let authorization = state.transfers.usable(
        &call.client_id,
        &request.authorization_id,
        &request.account_id,
        call.now,
    )?;
    if authorization.item_id != item_id {
        return Err(PlaidError::invalid_field(
            "authorization_id belongs to another Item",
        ));
    }
    if let Some(transfer) = &authorization.transfer {
        return Ok(json!({"transfer": transfer}));
    }
    let proposed = authorization.json.get("proposed_transfer").cloned();
    let mut transfer = proposed.unwrap_or_default();
    let authorized = transfer
        .get("amount")
        .and_then(Value::as_str)
        .and_then(Money::parse);
    let amount = request.amount.as_deref().map(Money::parse);
    if amount.is_some_and(|amount| amount.is_none_or(|amount| Some(amount) > authorized)) {
        return Err(PlaidError::invalid_field(
            "amount must be like \"10.00\" and at most what was authorized",
        ));
    }
    if let Some(fields) = transfer.as_object_mut() {
        // Only authorizations tell it.
        fields.remove("requested_amount");
        for (name, value) in [
            ("id", json!(new_uuid())),
            ("authorization_id", json!(request.authorization_id)),
            ("description", json!(request.description)),
            ("created", json!(time_text(call.now))),
            ("status", json!("pending")),
            ("sweep_status", json!("unswept")),
            ("cancellable", json!(true)),
            ("failure_reason", Value::Null),
            ("metadata", json!(request.metadata)),
            ("guarantee_decision", Value::Null),
            ("guarantee_decision_rationale", Value::Null),
            ("standard_return_window", Value::Null),
            ("unauthorized_return_window", Value::Null),
            ("expected_settlement_date", Value::Null),
            ("expected_funds_available_date", Value::Null),
            ("refunds", json!([])),
            ("recurring_transfer_id", Value::Null),
            ("expected_sweep_settlement_schedule", json!([])),
            ("network_trace_id", Value::Null),
        ] {
            fields.insert(name.to_owned(), value);
        }
        if let Some(amount) = request.amount {
            fields.insert("amount".to_owned(), json!(amount));
        }
    }
    authorization.transfer = Some(transfer.clone());
    Ok(json!({"transfer": transfer}))
}

/// At most 50 pairs of ASCII text, names of 40 and values of 500 characters.
fn check_metadata(metadata: &Map<String, Value>) -> Result<(), PlaidError> {
    let good = |name: &str, value: &Value| {
        name.len() <= 40
            && name.is_ascii()
            && value
                .as_str()
                .is_some_and(|value| value.len() <= 500 && value.is_ascii())
    };
    if metadata.len() <= 50 && metadata.iter().all(|(name, value)| good(name, value)) {
        return Ok(());
    }
    Err(PlaidError::invalid_field(
        "metadata must have at most 50 pairs of ASCII text: names of at most 40, values of at most 500 characters",
    ))
}
