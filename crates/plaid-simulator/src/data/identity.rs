//! Who owns an account: <https://plaid.com/docs/api/products/identity/>.

use serde_json::{Value, json};

use super::{Account, Person};

/// The `owners` of an account.
pub(crate) fn owners(person: &Person, account: &Account) -> Value {
    let own = person
        .override_of(account)
        .and_then(|wanted| wanted.identity.as_ref());
    if let Some(own) = own {
        return json!([{
            "names": own.names,
            "phone_numbers": own.phone_numbers,
            "emails": own.emails,
            "addresses": own.addresses,
        }]);
    }
    json!([{
        "names": [person.persona().owner],
        "phone_numbers": [
            {"data": "2025550123", "primary": false, "type": "home"},
            {"data": "1112224444", "primary": false, "type": "work"},
            {"data": "1112225555", "primary": true, "type": "mobile"},
        ],
        "emails": [
            {"data": "accountholder0@example.com", "primary": true, "type": "primary"},
            {"data": "accountholder1@example.com", "primary": false, "type": "secondary"},
        ],
        "addresses": [
            {"data": address("2992 Cameron Road", "Malakoff", "NY", "14236"), "primary": true},
            {"data": address("2493 Leisure Lane", "San Matias", "CA", "93405-2255"), "primary": false},
        ],
    }])
}

pub(super) fn address(street: &str, city: &str, region: &str, postal_code: &str) -> Value {
    json!({"street": street, "city": city, "region": region, "postal_code": postal_code, "country": "US"})
}
