//! The paths that are answered, but for those of an Item's data ([`super::data_endpoints`]).

use super::{
    Endpoint, accounts, institution_lists, institutions, item, link_token, link_token_fields, sandbox,
    sandbox_transactions, sandbox_user, user, verification, webhooks,
};

/// Those that answer with JSON. A new one is one more line here.
pub(super) const ALL: &[Endpoint] = &[
    Endpoint {
        path: "/item/webhook/update",
        fields: webhooks::UPDATE,
        run: webhooks::update,
    },
    Endpoint {
        path: "/webhook_verification_key/get",
        fields: webhooks::KEY_GET,
        run: webhooks::key_get,
    },
    Endpoint {
        path: "/sandbox/item/fire_webhook",
        fields: webhooks::FIRE,
        run: webhooks::fire,
    },
    Endpoint {
        path: "/sandbox/item/set_verification_status",
        fields: verification::SET,
        run: verification::set,
    },
    Endpoint {
        path: "/institutions/get",
        fields: institution_lists::GET,
        run: institution_lists::get,
    },
    Endpoint {
        path: "/institutions/search",
        fields: institution_lists::SEARCH,
        run: institution_lists::search,
    },
    Endpoint {
        path: "/user/create",
        fields: user::CREATE,
        run: user::create,
    },
    Endpoint {
        path: "/link/token/create",
        fields: link_token_fields::CREATE,
        run: link_token::create,
    },
    Endpoint {
        path: "/link/token/get",
        fields: link_token_fields::GET,
        run: link_token::get,
    },
    Endpoint {
        path: "/item/public_token/exchange",
        fields: item::EXCHANGE,
        run: item::exchange,
    },
    Endpoint {
        path: "/item/get",
        fields: item::GET,
        run: item::get,
    },
    Endpoint {
        path: "/item/remove",
        fields: item::REMOVE,
        run: item::remove,
    },
    Endpoint {
        path: "/item/access_token/invalidate",
        fields: item::INVALIDATE,
        run: item::invalidate,
    },
    Endpoint {
        path: "/accounts/get",
        fields: accounts::GET,
        run: accounts::get,
    },
    Endpoint {
        path: "/accounts/balance/get",
        fields: accounts::BALANCE_GET,
        run: accounts::balance_get,
    },
    Endpoint {
        path: "/institutions/get_by_id",
        fields: institutions::GET_BY_ID,
        run: institutions::get_by_id,
    },
    Endpoint {
        path: "/sandbox/public_token/create",
        fields: sandbox::PUBLIC_TOKEN_CREATE,
        run: sandbox::public_token_create,
    },
    Endpoint {
        path: "/sandbox/item/reset_login",
        fields: sandbox::RESET_LOGIN,
        run: sandbox::reset_login,
    },
    Endpoint {
        path: "/sandbox/user/reset_login",
        fields: sandbox_user::RESET_LOGIN,
        run: sandbox_user::reset_login,
    },
    Endpoint {
        path: "/sandbox/transactions/create",
        fields: sandbox_transactions::CREATE,
        run: sandbox_transactions::create,
    },
];
