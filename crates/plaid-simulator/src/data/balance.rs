//! Balances over time. An Item begins with the published ones; from there each movement that has posted explains the
//! day before and the day after, so that a past day never changes.

use super::movement::Form;
use super::{Account, History, Money};

/// Longer than any made-up movement takes to post.
const LONGEST_PENDING: i64 = 8;
/// And than one that a custom user lists.
const LONGEST_LISTED: i64 = 800;

/// What has posted on an account around a stretch of days.
pub(crate) struct Balances {
    published: Money,
    /// Spending makes a debt grow.
    debt: bool,
    linked_at: i64,
    /// Hours, and what had left by each of them in all.
    left: Vec<(i64, Money)>,
}

impl Balances {
    /// The balances of an account from a day on, as far as they are known at an hour.
    pub(crate) fn of<'a>(history: &History<'a>, account: &'a Account, first: i64, hour: i64) -> Self {
        let last = hour.max(history.linked_at).div_euclid(24);
        let first = first.min(history.linked_on());
        let listed = !history.household.is_lived_in(account);
        let pending = if listed { LONGEST_LISTED } else { LONGEST_PENDING };
        let mut posted: Vec<_> = history
            .movements(account, first - pending, last)
            .into_iter()
            .filter(|movement| !movement.dropped)
            .map(|movement| {
                // A listed one may be dated after the hour that it is said to post.
                let hour = movement.settled.max(movement.date(Form::Posted) * 24);
                (hour, movement.amount)
            })
            .filter(|(posted, _)| *posted <= hour.max(history.linked_at))
            .collect();
        posted.sort_by_key(|(hour, _)| *hour);
        let mut left = Money::ZERO;
        for (_, amount) in &mut posted {
            left = left + *amount;
            *amount = left;
        }
        Self {
            published: account.current,
            debt: matches!(account.kind, "credit" | "loan"),
            linked_at: history.linked_at,
            left: posted,
        }
    }

    /// The balance at the end of a day.
    pub(crate) fn on(&self, day: i64) -> Money {
        self.after_hour(day * 24 + 23)
    }

    fn after_hour(&self, hour: i64) -> Money {
        let left = self.left_by(hour) - self.left_by(self.linked_at);
        if self.debt {
            self.published + left
        } else {
            self.published - left
        }
    }

    fn left_by(&self, hour: i64) -> Money {
        let until = self.left.partition_point(|(posted, _)| *posted <= hour);
        let last = until.checked_sub(1).and_then(|last| self.left.get(last));
        last.map_or(Money::ZERO, |(_, left)| *left)
    }
}

/// The account with its balances of an hour; as published when nothing has posted since it was linked.
pub(crate) fn at<'a>(history: &History<'a>, account: &'a Account, hour: i64) -> Account {
    let mut account_now = account.clone();
    if hour > history.linked_at {
        let balances = Balances::of(history, account, history.linked_on(), hour);
        account_now.current = balances.after_hour(hour);
        account_now.available = account
            .available
            .map(|available| available + account_now.current - account.current);
    }
    account_now
}
