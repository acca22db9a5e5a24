//! `/payment_initiation/consent/…`: <https://plaid.com/docs/api/products/payment-initiation/>.

use super::payment_rules::{
    ADDRESS, AMOUNT, BACS, IBAN, IDEMPOTENCY_KEY, REFERENCE, check_account, check_amount, check_reference,
};
use super::payments::{payment_error, payment_json};
use super::prelude::*;
use crate::spec::ids::{ENVIRONMENT, new_uuid};
use crate::spec::json::set;
use crate::spec::time_text;

request! {
    pub(super) struct Create {
        required recipient_id: TEXT => String,
        required reference: REFERENCE => String,
        optional user_id: TEXT,
        optional scopes: some(&SCOPE) => Vec<String>,
        optional r#type: Kind::OneOf(&["SWEEPING", "COMMERCIAL"]) => Option<String>,
        required constraints: Kind::Object(fields! {
            nullable valid_date_time: Kind::Object(fields! {
                nullable from: Kind::DateTime,
                nullable to: Kind::DateTime,
            }),
            required max_payment_amount: AMOUNT,
            required periodic_amounts: some(&Kind::Object(fields! {
                required amount: AMOUNT,
                required interval: Kind::OneOf(&["DAY", "WEEK", "MONTH", "YEAR"]),
                required alignment: Kind::OneOf(&["CALENDAR", "CONSENT"]),
            })),
        }) => Value,
        nullable options: Kind::Object(fields! {
            nullable request_refund_details: Kind::Bool,
            nullable iban: IBAN,
            nullable bacs: BACS,
        }) => Option<Value>,
        nullable payer_details: Kind::Object(fields! {
            required name: NON_EMPTY,
            required numbers: Kind::Object(fields! { nullable bacs: BACS, nullable iban: IBAN, }),
            nullable address: ADDRESS,
            nullable date_of_birth: Kind::Date,
            optional phone_numbers: TEXTS,
            optional emails: TEXTS,
        }) => Option<Value>,
    }

    pub(super) struct OfConsent {
        required consent_id: TEXT => String,
    }

    pub(super) struct Execute {
        required consent_id: TEXT => String,
        required amount: AMOUNT => Value,
        required idempotency_key: IDEMPOTENCY_KEY => String,
        nullable reference: REFERENCE => Option<String>,
        nullable scope: SCOPE,
        optional processing_mode: Kind::OneOf(&["ASYNC", "IMMEDIATE"]),
    }
}

const SCOPE: Kind = Kind::OneOf(&["ME_TO_ME", "EXTERNAL"]);

/// `/payment_initiation/consent/create`
pub(super) fn create(call: &Call<'_>, request: Create) -> Result<Value, PlaidError> {
    let most = request.constraints.get("max_payment_amount");
    let periodic = request
        .constraints
        .get("periodic_amounts")
        .and_then(Value::as_array);
    let amounts = periodic.into_iter().flatten().filter_map(|one| one.get("amount"));
    for amount in most.into_iter().chain(amounts) {
        if let Err(error) = check_amount(amount) {
            let why = format!("constraints: {}", error.message);
            return Err(payment_error("PAYMENT_CONSENT_INVALID_CONSTRAINTS", why));
        }
    }
    check_reference(&request.reference)?;
    let numbers = request
        .payer_details
        .as_ref()
        .and_then(|payer| payer.get("numbers"));
    for account in numbers.into_iter().chain(&request.options) {
        check_account(account.get("iban").and_then(Value::as_str), account.get("bacs"))?;
    }
    let mut state = call.simulator.state();
    let book = &mut state.payment_book;
    book.recipients
        .get(&call.client_id, &request.recipient_id, "recipient_id")?;
    let id = format!("consent-id-{ENVIRONMENT}-{}", new_uuid());
    let payer = request.payer_details.map(|payer| {
        json!({
            "name": payer.get("name"),
            "iban": payer.pointer("/numbers/iban"),
            "bacs": payer.pointer("/numbers/bacs"),
        })
    });
    let mut consent = json!({
        "consent_id": id,
        "status": "UNAUTHORISED",
        "created_at": time_text(call.now),
        "recipient_id": request.recipient_id,
        "reference": request.reference,
        "constraints": request.constraints,
        "scopes": request.scopes,
        "payer_details": payer,
    });
    if let Some(kind) = request.r#type {
        set(&mut consent, "type", json!(kind));
    }
    book.consents.keep(&call.client_id, &id, consent);
    Ok(json!({"consent_id": id, "status": "UNAUTHORISED"}))
}

/// `/payment_initiation/consent/get`
pub(super) fn get(call: &Call<'_>, request: OfConsent) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let consents = &mut state.payment_book.consents;
    consents
        .get(&call.client_id, &request.consent_id, "consent_id")
        .cloned()
}

/// `/payment_initiation/consent/revoke`
pub(super) fn revoke(call: &Call<'_>, request: OfConsent) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let consents = &mut state.payment_book.consents;
    let consent = consents.get(&call.client_id, &request.consent_id, "consent_id")?;
    set(consent, "status", json!("REVOKED"));
    Ok(json!({}))
}

/// `/payment_initiation/consent/payment/execute`
pub(super) fn execute(call: &Call<'_>, request: Execute) -> Result<Value, PlaidError> {
    let amount = check_amount(&request.amount)?;
    if let Some(reference) = &request.reference {
        check_reference(reference)?;
    }
    let mut state = call.simulator.state();
    let book = &mut state.payment_book;
    let repeat = format!("{}/{}", request.consent_id, request.idempotency_key);
    if let Ok(earlier) = book.repeats.get(&call.client_id, &repeat, "idempotency_key") {
        return Ok(earlier.clone());
    }
    let consent = book
        .consents
        .get(&call.client_id, &request.consent_id, "consent_id")?
        .clone();
    match consent.get("status").and_then(Value::as_str) {
        Some("AUTHORISED") => {}
        Some("REVOKED") => {
            return Err(payment_error(
                "PAYMENT_CONSENT_CANCELLED",
                "this consent was revoked",
            ));
        }
        _ => {
            return Err(PlaidError::invalid_field(
                "the person has not agreed to this consent in Link",
            ));
        }
    }
    let most = consent.pointer("/constraints/max_payment_amount");
    let most = most.cloned().unwrap_or_default();
    if most.get("currency") != request.amount.get("currency") || amount > check_amount(&most)? {
        return Err(payment_error(
            "PAYMENT_CONSENT_INVALID_CONSTRAINTS",
            "the payment is not within the consent's constraints",
        ));
    }
    let text = |name: &str| consent.get(name).and_then(Value::as_str).unwrap_or_default();
    let reference = request.reference.as_deref().unwrap_or_else(|| text("reference"));
    let id = format!("payment-id-{ENVIRONMENT}-{}", new_uuid());
    let mut payment = payment_json(&id, text("recipient_id"), reference, &request.amount);
    for (name, value) in [
        ("status", json!("PAYMENT_STATUS_INITIATED")),
        ("last_status_update", json!(time_text(call.now))),
        ("consent_id", json!(request.consent_id)),
    ] {
        set(&mut payment, name, value);
    }
    book.payments.keep(&call.client_id, &id, payment);
    let answer = json!({"payment_id": id, "status": "PAYMENT_STATUS_INITIATED"});
    book.repeats.keep(&call.client_id, &repeat, answer.clone());
    Ok(answer)
}
