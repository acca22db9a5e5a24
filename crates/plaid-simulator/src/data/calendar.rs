//! Days and hours counted from 1970-01-01T00:00Z, and back.

use jiff::Span;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use plaid_token_broker_core::clock::Timestamp;

/// A date as callers write it: `2025-06-15`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Day(pub(crate) Date);

impl TryFrom<String> for Day {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0.to_string()
    }
}

/// Two dates in a snapshot.
pub(crate) mod as_days {
    use jiff::civil::Date;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Day;

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(
        period: &Option<(Date, Date)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        period
            .map(|(first, last)| (Day(first), Day(last)))
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<(Date, Date)>, D::Error> {
        let period = Option::<(Day, Day)>::deserialize(deserializer)?;
        Ok(period.map(|(first, last)| (first.0, last.0)))
    }
}

const EPOCH: Date = date(1970, 1, 1);

/// The hour of a moment.
pub(crate) fn hour_of(moment: Timestamp) -> i64 {
    moment.as_secs().div_euclid(60 * 60)
}

/// The day of a moment, in UTC.
pub(crate) fn day_of(moment: Timestamp) -> i64 {
    hour_of(moment).div_euclid(24)
}

/// The date with this number.
pub(crate) fn date_of(day: i64) -> Date {
    Span::new()
        .try_days(day)
        .and_then(|days| EPOCH.checked_add(days))
        .unwrap_or(Date::MAX)
}

/// The number of this date.
pub(crate) fn number_of(date: Date) -> i64 {
    date.duration_since(EPOCH).as_hours().div_euclid(24)
}

/// `date` moved by `months`; the last day of a shorter month replaces one that it lacks.
pub(crate) fn months_after(date: Date, months: i32) -> Date {
    date.checked_add(Span::new().months(months)).unwrap_or(date)
}

/// The last time that the month had this day, today included.
pub(crate) fn last_on(day: i8, today: Date) -> Date {
    let this_month = Date::new(today.year(), today.month(), day).unwrap_or(today);
    if number_of(this_month) <= number_of(today) {
        this_month
    } else {
        months_after(this_month, -1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_belong_together() {
        for (day, text) in [(0, "1970-01-01"), (20_254, "2025-06-15"), (-1, "1969-12-31")] {
            assert_eq!(date_of(day).to_string(), text);
            assert_eq!(number_of(date_of(day)), day);
        }
        assert_eq!(day_of(Timestamp::from_millis(1_750_000_000_000)), 20_254);
        assert_eq!(months_after(date(2025, 3, 31), -1), date(2025, 2, 28));
    }
}
