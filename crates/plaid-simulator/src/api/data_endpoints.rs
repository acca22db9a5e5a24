//! The paths that tell an Item's data, or move its money.

use super::listing::Listing;
use super::{
    Document, Endpoint, assets, investments, payment_consents, payment_fields, payments, products_read,
    reading, signal, statements, transactions, transfer, transfer_fields,
};

/// Those that answer with lists of transactions.
pub(super) const LISTINGS: &[Endpoint<Listing>] = &[
    Endpoint {
        path: "/transactions/get",
        fields: transactions::GET,
        run: transactions::get,
    },
    Endpoint {
        path: "/transactions/sync",
        fields: transactions::SYNC,
        run: transactions::sync,
    },
];

/// Those that answer with other JSON.
pub(super) const ALL: &[Endpoint] = &[
    Endpoint {
        path: "/auth/get",
        fields: reading::OF_ACCOUNTS,
        run: products_read::auth,
    },
    Endpoint {
        path: "/identity/get",
        fields: reading::OF_ACCOUNTS,
        run: products_read::identity,
    },
    Endpoint {
        path: "/liabilities/get",
        fields: reading::OF_ACCOUNTS,
        run: products_read::liabilities,
    },
    Endpoint {
        path: "/investments/holdings/get",
        fields: reading::OF_ACCOUNTS,
        run: investments::holdings,
    },
    Endpoint {
        path: "/investments/transactions/get",
        fields: investments::TRANSACTIONS,
        run: investments::transactions,
    },
    Endpoint {
        path: "/asset_report/create",
        fields: assets::CREATE,
        run: assets::create,
    },
    Endpoint {
        path: "/asset_report/get",
        fields: assets::GET,
        run: assets::get,
    },
    Endpoint {
        path: "/statements/list",
        fields: statements::LIST,
        run: statements::list,
    },
    Endpoint {
        path: "/signal/evaluate",
        fields: signal::EVALUATE,
        run: signal::evaluate,
    },
    Endpoint {
        path: "/transfer/authorization/create",
        fields: transfer_fields::AUTHORIZATION,
        run: transfer::authorize,
    },
    Endpoint {
        path: "/transfer/create",
        fields: transfer_fields::CREATE,
        run: transfer::create,
    },
    Endpoint {
        path: "/payment_initiation/recipient/create",
        fields: payment_fields::RECIPIENT_CREATE,
        run: payments::recipient_create,
    },
    Endpoint {
        path: "/payment_initiation/recipient/get",
        fields: payment_fields::RECIPIENT_GET,
        run: payments::recipient_get,
    },
    Endpoint {
        path: "/payment_initiation/recipient/list",
        fields: payment_fields::RECIPIENT_LIST,
        run: payments::recipient_list,
    },
    Endpoint {
        path: "/payment_initiation/payment/create",
        fields: payment_fields::PAYMENT_CREATE,
        run: payments::payment_create,
    },
    Endpoint {
        path: "/payment_initiation/payment/get",
        fields: payment_fields::PAYMENT_GET,
        run: payments::payment_get,
    },
    Endpoint {
        path: "/payment_initiation/payment/list",
        fields: payment_fields::PAYMENT_LIST,
        run: payments::payment_list,
    },
    Endpoint {
        path: "/payment_initiation/payment/reverse",
        fields: payment_fields::PAYMENT_REVERSE,
        run: payments::payment_reverse,
    },
    Endpoint {
        path: "/payment_initiation/payment/token/create",
        fields: payment_fields::PAYMENT_GET,
        run: payments::token_create,
    },
    Endpoint {
        path: "/payment_initiation/consent/create",
        fields: payment_fields::CONSENT_CREATE,
        run: payment_consents::create,
    },
    Endpoint {
        path: "/payment_initiation/consent/get",
        fields: payment_fields::CONSENT_GET,
        run: payment_consents::get,
    },
    Endpoint {
        path: "/payment_initiation/consent/revoke",
        fields: payment_fields::CONSENT_GET,
        run: payment_consents::revoke,
    },
    Endpoint {
        path: "/payment_initiation/consent/payment/execute",
        fields: payment_fields::CONSENT_EXECUTE,
        run: payment_consents::execute,
    },
];

/// The paths that answer with a PDF.
pub(super) const DOCUMENTS: &[Endpoint<Document>] = &[
    Endpoint {
        path: "/asset_report/pdf/get",
        fields: assets::PDF_GET,
        run: assets::pdf_get,
    },
    Endpoint {
        path: "/statements/download",
        fields: statements::DOWNLOAD,
        run: statements::download,
    },
];
