//! Movements as Plaid's transaction objects: <https://plaid.com/docs/api/products/transactions/>.

use serde_json::{Value, json};

use super::calendar::date_of;
use super::movement::{Form, Movement};
use crate::spec::ids::derived_id;

/// How the caller wants transactions written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    pub(crate) original_description: bool,
    /// Names of the second version of the taxonomy.
    pub(crate) second_taxonomy: bool,
}

/// The ids of a movement: while pending, and once posted.
pub(crate) fn id_of(movement: &Movement<'_>, form: Form, item_id: &str) -> String {
    let stage = if form == Form::Pending {
        "pending"
    } else {
        "posted"
    };
    let name = format!(
        "{}/{}/{}/{stage}",
        movement.account.key, movement.day, movement.ordinal
    );
    derived_id("transaction", item_id, &name)
}

/// The transaction object.
pub(crate) fn json(movement: &Movement<'_>, form: Form, item_id: &str, style: Style) -> Value {
    let pending = form == Form::Pending;
    let what = &movement.what;
    // Until a correction Plaid does not know these merchants.
    let known = movement.corrected.is_none() || form == Form::Corrected;
    let merchant = what.merchant.filter(|_| known);
    let name = merchant.map_or(&*what.raw, |merchant| merchant.name);
    let (primary, detailed) = if known {
        (what.primary, what.detailed)
    } else {
        (
            "GENERAL_MERCHANDISE",
            "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE",
        )
    };
    let detailed = match (style.second_taxonomy, detailed) {
        (true, "INCOME_WAGES") => "INCOME_SALARY",
        (_, detailed) => detailed,
    };
    let entity_id = merchant.map(|merchant| derived_id("merchant", "", merchant.name));
    let counterparties: Vec<_> = merchant
        .map(|merchant| {
            json!({
                "name": merchant.name,
                "type": "merchant",
                "entity_id": entity_id,
                "website": merchant.website,
                "logo_url": null,
                "confidence_level": "VERY_HIGH",
            })
        })
        .into_iter()
        .collect();
    let city = merchant.and_then(|merchant| merchant.city);
    let pending_id = (!pending && movement.was_pending()).then(|| id_of(movement, Form::Pending, item_id));
    let mut json = json!({
        "account_id": movement.account.id(item_id),
        "account_owner": null,
        "amount": if pending { movement.pending_amount } else { movement.amount }.json(),
        "authorized_date": date_of(movement.day).to_string(),
        "authorized_datetime": null,
        "category": null,
        "category_id": null,
        "check_number": null,
        "counterparties": counterparties,
        "date": date_of(movement.date(form)).to_string(),
        "datetime": null,
        "iso_currency_code": movement.currency,
        "location": {
            "address": null,
            "city": city.map(|(city, _)| city),
            "region": city.map(|(_, region)| region),
            "postal_code": null,
            "country": city.map(|_| "US"),
            "lat": null,
            "lon": null,
            "store_number": null,
        },
        "logo_url": null,
        "merchant_entity_id": entity_id,
        "merchant_name": merchant.map(|merchant| merchant.name),
        "name": name,
        "payment_channel": what.channel,
        "payment_meta": {
            "by_order_of": null,
            "payee": null,
            "payer": null,
            "payment_method": what.raw.starts_with("ACH ").then_some("ACH"),
            "payment_processor": null,
            "ppd_id": null,
            "reason": null,
            "reference_number": null,
        },
        "pending": pending,
        "pending_transaction_id": pending_id,
        "personal_finance_category": {
            "primary": primary,
            "detailed": detailed,
            "confidence_level": if known { "VERY_HIGH" } else { "LOW" },
            "version": if style.second_taxonomy { "v2" } else { "v1" },
        },
        "personal_finance_category_icon_url":
            format!("https://plaid-category-icons.plaid.com/PFC_{primary}.png"),
        "transaction_code": null,
        "transaction_id": id_of(movement, form, item_id),
        "transaction_type": match what.channel {
            "online" => "digital",
            "in store" => "place",
            _ => "special",
        },
        "unofficial_currency_code": null,
        "website": merchant.and_then(|merchant| merchant.website),
    });
    if style.original_description
        && let Some(json) = json.as_object_mut()
    {
        json.insert("original_description".to_owned(), what.raw.clone().into());
    }
    json
}
