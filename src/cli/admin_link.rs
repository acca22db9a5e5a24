//! `admin-link`: a fresh single-use link from the running broker.

use super::operate::unexpected;
use super::{DONE, complain, operate, say};
use crate::server::control::{Answer, Request};

/// The link alone on standard output, for people and for `open "$(…)"`; all else on standard error.
pub(super) fn run() -> u8 {
    match operate::ask_running(&Request::AdminLink {}) {
        Ok(Answer::AdminLink { url, local_url, .. }) => {
            say(&url);
            if let Some(local) = local_url {
                complain(&format!("On this machine also: {local}"));
            }
            complain(
                "The link works once, within 15 minutes. The first person to open it can log in, so do not share it.",
            );
            DONE
        }
        Ok(other) => unexpected(other),
        Err(code) => code,
    }
}
