//! Movements as Plaid's transaction objects: <https://plaid.com/docs/api/products/transactions/>.

use serde_json::{Value, json};

use super::calendar::date_of;
use super::movement::{Form, Movement};
use crate::spec::ids::derived_id;
use crate::spec::json::{set, with_nulls};

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
        "amount": if pending { movement.pending_amount } else { movement.amount }.json(),
        "authorized_date": date_of(movement.day).to_string(),
        "counterparties": counterparties,
        "date": date_of(movement.date(form)).to_string(),
        "iso_currency_code": movement.currency,
        "location": {
            "city": city.map(|(city, _)| city),
            "region": city.map(|(_, region)| region),
            "country": city.map(|_| "US"),
        },
        "merchant_entity_id": entity_id,
        "merchant_name": merchant.map(|merchant| merchant.name),
        "name": name,
        "payment_channel": what.channel,
        "payment_meta": {"payment_method": what.raw.starts_with("ACH ").then_some("ACH")},
        "pending": pending,
        "pending_transaction_id": pending_id,
        "personal_finance_category": category(primary, detailed, known, style),
        "transaction_id": id_of(movement, form, item_id),
        "transaction_type": match what.channel {
            "online" => "digital",
            "in store" => "place",
            _ => "special",
        },
        "website": merchant.and_then(|merchant| merchant.website),
    });
    if style.original_description {
        set(&mut json, "original_description", &*what.raw);
    }
    whole(json, primary)
}

pub(crate) fn category(primary: &str, detailed: &str, known: bool, style: Style) -> Value {
    json!({
        "primary": primary,
        "detailed": detailed,
        "confidence_level": if known { "VERY_HIGH" } else { "LOW" },
        "version": if style.second_taxonomy { "v2" } else { "v1" },
    })
}

/// The transaction object with everything that Plaid's has: what is not given is null.
pub(crate) fn whole(mut json: Value, primary: &str) -> Value {
    let parts = [
        (
            "location",
            "address city region postal_code country lat lon store_number",
        ),
        (
            "payment_meta",
            "by_order_of payee payer payment_method payment_processor ppd_id reason reference_number",
        ),
    ];
    for (name, members) in parts {
        let part = json.get_mut(name).map(Value::take);
        set(
            &mut json,
            name,
            with_nulls(part.unwrap_or_else(|| json!({})), members),
        );
    }
    let icon = format!("https://plaid-category-icons.plaid.com/PFC_{primary}.png");
    set(&mut json, "personal_finance_category_icon_url", icon);
    with_nulls(
        json,
        "account_owner authorized_datetime category category_id check_number datetime logo_url merchant_entity_id \
         merchant_name pending_transaction_id transaction_code unofficial_currency_code website",
    )
}
