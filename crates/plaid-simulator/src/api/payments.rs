//! `/payment_initiation/recipient/…` and `…/payment/…`:
//! <https://plaid.com/docs/api/products/payment-initiation/>.

use std::time::Duration;

use super::payment_rules::{
    ADDRESS, AMOUNT, BACS, IBAN, IDEMPOTENCY_KEY, REFERENCE, check_account, check_amount, check_reference,
    check_schedule,
};
use super::prelude::*;
use crate::spec::ids::{ENVIRONMENT, new_uuid};
use crate::spec::json::{set, text as text_of, with_nulls};
use crate::spec::time_text;

/// A payment token, which Link took before link tokens, lives this long.
const PAYMENT_TOKEN_LIFETIME: Duration = Duration::from_secs(15 * 60);

pub(super) fn payment_error(code: &'static str, message: impl Into<String>) -> PlaidError {
    PlaidError::new("PAYMENT_ERROR", code, message)
}

request! {
    pub(super) struct RecipientCreate {
        required name: NON_EMPTY => String,
        nullable iban: IBAN => Option<String>,
        nullable bacs: BACS => Option<Value>,
        nullable address: ADDRESS => Option<Value>,
    }

    pub(super) struct RecipientGet {
        required recipient_id: TEXT => String,
    }

    pub(super) struct RecipientList {
        nullable count: int(1, 100) => Option<usize>,
        optional cursor: text(0, 256) => String,
    }

    pub(super) struct PaymentCreate {
        required recipient_id: TEXT => String,
        required reference: REFERENCE => String,
        optional user_id: TEXT,
        required amount: AMOUNT => Value,
        nullable schedule: Kind::Object(fields! {
            required interval: Kind::OneOf(&["WEEKLY", "MONTHLY"]),
            required interval_execution_day: int(-5, 28),
            required start_date: Kind::Date,
            nullable end_date: Kind::Date,
            nullable adjusted_start_date: Kind::Date,
        }) => Option<Value>,
        nullable options: PaymentOptions::OBJECT => Option<PaymentOptions>,
    }

    pub(super) struct PaymentOptions {
        nullable request_refund_details: Kind::Bool,
        nullable iban: IBAN => Option<String>,
        nullable bacs: BACS => Option<Value>,
        nullable scheme: Kind::OneOf(&[
            "LOCAL_DEFAULT", "LOCAL_INSTANT", "SEPA_CREDIT_TRANSFER", "SEPA_CREDIT_TRANSFER_INSTANT",
        ]) => Option<String>,
    }

    pub(super) struct PaymentGet {
        required payment_id: TEXT => String,
    }

    pub(super) struct PaymentList {
        nullable count: int(1, 200) => Option<usize>,
        nullable cursor: Kind::DateTime => Option<String>,
        nullable consent_id: TEXT => Option<String>,
    }

    pub(super) struct PaymentReverse {
        required payment_id: TEXT => String,
        required idempotency_key: IDEMPOTENCY_KEY => String,
        required reference: text(6, 18) => String,
        nullable amount: AMOUNT => Option<Value>,
        nullable counterparty_date_of_birth: Kind::Date,
        nullable counterparty_address: ADDRESS,
    }
}

/// `/payment_initiation/recipient/create`
pub(super) fn recipient_create(call: &Call<'_>, request: RecipientCreate) -> Result<Value, PlaidError> {
    if request.iban.is_none() && request.bacs.is_none() {
        return Err(payment_error(
            "PAYMENT_INVALID_RECIPIENT",
            "a recipient needs an iban or bacs",
        ));
    }
    check_account(request.iban.as_deref(), request.bacs.as_ref())?;
    let id = format!("recipient-id-{ENVIRONMENT}-{}", new_uuid());
    let json = json!({
        "recipient_id": id,
        "name": request.name,
        "iban": request.iban,
        "bacs": request.bacs,
        "address": request.address,
    });
    let mut state = call.simulator.state();
    state.payment_book.recipients.keep(&call.client_id, &id, json);
    Ok(json!({"recipient_id": id}))
}

/// `/payment_initiation/recipient/get`
pub(super) fn recipient_get(call: &Call<'_>, request: RecipientGet) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let recipients = &mut state.payment_book.recipients;
    recipients
        .get(&call.client_id, &request.recipient_id, "recipient_id")
        .cloned()
}

/// `/payment_initiation/recipient/list`; the cursor is the last recipient that was given.
pub(super) fn recipient_list(call: &Call<'_>, request: RecipientList) -> Result<Value, PlaidError> {
    let count = request.count.unwrap_or(100);
    let state = call.simulator.state();
    let mut rest = state.payment_book.recipients.of(&call.client_id).peekable();
    refuse_if(
        !request.cursor.is_empty() && !rest.any(|known| text_of(known, "recipient_id") == request.cursor),
        "cursor was not found",
    )?;
    let recipients: Vec<_> = rest.by_ref().take(count).cloned().collect();
    let mut answer = json!({"recipients": recipients});
    if let (Some(last), Some(_)) = (recipients.last(), rest.peek()) {
        set(&mut answer, "next_cursor", json!(text_of(last, "recipient_id")));
    }
    Ok(answer)
}

/// `/payment_initiation/payment/create`
pub(super) fn payment_create(call: &Call<'_>, request: PaymentCreate) -> Result<Value, PlaidError> {
    check_amount(&request.amount)?;
    check_reference(&request.reference)?;
    if let Some(schedule) = &request.schedule {
        check_schedule(schedule, call.today())?;
    }
    if let Some(options) = &request.options {
        check_account(options.iban.as_deref(), options.bacs.as_ref())?;
    }
    let mut state = call.simulator.state();
    let book = &mut state.payment_book;
    book.recipients
        .get(&call.client_id, &request.recipient_id, "recipient_id")?;
    let options = request.options.unwrap_or_default();
    let mut schedule = request.schedule;
    if let Some(schedule) = &mut schedule {
        for name in ["end_date", "adjusted_start_date"] {
            let value = schedule.get(name).cloned().unwrap_or_default();
            set(schedule, name, value);
        }
    }
    let id = format!("payment-id-{ENVIRONMENT}-{}", new_uuid());
    let mut payment = payment_json(&id, &request.recipient_id, &request.reference, &request.amount);
    for (name, value) in [
        ("status", json!("PAYMENT_STATUS_INPUT_NEEDED")),
        ("last_status_update", json!(time_text(call.now))),
        ("schedule", json!(schedule)),
        ("iban", json!(options.iban)),
        ("bacs", json!(options.bacs)),
        ("scheme", json!(options.scheme)),
    ] {
        set(&mut payment, name, value);
    }
    book.payments.keep(&call.client_id, &id, payment);
    Ok(json!({"payment_id": id, "status": "PAYMENT_STATUS_INPUT_NEEDED"}))
}

/// Plaid's payment object, without what the two ways to make one decide.
pub(super) fn payment_json(id: &str, recipient_id: &str, reference: &str, amount: &Value) -> Value {
    let json = json!({
        "payment_id": id,
        "amount": amount,
        "recipient_id": recipient_id,
        "reference": reference,
    });
    with_nulls(
        json,
        "adjusted_reference schedule refund_details bacs iban refund_ids wallet_id scheme adjusted_scheme consent_id \
         transaction_id end_to_end_id",
    )
}

/// `/payment_initiation/payment/get`
pub(super) fn payment_get(call: &Call<'_>, request: PaymentGet) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let payments = &mut state.payment_book.payments;
    payments
        .get(&call.client_id, &request.payment_id, "payment_id")
        .cloned()
}

/// `/payment_initiation/payment/token/create`
pub(super) fn token_create(call: &Call<'_>, request: PaymentGet) -> Result<Value, PlaidError> {
    let mut state = call.simulator.state();
    let payments = &mut state.payment_book.payments;
    payments.get(&call.client_id, &request.payment_id, "payment_id")?;
    Ok(json!({
        "payment_token": format!("payment-token-{ENVIRONMENT}-{}", new_uuid()),
        "payment_token_expiration_time": time_text(call.now.plus(PAYMENT_TOKEN_LIFETIME)),
    }))
}

/// `/payment_initiation/payment/list`, newest first; the cursor is a moment, and older payments are given.
pub(super) fn payment_list(call: &Call<'_>, request: PaymentList) -> Result<Value, PlaidError> {
    let before = request
        .cursor
        .and_then(|cursor| cursor.parse::<jiff::Timestamp>().ok());
    let moment = |payment: &Value| {
        let text = text_of(payment, "last_status_update");
        text.parse::<jiff::Timestamp>().ok()
    };
    let state = call.simulator.state();
    let mut found = state
        .payment_book
        .payments
        .of(&call.client_id)
        .filter(|payment| before.is_none() || moment(payment) < before)
        .filter(|payment| {
            let consent_id = request.consent_id.as_deref();
            consent_id.is_none_or(|consent_id| text_of(payment, "consent_id") == consent_id)
        })
        .peekable();
    let payments: Vec<_> = found
        .by_ref()
        .take(request.count.unwrap_or(10))
        .cloned()
        .collect();
    let next = payments.last().filter(|_| found.peek().is_some());
    let next_cursor = next.map(|payment| text_of(payment, "last_status_update"));
    Ok(json!({"payments": payments, "next_cursor": next_cursor}))
}

/// `/payment_initiation/payment/reverse`
pub(super) fn payment_reverse(call: &Call<'_>, request: PaymentReverse) -> Result<Value, PlaidError> {
    check_reference(&request.reference)?;
    if let Some(amount) = &request.amount {
        check_amount(amount)?;
    }
    let mut state = call.simulator.state();
    let book = &mut state.payment_book;
    let repeat = format!("{}/{}", request.payment_id, request.idempotency_key);
    if let Ok(earlier) = book.repeats.get(&call.client_id, &repeat, "idempotency_key") {
        return Ok(earlier.clone());
    }
    let payment = book
        .payments
        .get(&call.client_id, &request.payment_id, "payment_id")?;
    let paid = matches!(
        text_of(payment, "status"),
        "PAYMENT_STATUS_INITIATED" | "PAYMENT_STATUS_EXECUTED" | "PAYMENT_STATUS_SETTLED"
    );
    refuse_if(
        !paid || !payment.get("refund_ids").is_some_and(Value::is_null),
        "this payment was not made, or was reversed before",
    )?;
    let whole = payment.get("amount").cloned().unwrap_or_default();
    let amount = request.amount.unwrap_or_else(|| whole.clone());
    refuse_if(
        amount.get("currency") != whole.get("currency") || check_amount(&amount)? > check_amount(&whole)?,
        "amount must be in the payment's currency and at most what was paid",
    )?;
    let refund_id = format!("wallet-transaction-id-{ENVIRONMENT}-{}", new_uuid());
    set(payment, "refund_ids", json!([refund_id]));
    set(payment, "amount_refunded", amount);
    let answer = json!({"refund_id": refund_id, "status": "INITIATED"});
    book.repeats.keep(&call.client_id, &repeat, answer.clone());
    Ok(answer)
}
