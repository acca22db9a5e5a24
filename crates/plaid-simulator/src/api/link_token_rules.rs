//! The rules of `/link/token/create` beyond the form of single fields: <https://plaid.com/docs/api/link/#linktokencreate>.

use jiff::civil::Date;

use super::prelude::*;
use crate::data::calendar::{date_of, day_of};
use crate::items::link_request::{HostedLink, User};
use crate::items::payment_book::PaymentBook;
use crate::items::{Item, LinkRequest};
use crate::spec::Guesses;
use crate::spec::contact::{is_mail, is_phone};
use crate::spec::guesses::{DeliveredPage, MisplacedField, SettingsErrors, UserContacts};

/// What can be judged by the request alone.
pub(super) fn check(request: &LinkRequest, call: &Call<'_>) -> Result<(), PlaidError> {
    let guesses = &call.guesses;
    if let Some(user) = &request.user {
        check_contacts(user, guesses)?;
        check_identity(user, request, guesses)?;
    }
    if let Some(hosted) = &request.hosted_link {
        check_delivery(hosted, request, guesses)?;
    }
    if request.account_filters.is_some() && request.access_token.is_some() && !request.selects_accounts() {
        let why = "account_filters of an update need update.account_selection_enabled";
        misplaced(why, guesses)?;
    }
    if let Some(flaw) = request
        .statements
        .and_then(|period| period.flaw(callers_today(call)))
    {
        return Err(misconfigured("statements", flaw, guesses));
    }
    if let (true, Some(payment)) = (request.is_payment(), &request.payment_initiation) {
        let given = |name| payment.get(name).is_some_and(Value::is_string);
        if given("payment_id") == given("consent_id") {
            let why = "one of payment_id and consent_id must be given";
            return Err(misconfigured("payment_initiation", why, guesses));
        }
    }
    Ok(())
}

/// The day by the clock on the caller's wall, which the simulator's own may be ahead of.
pub(super) fn callers_today(call: &Call<'_>) -> Date {
    date_of(day_of(call.simulator.0.clock.wall()))
}

/// Link is for a payment or consent that this client has made.
pub(super) fn check_payment(
    request: &LinkRequest,
    client_id: &str,
    book: &mut PaymentBook,
) -> Result<(), PlaidError> {
    let Some(payment) = request
        .payment_initiation
        .as_ref()
        .filter(|_| request.is_payment())
    else {
        return Ok(());
    };
    let id = |name| payment.get(name).and_then(Value::as_str);
    if let Some(id) = id("payment_id") {
        book.payments
            .get(client_id, id, "payment_initiation.payment_id")?;
    }
    if let Some(id) = id("consent_id") {
        book.consents
            .get(client_id, id, "payment_initiation.consent_id")?;
    }
    Ok(())
}

/// An Item of asset reports keeps the accounts that it has (<https://plaid.com/docs/errors/item/#products_not_supported>).
pub(super) fn check_update(request: &LinkRequest, item: &Item) -> Result<(), PlaidError> {
    if request.selects_accounts() && item.has("assets") {
        return Err(PlaidError::new(
            "ITEM_ERROR",
            "PRODUCTS_NOT_SUPPORTED",
            "the accounts of an Item with assets cannot be chosen anew",
        ));
    }
    Ok(())
}

fn check_contacts(user: &User, guesses: &Guesses) -> Result<(), PlaidError> {
    if guesses.user_contacts == UserContacts::Unchecked {
        return Ok(());
    }
    refuse_if(
        user.phone_number
            .as_deref()
            .is_some_and(|number| !is_phone(number)),
        "user.phone_number must be a phone number in E.164 format, like +14155550123",
    )?;
    refuse_if(
        user.email_address
            .as_deref()
            .is_some_and(|address| !is_mail(address)),
        "user.email_address must be an e-mail address",
    )?;
    Ok(())
}

/// Who the person is: for Identity Verification alone, the address for matching an identity too.
fn check_identity(user: &User, request: &LinkRequest, guesses: &Guesses) -> Result<(), PlaidError> {
    let verifies = request.asks_for(&["identity_verification"]);
    let matches = verifies || request.asks_for(&["identity", "identity_match"]);
    for (name, is_given, is_allowed) in [
        ("name", user.name.is_some(), verifies),
        ("id_number", user.id_number.is_some(), verifies),
        ("address", user.address.is_some(), matches),
    ] {
        if is_given && !is_allowed {
            misplaced(&format!("user.{name} is for Identity Verification only"), guesses)?;
        }
    }
    Ok(())
}

/// Plaid sends the link to the user that the request names.
fn check_delivery(hosted: &HostedLink, request: &LinkRequest, guesses: &Guesses) -> Result<(), PlaidError> {
    let Some(user) = request.user.as_ref().filter(|_| request.user_id.is_none()) else {
        return Ok(());
    };
    let lacking = match (guesses.delivered_page, hosted.delivery_method.as_deref()) {
        (DeliveredPage::AsProduction, Some("sms")) if user.phone_number.is_none() => "user.phone_number",
        (DeliveredPage::AsProduction, Some("email")) if user.email_address.is_none() => "user.email_address",
        _ => return Ok(()),
    };
    Err(PlaidError::missing_fields(&[lacking.to_owned()]))
}

fn misplaced(why: &str, guesses: &Guesses) -> Result<(), PlaidError> {
    match guesses.misplaced_field {
        MisplacedField::InvalidField => Err(PlaidError::invalid_field(why)),
        MisplacedField::InvalidConfiguration => Err(PlaidError::invalid_configuration(why)),
        MisplacedField::Taken => Ok(()),
    }
}

/// Something wrong inside an object of settings.
fn misconfigured(name: &str, why: &str, guesses: &Guesses) -> PlaidError {
    let why = format!("{name}: {why}");
    match guesses.settings_errors {
        SettingsErrors::InvalidConfiguration => PlaidError::invalid_configuration(&why),
        SettingsErrors::ByField => PlaidError::invalid_field(why),
    }
}
