//! What `/payment_initiation/…` takes: <https://plaid.com/docs/api/products/payment-initiation/>.

use crate::spec::fields::{Field, Kind, NON_EMPTY, TEXT, nullable, optional, required};

const IBAN: Kind = Kind::Text { min: 15, max: 34 };
const REFERENCE: Kind = Kind::Text { min: 1, max: 18 };
const IDEMPOTENCY_KEY: Kind = Kind::Text { min: 1, max: 128 };

const BACS: Kind = Kind::Object(&[
    optional("account", Kind::Text { min: 1, max: 10 }),
    optional("sort_code", Kind::Text { min: 6, max: 6 }),
]);

const ADDRESS: Kind = Kind::Object(&[
    required("street", Kind::List { of: &TEXT, min: 1 }),
    required("city", Kind::Text { min: 1, max: 35 }),
    required("postal_code", Kind::Text { min: 1, max: 16 }),
    required("country", Kind::Text { min: 2, max: 2 }),
]);

const AMOUNT: Kind = Kind::Object(&[
    required(
        "currency",
        Kind::OneOf(&["GBP", "EUR", "PLN", "SEK", "DKK", "NOK"]),
    ),
    required("value", Kind::Number),
]);

pub(super) const RECIPIENT_CREATE: &[Field] = &[
    required("name", NON_EMPTY),
    nullable("iban", IBAN),
    nullable("bacs", BACS),
    nullable("address", ADDRESS),
];

pub(super) const RECIPIENT_GET: &[Field] = &[required("recipient_id", TEXT)];

pub(super) const RECIPIENT_LIST: &[Field] = &[
    nullable("count", Kind::Integer { min: 1, max: 100 }),
    optional("cursor", Kind::Text { min: 0, max: 256 }),
];

pub(super) const PAYMENT_CREATE: &[Field] = &[
    required("recipient_id", TEXT),
    required("reference", REFERENCE),
    optional("user_id", TEXT),
    required("amount", AMOUNT),
    nullable(
        "schedule",
        Kind::Object(&[
            required("interval", Kind::OneOf(&["WEEKLY", "MONTHLY"])),
            required("interval_execution_day", Kind::Integer { min: -5, max: 28 }),
            required("start_date", Kind::Date),
            nullable("end_date", Kind::Date),
            nullable("adjusted_start_date", Kind::Date),
        ]),
    ),
    nullable(
        "options",
        Kind::Object(&[
            nullable("request_refund_details", Kind::Bool),
            nullable("iban", IBAN),
            nullable("bacs", BACS),
            nullable(
                "scheme",
                Kind::OneOf(&[
                    "LOCAL_DEFAULT",
                    "LOCAL_INSTANT",
                    "SEPA_CREDIT_TRANSFER",
                    "SEPA_CREDIT_TRANSFER_INSTANT",
                ]),
            ),
        ]),
    ),
];

pub(super) const PAYMENT_GET: &[Field] = &[required("payment_id", TEXT)];

pub(super) const PAYMENT_LIST: &[Field] = &[
    nullable("count", Kind::Integer { min: 1, max: 200 }),
    nullable("cursor", Kind::DateTime),
    nullable("consent_id", TEXT),
];

pub(super) const PAYMENT_REVERSE: &[Field] = &[
    required("payment_id", TEXT),
    required("idempotency_key", IDEMPOTENCY_KEY),
    required("reference", Kind::Text { min: 6, max: 18 }),
    nullable("amount", AMOUNT),
    nullable("counterparty_date_of_birth", Kind::Date),
    nullable("counterparty_address", ADDRESS),
];

pub(super) const CONSENT_CREATE: &[Field] = &[
    required("recipient_id", TEXT),
    required("reference", REFERENCE),
    optional("user_id", TEXT),
    optional(
        "scopes",
        Kind::List {
            of: &Kind::OneOf(&["ME_TO_ME", "EXTERNAL"]),
            min: 1,
        },
    ),
    optional("type", Kind::OneOf(&["SWEEPING", "COMMERCIAL"])),
    required(
        "constraints",
        Kind::Object(&[
            nullable(
                "valid_date_time",
                Kind::Object(&[nullable("from", Kind::DateTime), nullable("to", Kind::DateTime)]),
            ),
            required("max_payment_amount", AMOUNT),
            required(
                "periodic_amounts",
                Kind::List {
                    of: &Kind::Object(&[
                        required("amount", AMOUNT),
                        required("interval", Kind::OneOf(&["DAY", "WEEK", "MONTH", "YEAR"])),
                        required("alignment", Kind::OneOf(&["CALENDAR", "CONSENT"])),
                    ]),
                    min: 1,
                },
            ),
        ]),
    ),
    nullable(
        "options",
        Kind::Object(&[
            nullable("request_refund_details", Kind::Bool),
            nullable("iban", IBAN),
            nullable("bacs", BACS),
        ]),
    ),
    nullable(
        "payer_details",
        Kind::Object(&[
            required("name", NON_EMPTY),
            required(
                "numbers",
                Kind::Object(&[nullable("bacs", BACS), nullable("iban", IBAN)]),
            ),
            nullable("address", ADDRESS),
            nullable("date_of_birth", Kind::Date),
            optional("phone_numbers", Kind::List { of: &TEXT, min: 0 }),
            optional("emails", Kind::List { of: &TEXT, min: 0 }),
        ]),
    ),
];

pub(super) const CONSENT_GET: &[Field] = &[required("consent_id", TEXT)];

pub(super) const CONSENT_EXECUTE: &[Field] = &[
    required("consent_id", TEXT),
    required("amount", AMOUNT),
    required("idempotency_key", IDEMPOTENCY_KEY),
    nullable("reference", REFERENCE),
    nullable("scope", Kind::OneOf(&["ME_TO_ME", "EXTERNAL"])),
    optional("processing_mode", Kind::OneOf(&["ASYNC", "IMMEDIATE"])),
];
