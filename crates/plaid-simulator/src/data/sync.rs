//! What an Item's transactions were and are: versions, the changes between two of them, and cursors.
//!
//! A cursor says which version its holder has (<https://plaid.com/docs/api/products/transactions/#transactionssync>),
//! so the simulator need not remember anybody.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::calendar::{day_of, hour_of};
use super::movement::{Form, Movement};
use super::{Account, History, Person};
use crate::spec::ids::derived_id;
use plaid_token_broker_core::clock::Timestamp;

/// Ordinary banks are asked once a day, at this hour.
const UPDATE_HOUR: i64 = 6;
/// The first pull goes back this many days.
const INITIAL_DAYS: i64 = 30;
/// Longer than any generated movement takes to come to rest.
const RESTLESS_DAYS: i64 = 8;

/// How much has been pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Nothing,
    Initial,
    Historical,
}

/// A state of an Item's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) stage: Stage,
    hour: i64,
}

impl Version {
    /// Before the first pull.
    pub(crate) const NOTHING: Self = Self {
        stage: Stage::Nothing,
        hour: 0,
    };
}

/// One line of the difference between two versions.
pub(crate) enum Change<'a> {
    Added(Movement<'a>, Form),
    Modified(Movement<'a>, Form),
    Removed(Movement<'a>),
}

/// An Item's transactions.
pub(crate) struct Ledger<'a> {
    pub(crate) history: History<'a>,
    pub(crate) accounts: Vec<&'a Account>,
    pub(crate) created_at: Timestamp,
    pub(crate) days_requested: u16,
    /// The first and the last day of transactions that were asked for, if they were.
    pub(crate) asked: (Option<i64>, Option<i64>),
    /// Whether the bank has news every hour and not once a day.
    pub(crate) hourly: bool,
}

impl<'a> Ledger<'a> {
    /// The newest version of this moment.
    pub(crate) fn version(&self, stage: Stage, now: Timestamp) -> Version {
        if stage == Stage::Nothing {
            return Version::NOTHING;
        }
        let hour = bank_hour(self.history.person, self.hourly, now);
        Version { stage, hour }
    }

    fn first_day(&self, stage: Stage) -> i64 {
        let created = day_of(self.created_at);
        let days = i64::from(self.days_requested);
        match stage {
            Stage::Nothing => i64::MAX,
            Stage::Initial => created - days.min(INITIAL_DAYS),
            Stage::Historical => created - days,
        }
    }

    fn form(&self, movement: &Movement<'_>, version: Version) -> Option<Form> {
        if movement.day < self.first_day(version.stage) {
            None
        } else {
            let (first, last) = self.asked;
            let is_asked = |form: &Form| {
                let date = movement.date(*form);
                first.is_none_or(|first| date >= first) && last.is_none_or(|last| date <= last)
            };
            movement.form(version.hour).filter(is_asked)
        }
    }

    /// Everything in this version, newest first.
    pub(crate) fn all(&self, version: Version) -> Vec<(Movement<'a>, Form)> {
        let (first, last) = (self.first_day(version.stage), version.hour.div_euclid(24));
        let mut found: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|account| self.history.movements(account, first, last))
            .filter_map(|movement| {
                let form = self.form(&movement, version)?;
                Some((movement, form))
            })
            .collect();
        found.sort_by_key(|(movement, form)| std::cmp::Reverse(movement.date(*form)));
        found
    }

    /// What changed between two versions, oldest first.
    pub(crate) fn changes(&self, from: Version, to: Version) -> Vec<Change<'a>> {
        if from == to {
            return Vec::new();
        }
        let all = from.stage != to.stage || self.history.person.custom().is_some();
        let first = if all {
            self.first_day(to.stage)
        } else {
            self.first_day(to.stage)
                .max(from.hour.div_euclid(24) - RESTLESS_DAYS)
        };
        let mut moved: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|account| self.history.movements(account, first, to.hour.div_euclid(24)))
            .collect();
        moved.sort_by_key(|movement| movement.day);
        moved
            .into_iter()
            .flat_map(|movement| {
                let (before, after) = (self.form(&movement, from), self.form(&movement, to));
                changes_of(movement, before, after)
            })
            .collect()
    }
}

/// The hour of the last news from this person's bank, which has some each hour or once a day.
pub(crate) fn bank_hour(person: &Person, hourly: bool, now: Timestamp) -> i64 {
    let hour = hour_of(now);
    if hourly || person.is_dynamic() {
        hour
    } else {
        (hour - UPDATE_HOUR).div_euclid(24) * 24 + UPDATE_HOUR
    }
}

fn changes_of(movement: Movement<'_>, before: Option<Form>, after: Option<Form>) -> Vec<Change<'_>> {
    match (before, after) {
        (None, None) => Vec::new(),
        (None, Some(form)) => vec![Change::Added(movement, form)],
        (Some(before), Some(after)) if before == after => Vec::new(),
        (Some(Form::Pending), Some(after)) => {
            vec![Change::Removed(movement.clone()), Change::Added(movement, after)]
        }
        (Some(_), Some(after)) => vec![Change::Modified(movement, after)],
        (Some(_), None) => vec![Change::Removed(movement)],
    }
}

/// What the holder of a cursor has: a version, and a place on the way to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) has: Version,
    pub(crate) target: Version,
    /// How many changes towards `target` were given out.
    pub(crate) given: usize,
}

impl Cursor {
    /// Up to date with this version.
    pub(crate) fn at(version: Version) -> Self {
        Self {
            has: version,
            target: version,
            given: 0,
        }
    }

    /// As text; only this Item, and this choice of account, can use it.
    pub(crate) fn text(self, item_id: &str, account_id: &str) -> String {
        let version = |version: Version| {
            let stage = match version.stage {
                Stage::Nothing => 'n',
                Stage::Initial => 'i',
                Stage::Historical => 'h',
            };
            format!("{stage}{}", version.hour)
        };
        BASE64.encode(format!(
            "{}.{}.{}.{}",
            tag(item_id, account_id),
            version(self.has),
            version(self.target),
            self.given
        ))
    }

    /// The cursor in this text, if it is one of this Item's.
    pub(crate) fn parse(text: &str, item_id: &str, account_id: &str) -> Option<Self> {
        let version = |part: &str| {
            let mut letters = part.chars();
            let stage = match letters.next()? {
                'n' => Stage::Nothing,
                'i' => Stage::Initial,
                'h' => Stage::Historical,
                _ => return None,
            };
            let hour = letters.as_str().parse().ok()?;
            Some(Version { stage, hour })
        };
        let plain = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
        let mut parts = plain.split('.');
        if parts.next()? != tag(item_id, account_id) {
            return None;
        }
        Some(Self {
            has: version(parts.next()?)?,
            target: version(parts.next()?)?,
            given: parts.next()?.parse().ok()?,
        })
    }
}

fn tag(item_id: &str, account_id: &str) -> String {
    derived_id("cursor", item_id, account_id)
}
