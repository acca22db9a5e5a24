//! A user of `/user/create`: <https://plaid.com/docs/api/users/>.

use serde::{Deserialize, Serialize};

/// A user of one client's.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) client_id: String,
    pub(crate) client_user_id: String,
}

/// The key under which a user is found again.
pub(crate) fn key(client_id: &str, client_user_id: &str) -> String {
    format!("{client_id}\0{client_user_id}")
}
