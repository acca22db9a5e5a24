//! `/sandbox/transactions/create`: <https://plaid.com/docs/api/sandbox/#sandboxtransactionscreate>.

use super::prelude::*;
use super::reading::account;
use crate::data::Account;
use crate::data::calendar::{Day, number_of};
use crate::data::sync::Stage;
use crate::items::Item;
use crate::items::made_transactions::{MOST_PER_ITEM, Made};
use crate::simulator::ledger_view::stage;
use crate::spec::ids;
use crate::webhooks::Webhook;

/// How many a call may bring.
const MOST: usize = 10;
/// How far back they may lie.
const OLDEST: i64 = 730;

request! {
    pub(super) struct Create {
        required access_token: TEXT => String,
        required transactions: some(&Wanted::OBJECT) => Vec<Wanted>,
    }

    pub(super) struct Wanted {
        required date_transacted: Kind::Date => Day,
        required date_posted: Kind::Date => Day,
        required amount: Kind::Number => Value,
        required description: NON_EMPTY => String,
        optional iso_currency_code: text(3, 3) => Option<String>,
        optional account_id: TEXT => Option<String>,
    }
}

/// `/sandbox/transactions/create`: they are there at once, posted, and a webhook is sent.
pub(super) fn create(call: &Call<'_>, request: Create) -> Result<Value, PlaidError> {
    refuse_if(
        request.transactions.len() > MOST,
        "transactions must have at most 10 elements",
    )?;
    let access_token = &request.access_token;
    let (item_id, made) = call.read(access_token, "transactions", |item| {
        let person = &item.draft.source.person;
        refuse_if(
            !person.is_dynamic() && person.custom().is_none(),
            "transactions can be created on Items of user_transactions_dynamic and of user_custom only",
        )?;
        if stage(call.simulator, item, call.now) == Stage::Nothing {
            return Err(PlaidError::product_not_ready("ITEM_ERROR"));
        }
        let made = request.transactions.iter().map(|wanted| made(call, item, wanted));
        Ok((item.shared_id(), made.collect::<Result<Vec<_>, _>>()?))
    })?;
    let count = made.len();
    let mut state = call.simulator.state();
    let before = state.made_transactions.get(&item_id).cloned().unwrap_or_default();
    refuse_if(
        before.len() + count > MOST_PER_ITEM,
        "an Item can have 1,000 created transactions at most",
    )?;
    let all = before.into_iter().chain(made).collect();
    state.made_transactions.insert(item_id, all);
    let item = state.item(&call.client_id, access_token, &call.guesses)?;
    if stage(call.simulator, item, call.now) == Stage::Historical {
        let webhook = if item.syncs {
            Webhook::sync_updates_available()
        } else {
            let fields = json!({"error": null, "new_transactions": count});
            Webhook::new("TRANSACTIONS", "DEFAULT_UPDATE", fields)
        };
        call.simulator.send_webhook(item, webhook, call.now);
    }
    Ok(json!({}))
}

fn made(call: &Call<'_>, item: &Item, wanted: &Wanted) -> Result<Made, PlaidError> {
    let today = number_of(call.today());
    let day = |name: &str, day: &Day| {
        let number = number_of(day.0);
        if (today - OLDEST..=today).contains(&number) {
            Ok(number)
        } else {
            Err(PlaidError::invalid_field(format!(
                "{name} must be today or up to {OLDEST} days ago"
            )))
        }
    };
    let account = match &wanted.account_id {
        Some(id) => account(item, id)?,
        None => usual_account(item).ok_or_else(|| {
            PlaidError::invalid_field("account_id is needed: the Item has no account to choose")
        })?,
    };
    if account.subtype == "student" {
        return Err(PlaidError::student_loan());
    }
    Ok(Made {
        transaction_id: ids::derived_id("transaction", item.id(), &ids::new_uuid()),
        account_id: account.id(item.id()),
        transacted: day("date_transacted", &wanted.date_transacted)?,
        posted: day("date_posted", &wanted.date_posted)?,
        amount: wanted.amount.clone(),
        description: wanted.description.clone(),
        currency: wanted
            .iso_currency_code
            .clone()
            .unwrap_or_else(|| "USD".to_owned()),
    })
}

/// The checking account; else the first of a custom user's that holds deposits, or the first of all.
fn usual_account(item: &Item) -> Option<&Account> {
    let is_custom = item.draft.source.person.custom().is_some();
    let checking = item
        .accounts()
        .find(|account| account.subtype == "checking" && !is_custom);
    checking
        .or_else(|| item.accounts().find(|account| account.kind == "depository"))
        .or_else(|| item.accounts().next())
}
