//! The administration's pages.

use super::{PageEnvironment, Template};

/// The way in that the login page offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminLoginWay {
    /// The browser keeps a good link: one button uses it.
    Link,
    /// The configured token can be typed in.
    Token,
    /// Only the advice how to get a link.
    None,
}

impl AdminLoginWay {
    fn is_token(self) -> bool {
        self == Self::Token
    }
}

/// Where an admin logs in, and learns how.
#[derive(Debug, Template)]
#[template(path = "admin-login.html")]
pub struct AdminLoginPage {
    /// Prefix of every URL: `../`.
    pub root: &'static str,
    /// Which world this is.
    pub environment: PageEnvironment,
    /// What is offered.
    pub way: AdminLoginWay,
    /// The name of the page that the login leads to.
    pub next: &'static str,
    /// Why the last try did not lead there, or that a session has ended.
    pub notice: Option<&'static str>,
}
