//! What becomes known of a request while it is served, for the audit log and the request log: names, client ids and
//! findings, and never a value that was sent.

use std::sync::{Arc, Mutex, PoisonError};

use super::client_auth::Method;
use super::findings::Finding;

/// A slot in the extensions of each request. It is shared, so it can still be read when the caller has hung up.
#[derive(Clone, Debug, Default)]
pub struct Facts(Arc<Mutex<Known>>);

#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The configured client that the request names.
    pub client: Option<String>,
    /// It sent the client's secret.
    pub proven: bool,
    /// It came without the secret that production demands.
    pub lenient: bool,
    /// The names of known parameters.
    pub parameters: Vec<&'static str>,
    /// How many unknown parameters came.
    pub others: usize,
    pub method: Option<Method>,
    /// `grant_type` as it was sent, if that is a registered name.
    pub grant_type: Option<&'static str>,
    /// What an access token is asked for with.
    pub grant: Option<&'static str>,
    /// The token to revoke or to introspect is good.
    pub found: bool,
    pub findings: Vec<Finding>,
}

impl Facts {
    pub fn note(&self, note: impl FnOnce(&mut Known)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    #[must_use]
    pub fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
