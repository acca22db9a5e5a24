//! `/statements/…`: <https://plaid.com/docs/api/products/statements/>.

use jiff::civil::Date;

use super::Document;
use super::prelude::*;
use super::reading::ready;
use crate::data::calendar::months_after;
use crate::data::statements::{Statement, between, has_statements};
use crate::items::Item;
use crate::simulator::ledger_view::{bank_hour, history};

use super::item::OfItem;

request! {
    pub(super) struct Download {
        required access_token: TEXT => String,
        required statement_id: TEXT => String,
    }
}

/// The period that Link asked for; two years when the product came later.
fn period(item: &Item, today: Date) -> (Date, Date) {
    item.draft
        .source
        .statements
        .unwrap_or_else(|| (months_after(today, -24), today))
}

/// `/statements/list`
pub(super) fn list(call: &Call<'_>, request: OfItem) -> Result<Value, PlaidError> {
    let today = call.today();
    call.read(&request.access_token, "statements", |item| {
        ready(call.simulator, item, call.now)?;
        let period = period(item, today);
        let accounts: Vec<_> = item
            .accounts()
            .filter(|account| has_statements(account))
            .map(|account| {
                let statements: Vec<_> = between(account, period, today)
                    .map(|statement| statement.json(item.id()))
                    .collect();
                json!({
                    "account_id": account.id(item.id()),
                    "account_mask": account.mask.as_deref().unwrap_or_default(),
                    "account_name": account.name,
                    "account_official_name": account.official_name.as_deref().unwrap_or_default(),
                    "account_subtype": account.subtype,
                    "account_type": account.kind,
                    "statements": statements,
                })
            })
            .collect();
        if accounts.is_empty() {
            return Err(PlaidError::no_accounts("NO_ACCOUNTS", "depository"));
        }
        Ok(json!({
            "accounts": accounts,
            "institution_id": item.draft.institution.id,
            "institution_name": item.draft.institution.name,
            "item_id": item.id(),
        }))
    })
}

/// `/statements/download`
pub(super) fn download(call: &Call<'_>, request: Download) -> Result<Document, PlaidError> {
    let today = call.today();
    call.read(&request.access_token, "statements", |item| {
        ready(call.simulator, item, call.now)?;
        let period = period(item, today);
        let statement: Statement<'_> = item
            .accounts()
            .filter(|account| has_statements(account))
            .flat_map(|account| between(account, period, today))
            .find(|statement| statement.id(item.id()) == request.statement_id)
            .ok_or_else(|| PlaidError::invalid_field("statement_id names no statement of this Item"))?;
        let history = history(call.simulator, item);
        let hour = bank_hour(call.simulator, item, call.now);
        Ok(Document {
            bytes: statement.pdf(&history, item.draft.institution.name, hour),
            hashed: true,
        })
    })
}
