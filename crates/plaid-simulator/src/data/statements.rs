//! Monthly statements: <https://plaid.com/docs/api/products/statements/>.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::balance::Balances;
use super::calendar::{date_of, months_after, number_of};
use super::movement::Form;
use super::{Account, History, Money, pdf};
use crate::spec::ids::derived_id;

/// A month of an account, by its first day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) account: &'a Account,
    first: Date,
}

/// Whether the bank has statements for such an account.
pub(crate) fn has_statements(account: &Account) -> bool {
    account.kind == "depository"
}

/// The statements of the months that lie between two dates and are over, newest first.
pub(crate) fn between(
    account: &Account,
    (from, to): (Date, Date),
    today: Date,
) -> impl Iterator<Item = Statement<'_>> {
    let this_month = today.first_of_month();
    let oldest = from.first_of_month();
    (1..=24)
        .map(move |ago| months_after(this_month, -ago))
        .filter(move |first| (oldest..=to).contains(first))
        .map(move |first| Statement { account, first })
}

impl Statement<'_> {
    pub(crate) fn id(&self, item_id: &str) -> String {
        let name = format!("{}/{}", self.account.key, self.first);
        derived_id("statement", item_id, &name)
    }

    pub(crate) fn json(&self, item_id: &str) -> Value {
        json!({
            "statement_id": self.id(item_id),
            "date_posted": months_after(self.first, 1).to_string(),
            "month": self.first.month(),
            "year": self.first.year(),
        })
    }

    /// The statement itself: what posted in that month, and the balances that result.
    pub(crate) fn pdf(&self, history: &History<'_>, bank: &str, hour: i64) -> Vec<u8> {
        let first = number_of(self.first);
        let last = number_of(self.first.last_of_month());
        // The person's own account, which lives as long as the history does.
        let own = history.person.accounts().iter();
        let (balances, month) = own
            .filter(|own| own.key == self.account.key)
            .map(|own| {
                (
                    Balances::of(history, own, first - 1, hour),
                    posted(history, own, first, last),
                )
            })
            .next()
            .unzip();
        let month = month.unwrap_or_default();
        let on = |day: i64| balances.as_ref().map_or(Money::ZERO, |balances| balances.on(day));
        let (opening, closing) = (on(first - 1), on(last));
        let mask = self.account.mask.as_deref().unwrap_or_default();
        let mut lines = vec![
            format!("{bank} (simulated)"),
            format!("Statement for {}, account ending in {mask}", self.account.name),
            format!("{} to {}", self.first, self.first.last_of_month()),
            String::new(),
            format!("Opening balance {:>52}", opening.two_decimals()),
        ];
        lines.extend(month.iter().map(|(day, name, amount)| {
            let name: String = name.chars().take(40).collect();
            format!("{}  {name:<42}{:>14}", date_of(*day), (-*amount).two_decimals())
        }));
        lines.push(format!("Closing balance {:>52}", closing.two_decimals()));
        pdf::of_lines(&lines)
    }
}

/// What posted from one day to another, as day, name and amount.
fn posted<'a>(
    history: &History<'a>,
    account: &'a Account,
    first: i64,
    last: i64,
) -> Vec<(i64, String, Money)> {
    let mut posted: Vec<_> = history
        .movements(account, first - 8, last)
        .into_iter()
        .filter(|movement| {
            movement
                .form(last * 24 + 23)
                .is_some_and(|form| form != Form::Pending)
        })
        .map(|movement| {
            let day = movement.date(Form::Posted);
            (day, movement.name().to_owned(), movement.amount)
        })
        .filter(|(day, _, _)| (first..=last).contains(day))
        .collect();
    posted.sort_by_key(|(day, _, _)| *day);
    posted
}
