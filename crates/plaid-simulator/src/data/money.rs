//! Exact amounts: Plaid shows up to four decimals, and sums have to come out right.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An amount in ten-thousandths of a currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Money(i64);

impl Money {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn whole(units: i64) -> Self {
        Self(units * 10_000)
    }

    pub(crate) const fn cents(cents: i64) -> Self {
        Self(cents * 100)
    }

    pub(crate) const fn ten_thousandths(count: i64) -> Self {
        Self(count)
    }

    /// The nearest amount; zero for what is no number.
    pub(crate) fn of(number: f64) -> Self {
        let digits = format!("{number:.4}").replace('.', "");
        Self(digits.parse().unwrap_or_default())
    }

    /// The amount that a text like `12.34` names.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, cents) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(cents) || cents.len() != 2 || whole.len() > 12 {
            return None;
        }
        Some(Self::cents(format!("{whole}{cents}").parse().ok()?))
    }

    /// For arithmetic that is no money: ratios and rates.
    pub(crate) fn number(self) -> f64 {
        self.to_string().parse().unwrap_or_default()
    }

    /// Without what is less than a cent.
    pub(crate) const fn floor_to_cents(self) -> Self {
        Self(self.0 - self.0.rem_euclid(100))
    }

    /// So many hundredths of it.
    pub(crate) const fn percent(self, hundredths: i64) -> Self {
        Self(self.0 / 100 * hundredths)
    }

    /// So many of it.
    pub(crate) const fn times_whole(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// So many of the equal parts that it is cut into, in cents rounded down.
    pub(crate) const fn part(self, count: i64, parts: i64) -> Self {
        Self(self.0 * count / parts).floor_to_cents()
    }

    /// How many of it, in ten-thousandths, fit into `whole`.
    pub(crate) const fn quantity_in(self, whole: Self) -> i64 {
        if self.0 == 0 { 0 } else { whole.0 * 10_000 / self.0 }
    }

    /// The price of `quantity` ten-thousandths of a thing that costs this much, in cents rounded down.
    pub(crate) const fn times(self, quantity: i64) -> Self {
        Self(self.0 * quantity / 10_000).floor_to_cents()
    }

    /// As Plaid writes it: no decimals where there are none.
    pub(crate) fn json(self) -> Value {
        if self.0 % 10_000 == 0 {
            (self.0 / 10_000).into()
        } else {
            self.number().into()
        }
    }

    /// With exactly two decimals.
    pub(crate) fn two_decimals(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs() / 100;
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let count = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:04}", count / 10_000, count % 10_000)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_written_as_plaid_writes_them() {
        for (amount, text) in [
            (Money::whole(110), json!(110)),
            (Money::of(320.76), json!(320.76)),
            (Money::of(-0.5), json!(-0.5)),
            (Money::ten_thousandths(236_319_805), json!(23631.9805)),
            (Money::cents(-422), json!(-4.22)),
        ] {
            assert_eq!(amount.json(), text);
        }
        assert_eq!(Money::of(-1234.5).two_decimals(), "-1234.50");
    }

    #[test]
    fn texts_have_two_decimals() {
        assert_eq!(Money::parse("10.05"), Some(Money::cents(1005)));
        for text in ["10", "10.5", "-1.00", "1.000", ".50", "1e2.00", ""] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
    }

    #[test]
    fn quantities_and_prices_belong_together() {
        let price = Money::cents(2_500);
        let quantity = price.quantity_in(Money::whole(100));
        assert_eq!(quantity, 40_000);
        assert_eq!(price.times(quantity), Money::whole(100));
        assert_eq!(Money::ZERO.quantity_in(Money::whole(1)), 0);
    }
}
