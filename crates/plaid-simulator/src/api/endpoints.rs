//! The paths that are answered: each with its handler, whose request says which fields it takes.

use super::{
    Endpoint, accounts, assets, decode, fields_of, institutions, investments, item, link_token,
    payment_consents, payments, products_read, sandbox, sandbox_transactions, sandbox_user, signal,
    statements, transactions, transfer, user, verification, webhooks,
};

macro_rules! endpoints {
    ($($path:literal => $handler:path,)+) => {
        pub(super) const ALL: &[Endpoint] = &[$(Endpoint {
            path: $path,
            fields: fields_of($handler),
            run: |call, body| Ok($handler(call, decode(body)?)?.into()),
        },)+];
    };
}

endpoints! {
    "/item/public_token/exchange" => item::exchange,
    "/item/get" => item::get,
    "/item/remove" => item::remove,
    "/item/access_token/invalidate" => item::invalidate,
    "/item/webhook/update" => webhooks::update,
    "/webhook_verification_key/get" => webhooks::key_get,
    "/institutions/get" => institutions::get,
    "/institutions/search" => institutions::search,
    "/institutions/get_by_id" => institutions::get_by_id,
    "/user/create" => user::create,
    "/link/token/create" => link_token::create,
    "/link/token/get" => link_token::get,
    "/sandbox/public_token/create" => sandbox::public_token_create,
    "/sandbox/item/fire_webhook" => webhooks::fire,
    "/sandbox/item/reset_login" => sandbox::reset_login,
    "/sandbox/item/set_verification_status" => verification::set,
    "/sandbox/user/reset_login" => sandbox_user::reset_login,
    "/sandbox/transactions/create" => sandbox_transactions::create,
    "/accounts/get" => accounts::get,
    "/accounts/balance/get" => accounts::balance_get,
    "/auth/get" => products_read::auth,
    "/identity/get" => products_read::identity,
    "/liabilities/get" => products_read::liabilities,
    "/transactions/get" => transactions::get,
    "/transactions/sync" => transactions::sync,
    "/investments/holdings/get" => investments::holdings,
    "/investments/transactions/get" => investments::transactions,
    "/asset_report/create" => assets::create,
    "/asset_report/get" => assets::get,
    "/asset_report/pdf/get" => assets::pdf_get,
    "/statements/list" => statements::list,
    "/statements/download" => statements::download,
    "/signal/evaluate" => signal::evaluate,
    "/transfer/authorization/create" => transfer::authorize,
    "/transfer/create" => transfer::create,
    "/payment_initiation/recipient/create" => payments::recipient_create,
    "/payment_initiation/recipient/get" => payments::recipient_get,
    "/payment_initiation/recipient/list" => payments::recipient_list,
    "/payment_initiation/payment/create" => payments::payment_create,
    "/payment_initiation/payment/get" => payments::payment_get,
    "/payment_initiation/payment/list" => payments::payment_list,
    "/payment_initiation/payment/reverse" => payments::payment_reverse,
    "/payment_initiation/payment/token/create" => payments::token_create,
    "/payment_initiation/consent/create" => payment_consents::create,
    "/payment_initiation/consent/get" => payment_consents::get,
    "/payment_initiation/consent/revoke" => payment_consents::revoke,
    "/payment_initiation/consent/payment/execute" => payment_consents::execute,
}
