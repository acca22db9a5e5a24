//! `/transactions/get` and `/transactions/sync`: <https://plaid.com/docs/api/products/transactions/>.

use serde_json::Map;

use super::listing::Listing;
use super::prelude::*;
use super::reading::{account, chosen};
use super::transactions_made::{MadeCursor, made};
use crate::data::calendar::{Day, number_of};
use crate::data::movement::{Form, Movement};
use crate::data::sync::{Change, Cursor, Stage, Version};
use crate::data::transaction::{self, Style};
use crate::items::made_transactions::Made;
use crate::simulator::ledger_view::{accounts_json, ledger, stage};
use crate::webhooks::Webhook;

pub(super) const COUNT: Kind = int(1, 500);
/// Plaid's default page.
pub(super) const USUAL_COUNT: usize = 100;
const TAXONOMY: Kind = Kind::OneOf(&["v1", "v2"]);

request! {
    pub(super) struct Get {
        required access_token: TEXT => String,
        required start_date: Kind::Date => Day,
        required end_date: Kind::Date => Day,
        optional options: GetOptions::OBJECT => GetOptions,
    }

    pub(super) struct GetOptions {
        optional account_ids: TEXTS => Option<Vec<String>>,
        optional count: COUNT => Option<usize>,
        optional offset: FROM_ZERO => usize,
        nullable include_original_description: Kind::Bool => Option<bool>,
        optional include_personal_finance_category_beta: Kind::Bool,
        optional include_personal_finance_category: Kind::Bool,
        optional include_logo_and_counterparty_beta: Kind::Bool,
        optional personal_finance_category_version: TAXONOMY => Option<String>,
        optional days_requested: int(1, 730) => Option<u16>,
    }

    pub(super) struct Sync {
        required access_token: TEXT => String,
        optional cursor: text(0, 256) => String,
        optional count: COUNT => Option<usize>,
        optional options: SyncOptions::OBJECT => SyncOptions,
    }

    pub(super) struct SyncOptions {
        nullable include_original_description: Kind::Bool => Option<bool>,
        optional include_personal_finance_category: Kind::Bool,
        optional include_logo_and_counterparty_beta: Kind::Bool,
        optional personal_finance_category_version: TAXONOMY => Option<String>,
        optional days_requested: int(1, 730) => Option<u16>,
        optional account_id: TEXT => Option<String>,
    }
}

fn style(original_description: Option<bool>, taxonomy: Option<&str>) -> Style {
    Style {
        original_description: original_description.unwrap_or_default(),
        second_taxonomy: taxonomy == Some("v2"),
    }
}

/// Refuses a period that ends before it begins.
pub(super) fn check_period(start: Day, end: Day) -> Result<(), PlaidError> {
    refuse_if(start.0 > end.0, "start_date must not be after end_date")?;
    Ok(())
}

/// A transaction of the Item's seed, or one that was put on it.
enum One<'a> {
    Of(Movement<'a>, Form),
    Made(Made),
}

/// `/transactions/get`
pub(super) fn get(call: &Call<'_>, request: Get) -> Result<Listing, PlaidError> {
    check_period(request.start_date, request.end_date)?;
    let options = request.options;
    let style = style(
        options.include_original_description,
        options.personal_finance_category_version.as_deref(),
    );
    remember_days(call, &request.access_token, options.days_requested)?;
    call.read(&request.access_token, "transactions", |item| {
        let accounts = chosen(item, options.account_ids.as_deref())?;
        let stage = stage(call.simulator, item, call.now);
        if stage == Stage::Nothing {
            return Err(PlaidError::product_not_ready("ITEM_ERROR"));
        }
        let accounts_json = accounts_json(call.simulator, item, &accounts, call.now);
        let made = made(call, item, &accounts);
        let ledger = ledger(call.simulator, item, accounts);
        let period = number_of(request.start_date.0)..=number_of(request.end_date.0);
        let found = ledger.all(ledger.version(stage, call.now)).into_iter();
        let found = found.map(|(movement, form)| (movement.date(form), One::Of(movement, form)));
        let made = made.into_iter().map(|made| (made.posted, One::Made(made)));
        let mut all: Vec<_> = found
            .chain(made)
            .filter(|(day, _)| period.contains(day))
            .collect();
        all.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
        let mut listing = Listing::of(object(json!({
            "accounts": accounts_json,
            "total_transactions": all.len(),
            "item": call.item_json(item),
        })));
        let page = all
            .iter()
            .skip(options.offset)
            .take(options.count.unwrap_or(USUAL_COUNT));
        listing.list(
            "transactions",
            page.map(|(_, one)| match one {
                One::Of(movement, form) => transaction::json(movement, *form, item.id(), style),
                One::Made(made) => made.json(style),
            }),
        );
        Ok(listing)
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn remember_days(call: &Call<'_>, access_token: &str, days: Option<u16>) -> Result<(), PlaidError> {
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, access_token, &call.guesses)?;
    item.readable(call.now, &call.guesses)?;
    item.request_days(days);
    Ok(())
}

/// The first call of `/transactions/sync` leads to a webhook when the history is there
/// (<https://plaid.com/docs/transactions/webhooks/#integrating-with-the-sync-endpoint>).
fn announce(call: &Call<'_>, access_token: &str) -> Result<(), PlaidError> {
    let mut state = call.simulator.state();
    let item = state.item(&call.client_id, access_token, &call.guesses)?;
    if item.begins_sync() {
        let complete = item.created_at.plus(call.simulator.0.data_delay * 3);
        let at = complete.max(call.now);
        call.simulator
            .send_webhook(item, Webhook::sync_updates_available(), at);
    }
    Ok(())
}

/// `/transactions/sync`
pub(super) fn sync(call: &Call<'_>, request: Sync) -> Result<Listing, PlaidError> {
    let options = &request.options;
    remember_days(call, &request.access_token, options.days_requested)?;
    let answer = read_sync(call, &request)?;
    announce(call, &request.access_token)?;
    Ok(answer)
}

fn read_sync(call: &Call<'_>, request: &Sync) -> Result<Listing, PlaidError> {
    let options = &request.options;
    let style = style(
        options.include_original_description,
        options.personal_finance_category_version.as_deref(),
    );
    let count = request.count.unwrap_or(USUAL_COUNT);
    call.read(&request.access_token, "transactions", |item| {
        let account_id = options.account_id.as_deref();
        let accounts = match account_id {
            Some(id) => vec![account(item, id)?],
            None => chosen(item, None)?,
        };
        let account_id = account_id.unwrap_or_default();
        let accounts_json = accounts_json(call.simulator, item, &accounts, call.now);
        let stage = stage(call.simulator, item, call.now);
        let mut made = made(call, item, &accounts);
        if stage == Stage::Nothing {
            made.clear();
        }
        let (of_seed, of_made) = request.cursor.split_once('.').unwrap_or((&request.cursor, ""));
        let ledger = ledger(call.simulator, item, accounts);
        let newest = ledger.version(stage, call.now);
        let cursor = cursor(of_seed, item.id(), account_id, newest)?;
        let given_made = MadeCursor::parse(of_made, of_seed, made.len(), cursor.given > 0)?;
        let changes = ledger.changes(cursor.has, cursor.target);
        let fresh = made.get(given_made.has..).unwrap_or_default();
        let given = cursor.given.saturating_add(count);
        let has_more = given < changes.len() + fresh.len();
        let (next, next_made) = if has_more {
            (Cursor { given, ..cursor }, given_made)
        } else {
            (
                Cursor::at(cursor.target),
                MadeCursor {
                    has: made.len(),
                    ..given_made
                },
            )
        };
        let next_cursor = if stage == Stage::Nothing {
            String::new()
        } else {
            next.text(item.id(), account_id) + &next_made.text()
        };
        let mut listing = Listing::of(object(json!({
            "transactions_update_status": match stage {
                Stage::Nothing => "NOT_READY",
                Stage::Initial => "INITIAL_UPDATE_COMPLETE",
                Stage::Historical => "HISTORICAL_UPDATE_COMPLETE",
            },
            "accounts": accounts_json,
            "next_cursor": next_cursor,
            "has_more": has_more,
        })));
        let json = |movement: &Movement<'_>, form| transaction::json(movement, form, item.id(), style);
        let page = || changes.iter().skip(cursor.given).take(count);
        let added = page().filter_map(|change| match change {
            Change::Added(movement, form) => Some(json(movement, *form)),
            _ => None,
        });
        // Those that were put on the Item come after all others.
        let skipped = cursor.given.saturating_sub(changes.len());
        let left = count - page().count();
        let fresh = fresh.iter().skip(skipped).take(left);
        listing.list("added", added.chain(fresh.map(|made| made.json(style))));
        let modified = page().filter_map(|change| match change {
            Change::Modified(movement, form) => Some(json(movement, *form)),
            _ => None,
        });
        listing.list("modified", modified);
        let removed = page().filter_map(|change| match change {
            Change::Removed(movement) => Some(json!({
                "transaction_id": transaction::id_of(movement, Form::Pending, item.id()),
                "account_id": movement.account.id(item.id()),
            })),
            _ => None,
        });
        listing.list("removed", removed);
        Ok(listing)
    })
}

/// Where the caller stands; `now` skips all that there is, for those who come from `/transactions/get`.
fn cursor(text: &str, item_id: &str, account_id: &str, newest: Version) -> Result<Cursor, PlaidError> {
    match text {
        "" => Ok(Cursor {
            has: Version::NOTHING,
            target: newest,
            given: 0,
        }),
        "now" => Ok(Cursor::at(newest)),
        text => {
            let cursor = Cursor::parse(text, item_id, account_id)
                .ok_or_else(|| PlaidError::invalid_field("cursor not associated with access_token"))?;
            if cursor.given > 0 && cursor.target != newest {
                return Err(PlaidError::transactions_changed());
            }
            Ok(Cursor {
                target: newest,
                ..cursor
            })
        }
    }
}
