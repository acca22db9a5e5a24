//! What the simulator remembers: Items, tokens, runs of Link, users, reports, transfers and payments.

pub(crate) mod asset_reports;
pub(crate) mod auth_flags;
pub(crate) mod bounded_map;
pub(crate) mod hosted;
pub(crate) mod item;
mod link_objects;
pub(crate) mod link_request;
pub(crate) mod link_token;
pub(crate) mod made_transactions;
pub(crate) mod payment_book;
pub(crate) mod session;
pub(crate) mod state;
pub(crate) mod transfers;
pub(crate) mod user;

pub(crate) use self::item::{Draft, Item};
pub(crate) use self::link_request::LinkRequest;
pub(crate) use self::link_token::LinkToken;
pub(crate) use self::session::{Session, Stage};
pub(crate) use self::state::State;

use serde::Serialize;

/// What is known of one Item, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemView {
    /// Plaid's `item_id`.
    pub item_id: String,
    /// The client that owns it.
    pub client_id: String,
    /// Plaid's `institution_id`; empty when account numbers were typed in and no bank is known.
    pub institution_id: String,
    /// The products on the Item.
    pub products: Vec<String>,
    /// The `account_id`s that the person chose.
    pub account_ids: Vec<String>,
    /// Whether the Item waits for Link's update mode (`ITEM_LOGIN_REQUIRED`).
    pub login_required: bool,
    /// Whether the Item was removed.
    pub removed: bool,
}
