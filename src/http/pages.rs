//! The pages that people see. Presentation alone: each page gets all that it shows.
//!
//! Every URL on a page is relative and begins with its `root` (`./` for a page of the first level, `../` for
//! one below it), so that pages work from whatever address and path prefix they were reached by.

mod admin;
mod connections;
mod products;
mod setup;
#[cfg(test)]
mod tests;

pub use admin::{AdminLoginPage, AdminLoginWay};
pub use askama::Template;
pub use connections::{Choice, ConnectionRow, ConnectionsPage, Moment, RevokePage, Tone};
pub use products::plain_products;
pub use setup::{
    Addresses, Allowed, ClientChoice, EntryRow, Field, Refused, Row, SecretHint, SetupPage, Step,
};

/// Which world a page belongs to: decides banner, test login, and where Link's script comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEnvironment {
    Simulator,
    Sandbox,
    /// Plaid's production: real banks, no banner.
    Production,
}

impl PageEnvironment {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }

    /// Where Link's script is. Plaid demands that it come from `cdn.plaid.com` itself
    /// (plaid.com/docs/link/web); the simulator's stand-in is relative to the root of the site.
    #[must_use]
    pub fn link_script(self) -> &'static str {
        match self {
            Self::Simulator => "_simulator/link/link-initialize.js",
            Self::Sandbox | Self::Production => "https://cdn.plaid.com/link/v2/stable/link-initialize.js",
        }
    }

    fn is_simulator(self) -> bool {
        self == Self::Simulator
    }

    fn is_test(self) -> bool {
        self != Self::Production
    }
}

/// Where a person connects a bank account: says who asks and what is shared, and runs Link.
#[derive(Debug, Template)]
#[template(path = "link.html")]
pub struct LinkPage {
    pub root: &'static str,
    pub nonce: String,
    /// The transaction's handle, which the page sends back in `X-Broker-Handle`.
    pub handle: String,
    /// The transaction's sealed request, which the page sends with the calls that may come before it is stored.
    pub request: String,
    /// The OAuth client that asks; `None` in the browser login flow.
    pub client_name: Option<String>,
    /// What is shared, as [`plain_products`] puts it.
    pub products: Vec<String>,
    pub environment: PageEnvironment,
    /// Whether "Cancel and return" is offered: whether there is a client to return to.
    pub can_cancel: bool,
    pub return_host: Option<String>,
    /// Whether the browser comes back from a bank's own login: Link goes on at once with what the tab remembers.
    pub resume: bool,
}

impl LinkPage {
    fn asker(&self) -> &str {
        self.client_name.as_deref().unwrap_or("the application")
    }
}

/// A request that cannot go on: what happened and what to do.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub root: &'static str,
    pub title: String,
    pub message: String,
    /// What the person can do, a sentence each; may be empty.
    pub advice: Vec<String>,
    pub request_id: String,
    pub environment: Option<PageEnvironment>,
}

/// What a frame is given instead of the Link page: cookies and Link do not work inside a frame.
#[derive(Debug, Template)]
#[template(path = "framed.html")]
pub struct FramedPage {
    pub root: &'static str,
    pub continue_url: String,
}

#[derive(Debug, Template)]
#[template(path = "result.html")]
pub struct ResultPage {
    pub root: &'static str,
    pub institution: Option<String>,
    pub accounts: Vec<ResultAccount>,
    pub environment: PageEnvironment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultAccount {
    pub name: String,
    pub mask: Option<String>,
    pub kind: String,
}

/// The page at `/` where the browser login flow is off.
#[derive(Debug, Template)]
#[template(path = "about.html")]
pub struct AboutPage {
    pub root: &'static str,
    /// Whether more is here for an admin, who may log in.
    pub for_admin: bool,
}
