//! How an institution fares, and its looks: the parts that have to be asked for.

use crate::spec::json::set;
use serde_json::{Value, json};

use super::{Institution, Trait};

/// A bank of columns on blue, 152 by 152 pixels, as PNG in base64: the same for all.
pub(super) const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAAJgAAACYAQMAAAAiDLJiAAAABlBMVEUXTnz///99IFTyAAAAoklEQVR42u2TOw6DMBAFsVxQ\
coTcJD5acjSO4iNQUlh+cQABu8+lyUfaEdU082SbrjOMK7lX3IOVw0iux0RuwEwuIJMD8KQEKNIXpyO34pJeXBw4oSN+cVEtfjNTQkeWhIy4VYnVfnOREjISNpf1Yrna7W4Uh7IyqcVyddhd5sQR\
8ScXKYHKJbdhqDR+yTUnpOMzZ+7TrvVzPv0z6Y+dYXyLFz5cJeiEPrTdAAAAAElFTkSuQmCC";

/// The `status`, by kind of request; kinds that the institution does not offer are null.
pub(super) fn json(institution: &Institution) -> Value {
    let of = |product: &str, updates: bool| {
        institution
            .supports(product)
            .then(|| of_requests(institution, updates))
    };
    json!({
        "item_logins": of_requests(institution, false),
        "transactions_updates": of("transactions", true),
        "auth": of("auth", false),
        "identity": of("identity", false),
        "investments_updates": of("investments", true),
        "liabilities_updates": of("liabilities", true),
        "investments": of("investments", false),
        "liabilities": of("liabilities", false),
        "health_incidents": null,
    })
}

/// The figures are our own: Plaid publishes none for its unhealthy test banks.
fn of_requests(institution: &Institution, updates: bool) -> Value {
    let (status, success, interval) = match institution.special {
        Trait::Down => ("DOWN", 0.0, "STOPPED"),
        _ if institution.degraded => ("DEGRADED", 0.6, "DELAYED"),
        _ => ("HEALTHY", 1.0, "NORMAL"),
    };
    let mut breakdown = json!({
        "success": success,
        "error_plaid": 0.0,
        "error_institution": 1.0 - success,
    });
    if updates {
        set(&mut breakdown, "refresh_interval", interval);
    }
    json!({"status": status, "last_status_change": "2020-01-01T00:00:00Z", "breakdown": breakdown})
}
