//! A router that keeps a list of its routes, so that a test can compare all of them with the documents.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};

pub struct Routes<S> {
    router: Router<S>,
    list: Vec<(&'static str, &'static str)>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            list: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// A handler of GET, and so of HEAD.
    #[must_use]
    pub fn get<T: 'static>(self, path: &'static str, handler: impl Handler<T, S>) -> Self {
        self.route("GET", path, get(handler))
    }

    #[must_use]
    pub fn post<T: 'static>(self, path: &'static str, handler: impl Handler<T, S>) -> Self {
        self.route("POST", path, post(handler))
    }

    fn route(mut self, method: &'static str, path: &'static str, handler: MethodRouter<S>) -> Self {
        self.list.push((method, path));
        self.router = self.router.route(path, handler);
        self
    }

    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        self.router = self.router.merge(other.router);
        self
    }

    #[must_use]
    pub fn list(&self) -> &[(&'static str, &'static str)] {
        &self.list
    }

    pub(crate) fn into_router(self) -> Router<S> {
        self.router
    }
}
