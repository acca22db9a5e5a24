//! Rules of payments that a table of fields cannot say:
//! <https://plaid.com/docs/api/products/payment-initiation/>.

use jiff::civil::Date;

use super::prelude::*;
use crate::data::Money;

pub(super) const IBAN: Kind = text(15, 34);
pub(super) const REFERENCE: Kind = text(1, 18);
pub(super) const IDEMPOTENCY_KEY: Kind = text(1, 128);
pub(super) const BACS: Kind = Kind::Object(fields! {
    optional account: text(1, 10),
    optional sort_code: text(6, 6),
});
pub(super) const ADDRESS: Kind = Kind::Object(fields! {
    required street: some(&TEXT),
    required city: text(1, 35),
    required postal_code: text(1, 16),
    required country: text(2, 2),
});
pub(super) const AMOUNT: Kind = Kind::Object(fields! {
    required currency: Kind::OneOf(&["GBP", "EUR", "PLN", "SEK", "DKK", "NOK"]),
    required value: Kind::Number,
});

/// Nobody pays more at once; the number itself is the simulator's own.
const MOST: f64 = 1e12;

/// An amount of more than nothing, with no more than two decimals.
pub(super) fn check_amount(amount: &Value) -> Result<Money, PlaidError> {
    let value = amount.get("value").and_then(Value::as_f64).unwrap_or_default();
    let why = if value <= 0.0 {
        "amount.value must be more than nothing"
    } else if value >= MOST {
        "amount.value must be less than 1000000000000"
    } else if Money::of(value).floor_to_cents().number().to_bits() != value.to_bits() {
        "amount.value must have two decimals at most"
    } else {
        return Ok(Money::of(value));
    };
    Err(PlaidError::invalid_field(why))
}

/// Banks drop or refuse anything but letters and digits.
pub(super) fn check_reference(reference: &str) -> Result<(), PlaidError> {
    if reference
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
    {
        return Ok(());
    }
    Err(PlaidError::invalid_field(
        "reference must have letters, digits and spaces only",
    ))
}

/// Days and order of a standing order.
pub(super) fn check_schedule(schedule: &Value, today: Date) -> Result<(), PlaidError> {
    let date = |name: &str| {
        let text = schedule.get(name).and_then(Value::as_str);
        text.and_then(|text| text.parse::<Date>().ok())
    };
    let day = schedule.get("interval_execution_day").and_then(Value::as_i64);
    let weekly = schedule.get("interval").and_then(Value::as_str) == Some("WEEKLY");
    let why = match (day, date("start_date"), date("end_date")) {
        (Some(day), ..) if weekly && !(1..=7).contains(&day) => {
            "schedule.interval_execution_day must be 1 (Monday) to 7 for WEEKLY"
        }
        (Some(0), ..) => "schedule.interval_execution_day must be 1 to 28, or -5 to -1, for MONTHLY",
        (_, Some(start), _) if start < today => "schedule.start_date must not be in the past",
        (_, Some(start), Some(end)) if end < start => {
            "schedule.end_date must not be before schedule.start_date"
        }
        _ => return Ok(()),
    };
    Err(PlaidError::invalid_field(why))
}

/// The two ways to name an account in an object: `iban` and `bacs`, checked when they are there.
pub(super) fn check_account(iban: Option<&str>, bacs: Option<&Value>) -> Result<(), PlaidError> {
    refuse_if(
        iban.is_some_and(|iban| !is_iban(iban)),
        "iban is not one: two letters for the country, two check digits, and letters and digits, without spaces",
    )?;
    for name in ["account", "sort_code"] {
        let text = bacs.and_then(|bacs| bacs.get(name)).and_then(Value::as_str);
        if text.is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(PlaidError::invalid_field(format!(
                "bacs.{name} must have digits only"
            )));
        }
    }
    Ok(())
}

/// ISO 13616: with its first four characters last and letters as numbers, it leaves 1 when divided by 97.
fn is_iban(text: &str) -> bool {
    let Some((head, rest)) = text.split_at_checked(4) else {
        return false;
    };
    let (country, digits) = head.split_at_checked(2).unwrap_or_default();
    let formed = country.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let remainder = rest.chars().chain(head.chars()).try_fold(0_u32, |sum, letter| {
        let value = letter.to_digit(36)?;
        Some((sum * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    formed && remainder == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_have_check_digits() {
        for good in [
            "GB29NWBK60161331926819",
            "DE89370400440532013000",
            "NO9386011117947",
        ] {
            assert!(is_iban(good), "{good}");
        }
        for bad in [
            "",
            "GB2",
            "GB00NWBK60161331926819",
            "gb29nwbk60161331926819",
            "ZZ00 not an iban!!",
            "GB29 NWBK 6016 1331 9268 19",
            "ä9ö7xxxxxxxxxxx",
        ] {
            assert!(!is_iban(bad), "{bad}");
        }
    }
}
