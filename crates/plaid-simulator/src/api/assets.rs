//! `/asset_report/…`: <https://plaid.com/docs/api/products/assets/>.

use super::Document;
use super::prelude::*;
use crate::data::balance::{self, Balances};
use crate::data::calendar::{date_of, day_of};
use crate::data::holdings::portfolio;
use crate::data::sync::Stage;
use crate::data::{asset_report, asset_summary, identity, pdf};
use crate::items::Item;
use crate::items::asset_reports::AssetReport;
use crate::simulator::ledger_view::{bank_hour, ledger};
use crate::spec::guesses::ReportWithoutTokens;
use crate::spec::json::set;
use crate::spec::{ids, time_text};
use crate::webhooks::Webhook;

const DAYS: Kind = int(0, 731);

request! {
    pub(super) struct Create {
        optional access_tokens: some(&TEXT) => Vec<String>,
        required days_requested: DAYS => i64,
        optional options: CreateOptions::OBJECT => CreateOptions,
    }

    pub(super) struct CreateOptions {
        nullable client_report_id: TEXT => Option<String>,
        nullable webhook: Kind::Url => Option<String>,
        nullable include_fast_report: Kind::Bool,
        optional products: TEXTS,
        optional add_ons: list(&Kind::OneOf(&["investments", "fast_assets"])) => Vec<String>,
        optional user: Kind::Object(fields! {
            nullable client_user_id: TEXT,
            nullable first_name: TEXT,
            nullable middle_name: TEXT,
            nullable last_name: TEXT,
            nullable ssn: TEXT,
            nullable phone_number: TEXT,
            nullable email: TEXT,
        }) => Value,
        nullable require_all_items: Kind::Bool => Option<bool>,
    }

    pub(super) struct Get {
        optional asset_report_token: TEXT => Option<String>,
        optional user_token: TEXT,
        optional include_insights: Kind::Bool => bool,
        optional fast_report: Kind::Bool => bool,
        optional options: GetOptions::OBJECT => GetOptions,
    }

    pub(super) struct GetOptions {
        nullable days_to_include: DAYS => Option<i64>,
    }

    pub(super) struct PdfGet {
        required asset_report_token: TEXT => String,
        optional options: GetOptions::OBJECT => GetOptions,
    }
}

/// `/asset_report/create`
pub(super) fn create(call: &Call<'_>, request: Create) -> Result<Value, PlaidError> {
    /// Plaid's limit.
    const MOST_ITEMS: usize = 99;
    if request.access_tokens.is_empty() {
        return Err(match call.guesses.report_without_tokens {
            ReportWithoutTokens::MissingFields => PlaidError::missing_fields(&["access_tokens".to_owned()]),
            ReportWithoutTokens::InvalidField => {
                PlaidError::invalid_field("access_tokens must have at least 1 element")
            }
        });
    }
    refuse_if(
        request.access_tokens.len() > MOST_ITEMS,
        "access_tokens must have at most 99 elements",
    )?;
    let options = request.options;
    let all = options.require_all_items.unwrap_or(true);
    let mut item_ids = Vec::new();
    let mut refused = None;
    for access_token in &request.access_tokens {
        match call.read(access_token, "assets", |item| Ok(item.shared_id())) {
            Ok(item_id) if item_ids.contains(&item_id) => {
                return Err(PlaidError::invalid_field("access_tokens names an Item twice"));
            }
            Ok(item_id) => item_ids.push(item_id),
            Err(error) if all => return Err(error),
            Err(error) => refused = Some(error),
        }
    }
    if let (Some(error), true) = (refused, item_ids.is_empty()) {
        return Err(error);
    }
    let report = AssetReport {
        id: ids::new_uuid(),
        client_id: call.client_id.to_string(),
        created_at: call.now,
        item_ids,
        days_requested: request.days_requested,
        client_report_id: options.client_report_id,
        user: options.user,
        investments: options.add_ons.iter().any(|name| name == "investments"),
        fast: options.add_ons.iter().any(|name| name == "fast_assets"),
    };
    let id = report.id.clone();
    let token = call.simulator.state().asset_reports.keep(report);
    if let Some(url) = options.webhook {
        let ready = call.now.plus(call.simulator.0.data_delay * 2);
        let fields = json!({"asset_report_id": id, "report_type": "FULL"});
        call.simulator
            .send_webhook_to(&url, Webhook::new("ASSETS", "PRODUCT_READY", fields), ready);
    }
    Ok(json!({"asset_report_token": token, "asset_report_id": id}))
}

/// `/asset_report/get`
pub(super) fn get(call: &Call<'_>, request: Get) -> Result<Value, PlaidError> {
    let Some(token) = request.asset_report_token else {
        return Err(PlaidError::missing_fields(&["asset_report_token".to_owned()]));
    };
    let report = report(
        call,
        &token,
        request.options.days_to_include,
        request.fast_report,
        request.include_insights,
    )?;
    Ok(json!({"report": report, "warnings": []}))
}

/// `/asset_report/pdf/get`
pub(super) fn pdf_get(call: &Call<'_>, request: PdfGet) -> Result<Document, PlaidError> {
    let report = report(
        call,
        &request.asset_report_token,
        request.options.days_to_include,
        false,
        false,
    )?;
    Ok(Document {
        bytes: pdf::of_lines(&asset_summary::lines(&report)),
        hashed: false,
    })
}

/// The report, made now of what its Items have.
fn report(
    call: &Call<'_>,
    token: &str,
    days: Option<i64>,
    fast: bool,
    insights: bool,
) -> Result<Value, PlaidError> {
    let delay = call.simulator.0.data_delay;
    let (report, items) = {
        let mut state = call.simulator.state();
        let report = state
            .asset_reports
            .get(&call.client_id, token, &call.guesses)?
            .clone();
        let ids = report.item_ids.iter();
        let items: Vec<_> = ids
            .filter_map(|id| state.item_by_id(id).map(|item| item.clone()))
            .collect();
        (report, items)
    };
    refuse_if(
        fast && !report.fast,
        "fast_report needs add_ons with fast_assets when the report is created",
    )?;
    let needed = if fast { delay } else { delay * 2 };
    if call.now.since(report.created_at) < needed {
        return Err(PlaidError::product_not_ready("ASSET_REPORT_ERROR"));
    }
    let days = days.unwrap_or(report.days_requested).min(report.days_requested);
    let items: Vec<_> = items
        .iter()
        .map(|item| item_json(call, item, &report, days, fast, insights))
        .collect();
    Ok(json!({
        "asset_report_id": report.id,
        "client_report_id": report.client_report_id,
        "date_generated": time_text(report.created_at.plus(needed)),
        "days_requested": report.days_requested,
        "user": if report.user.is_object() { report.user.clone() } else { json!({}) },
        "items": items,
    }))
}

fn item_json(
    call: &Call<'_>,
    item: &Item,
    report: &AssetReport,
    days: i64,
    fast: bool,
    insights: bool,
) -> Value {
    let last = day_of(report.created_at);
    let first = last - days;
    let today = date_of(last);
    let hour = bank_hour(call.simulator, item, report.created_at);
    let accounts: Vec<_> = item
        .accounts()
        .map(|account| {
            let mut ledger = ledger(call.simulator, item, vec![account]);
            // A report goes back as far as it was asked to, whatever the Item's transactions do.
            ledger.created_at = report.created_at;
            ledger.days_requested = u16::try_from(days).unwrap_or_default();
            ledger.asked = (None, None);
            let movements = if fast {
                Vec::new()
            } else {
                ledger.all(ledger.version(Stage::Historical, report.created_at))
            };
            let person = &item.draft.source.person;
            let owners = identity::owners(person, account);
            let balances = Balances::of(&ledger.history, account, first, hour);
            let mut json = asset_report::account(
                &balance::at(&ledger.history, account, hour),
                &owners,
                &movements,
                &balances,
                (first, last),
                item.id(),
                insights,
            );
            if report.investments {
                let portfolio = portfolio(person, std::iter::once(account), item.id(), today);
                set(&mut json, "investments", asset_summary::investments(portfolio));
            }
            json
        })
        .collect();
    json!({
        "item_id": item.id(),
        "institution_id": item.draft.institution.id,
        "institution_name": item.draft.institution.name,
        "date_last_updated": time_text(report.created_at),
        "accounts": accounts,
    })
}
