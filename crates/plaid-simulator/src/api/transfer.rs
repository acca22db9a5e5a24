//! `/transfer/…`: <https://plaid.com/docs/api/products/transfer/initiating-transfers/>.

use serde_json::Map;

use super::prelude::*;
use super::reading::account;
use crate::data::{Account, Money};
use crate::items::transfers::Authorization;
use crate::simulator::ledger_view::accounts_now;
use crate::spec::guesses::TransferWithAuth;
use crate::spec::ids::new_uuid;
use crate::spec::json::{set, with_nulls};
use crate::spec::time_text;

const TYPE: Kind = Kind::OneOf(&["debit", "credit"]);
const NETWORK: Kind = Kind::OneOf(&["ach", "same-day-ach", "rtp", "wire"]);
const ACH_CLASS: Kind = Kind::OneOf(&["ccd", "ppd", "tel", "web"]);
const KEY: Kind = text(0, 50);
const CURRENCY: Kind = Kind::OneOf(&["USD"]);
const ADDRESS: Kind = Kind::Object(fields! {
    optional street: TEXT,
    optional city: TEXT,
    optional region: TEXT,
    optional postal_code: TEXT,
    optional country: TEXT,
});

request! {
    pub(super) struct Authorize {
        required access_token: TEXT => String,
        required account_id: TEXT => String,
        required r#type: TYPE => String,
        required network: NETWORK => String,
        required amount: TEXT => String,
        required user: Kind::Object(fields! {
            required legal_name: NON_EMPTY,
            optional phone_number: TEXT,
            optional email_address: TEXT,
            optional address: ADDRESS,
        }) => Map<String, Value>,
        nullable funding_account_id: TEXT => Option<String>,
        nullable ledger_id: TEXT => Option<String>,
        optional payment_profile_token: TEXT,
        optional ach_class: ACH_CLASS => Option<String>,
        nullable wire_details: Kind::Object(fields! {
            nullable message_to_beneficiary: TEXT,
            nullable wire_return_fee: TEXT,
        }) => Option<Value>,
        optional device: Kind::Object(fields! { optional ip_address: TEXT, optional user_agent: TEXT, }),
        optional origination_account_id: TEXT,
        optional iso_currency_code: CURRENCY,
        nullable idempotency_key: KEY => Option<String>,
        nullable user_present: Kind::Bool,
        nullable with_guarantee: Kind::Bool,
        nullable request_guarantee: Kind::Bool,
        nullable beacon_session_id: TEXT,
        nullable originator_client_id: TEXT => Option<String>,
        nullable credit_funds_source: Kind::OneOf(&["sweep", "prefunded_rtp_credits", "prefunded_ach_credits"]),
        nullable test_clock_id: TEXT,
        nullable ruleset_key: TEXT,
        nullable custom_attributes: Kind::AnyObject,
        optional user_attributes: Kind::Object(fields! {
            nullable account_created_time: Kind::DateTime,
            nullable successful_payment_count: FROM_ZERO,
        }),
    }

    pub(super) struct Create {
        required access_token: TEXT => String,
        required account_id: TEXT => String,
        required authorization_id: TEXT => String,
        required description: text(1, 15) => String,
        optional idempotency_key: KEY,
        optional r#type: TYPE,
        optional network: NETWORK,
        optional amount: TEXT => Option<String>,
        optional ach_class: ACH_CLASS,
        nullable user: Kind::Object(fields! {
            optional legal_name: TEXT,
            optional phone_number: TEXT,
            optional email_address: TEXT,
            optional address: ADDRESS,
        }),
        nullable metadata: Kind::AnyObject => Option<Map<String, Value>>,
        nullable origination_account_id: TEXT,
        optional iso_currency_code: CURRENCY,
        nullable test_clock_id: TEXT,
        optional facilitator_fee: TEXT,
    }
}

/// `/transfer/authorization/create`. The Sandbox decides by the available balance and the state of the Item.
pub(super) fn authorize(call: &Call<'_>, request: Authorize) -> Result<Value, PlaidError> {
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
    let decision = if item.draft.is_manual() && !item.login_required(call.now) {
        Some(MANUAL)
    } else {
        decide(item.login_required(call.now), account, amount, &request.r#type)
    };
    let item_id = item.id().to_owned();
    let key = request.idempotency_key.as_deref().filter(|key| !key.is_empty());
    let earlier = key.and_then(|key| state.transfers.earlier(&call.client_id, key, call.now));
    if let Some(earlier) = earlier {
        return Ok(json!({"authorization": earlier.json}));
    }
    let id = new_uuid();
    let approved = decision.is_none_or(|(decision, _, _)| decision == MANUAL.0);
    let json = authorization_json(&id, call, &request, decision);
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
    Err(PlaidError::transfer_unsupported_account())
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
        "type": request.r#type,
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
    if let Some(class) = &request.ach_class {
        set(&mut proposed, "ach_class", &**class);
    }
    let json = json!({
        "id": id,
        "created": time_text(call.now),
        "decision": decision.map_or("approved", |(decision, _, _)| decision),
        "decision_rationale":
            decision.map(|(_, code, description)| json!({"code": code, "description": description})),
        "proposed_transfer": proposed,
    });
    with_nulls(
        json,
        "guarantee_decision guarantee_decision_rationale payment_risk",
    )
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

/// `/transfer/create`
pub(super) fn create(call: &Call<'_>, request: Create) -> Result<Value, PlaidError> {
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
    refuse_if(
        authorization.item_id != item_id,
        "authorization_id belongs to another Item",
    )?;
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
    refuse_if(
        amount.is_some_and(|amount| amount.is_none_or(|amount| Some(amount) > authorized)),
        "amount must be like \"10.00\" and at most what was authorized",
    )?;
    if let Some(fields) = transfer.as_object_mut() {
        // Only authorizations have it.
        fields.remove("requested_amount");
    }
    for (name, value) in [
        ("id", json!(new_uuid())),
        ("authorization_id", json!(request.authorization_id)),
        ("description", json!(request.description)),
        ("created", json!(time_text(call.now))),
        ("status", json!("pending")),
        ("sweep_status", json!("unswept")),
        ("cancellable", json!(true)),
        ("metadata", json!(request.metadata)),
        ("refunds", json!([])),
        ("expected_sweep_settlement_schedule", json!([])),
    ] {
        set(&mut transfer, name, value);
    }
    if let Some(amount) = request.amount {
        set(&mut transfer, "amount", amount);
    }
    let transfer = with_nulls(
        transfer,
        "failure_reason guarantee_decision guarantee_decision_rationale standard_return_window \
         unauthorized_return_window expected_settlement_date expected_funds_available_date recurring_transfer_id \
         network_trace_id",
    );
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
