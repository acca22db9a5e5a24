//! The administration's pages.

use super::{PageEnvironment, Template};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminLoginWay {
    /// The browser keeps a good link: one button uses it.
    Link,
    Token,
    /// Only the advice how to get a link.
    None,
}

impl AdminLoginWay {
    fn is_token(self) -> bool {
        self == Self::Token
    }
}

#[derive(Debug, Template)]
#[template(path = "admin-login.html")]
pub struct AdminLoginPage {
    pub root: &'static str,
    pub environment: PageEnvironment,
    pub way: AdminLoginWay,
    pub next: &'static str,
    /// Why the last try did not lead there, or that a session has ended.
    pub notice: Option<&'static str>,
}
