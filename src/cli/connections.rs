//! `connections`: lists, shows and ends connections, and reads the audit log.

mod format;

use std::io::{BufRead as _, IsTerminal as _};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::operate::{ask, operator_settings, unexpected};
use super::{DONE, FAILED, USAGE, complain, say};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Environment;
use crate::server::control::{Answer, Request};
use crate::store::model::{
    AuditQuery, ConnectionFilter, ConnectionId, ConnectionKey, ConnectionState, EndTarget,
};

/// See and end connections, and read the audit log; with the broker running or stopped.
#[derive(Args, Debug)]
pub(super) struct Connections {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List connections, the newest first. Never a token.
    List(List),
    /// Show one connection with its grants.
    Show {
        /// Plaid's Item id, or our id of the connection.
        item: String,
        /// Ask Plaid for its health now (a running broker does).
        #[arg(long)]
        check: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// End connections: their refresh tokens stop working and Plaid removes the Items.
    Revoke(Revoke),
    /// Show the access token of one connection on this terminal; in simulator and sandbox only, and audited.
    Token {
        /// Plaid's Item id, or our id of the connection.
        item: String,
        /// Confirm that the token is printed.
        #[arg(long, required = true)]
        reveal: bool,
    },
    /// Read the audit log, the newest first.
    Audit(Audit),
}

#[derive(Args, Debug)]
struct List {
    /// Only those of this client.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only those of this Item of Plaid's.
    #[arg(long, value_name = "ITEM")]
    item: Option<String>,
    /// Only those in this state.
    #[arg(long, value_enum)]
    state: Option<State>,
    /// The maximum number of connections.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: usize,
    /// Only those made before this one: pass the last id of a page to get the next page.
    #[arg(long, value_name = "CONNECTION")]
    before: Option<Uuid>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// In use, or about to be.
    Live,
    /// Ended; its removal at Plaid is queued.
    Ending,
    /// Removed at Plaid.
    Removed,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Which {
    /// Plaid's Item id, or our id of the connection.
    item: Option<String>,
    /// All of this client; those that another client uses as well stay.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// All connections.
    #[arg(long)]
    all: bool,
}

#[derive(Args, Debug)]
struct Revoke {
    #[command(flatten)]
    which: Which,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
struct Audit {
    /// Only rows since then: a time such as 2026-11-28T09:00:00Z, a day such as 2026-11-28, or an age such as 90m, 12h or 7d.
    #[arg(long, value_parser = since, value_name = "WHEN")]
    since: Option<Timestamp>,
    /// Only those of this client.
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// The maximum number of rows.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: usize,
    /// As JSON lines.
    #[arg(long)]
    json: bool,
}

impl Connections {
    pub(super) fn run(self) -> u8 {
        let done = match self.command {
            Command::List(list) => list.run(),
            Command::Show { item, check, json } => show(&item, check, json),
            Command::Revoke(revoke) => revoke.run(),
            Command::Token { item, .. } => token(&item),
            Command::Audit(audit) => audit.run(),
        };
        done.map_or_else(|code| code, |()| DONE)
    }
}

impl List {
    fn run(self) -> Result<(), u8> {
        let filter = ConnectionFilter {
            client_id: self.client,
            item_id: self.item,
            state: self.state.map(|state| match state {
                State::Live => ConnectionState::Live,
                State::Ending => ConnectionState::Ending,
                State::Removed => ConnectionState::Removed,
            }),
            before: self.before.map(ConnectionId),
            limit: self.limit,
        };
        match ask(&operator_settings()?, Request::Connections { filter })? {
            Answer::Connections { connections } if self.json => format::json(&connections),
            Answer::Connections { connections } => {
                say(&format::connections(&connections));
                if let Some(last) = connections.last().filter(|_| connections.len() >= self.limit) {
                    complain(&format!("There may be more: --before {}", last.id));
                }
                Ok(())
            }
            other => Err(unexpected(other)),
        }
    }
}

fn show(item: &str, check: bool, json: bool) -> Result<(), u8> {
    let key = ConnectionKey::read(item);
    match ask(&operator_settings()?, Request::Connection { key, check })? {
        Answer::Connection { connection } if json => format::json(&connection),
        Answer::Connection { connection } => {
            say(&format::connection(&connection));
            Ok(())
        }
        other => Err(unexpected(other)),
    }
}

impl Revoke {
    fn run(self) -> Result<(), u8> {
        let config = operator_settings()?;
        let Which { item, client, .. } = self.which;
        let (target, what) = match (item, client) {
            (Some(item), _) => {
                let what = format!("the connection of {item:?}");
                (EndTarget::One(ConnectionKey::read(&item)), what)
            }
            (None, Some(client)) => {
                let what = format!("ALL connections of the client {client:?}");
                (EndTarget::Client(client), what)
            }
            (None, None) => {
                let environment = config.plaid.environment.name();
                (
                    EndTarget::All,
                    format!("ALL connections of this broker ({environment})"),
                )
            }
        };
        if !self.yes {
            confirm(&what)?;
        }
        match ask(&config, Request::EndConnections { target })? {
            Answer::Ended { ended } => {
                say(&format!(
                    "{} connections ended, {} grants revoked. Plaid removes the Items while the broker runs.",
                    ended.connections, ended.grants
                ));
                Ok(())
            }
            other => Err(unexpected(other)),
        }
    }
}

/// Nothing is ended by accident: the word is typed, or `--yes` was given.
fn confirm(what: &str) -> Result<(), u8> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        complain("this ends connections permanently, and there is no terminal to confirm on: pass --yes");
        return Err(USAGE);
    }
    complain(&format!(
        "This ends {what} permanently: people have to connect their banks again. Type revoke to continue:"
    ));
    let mut typed = String::new();
    let read = stdin.lock().read_line(&mut typed);
    if read.is_ok() && typed.trim() == "revoke" {
        return Ok(());
    }
    complain("Nothing was ended.");
    Err(FAILED)
}

fn token(item: &str) -> Result<(), u8> {
    let config = operator_settings()?;
    if config.plaid.environment == Environment::Production {
        complain("in production access tokens are never shown: they give access to people's bank accounts");
        return Err(USAGE);
    }
    // A token in a pipe ends in a file or a log.
    if !std::io::stdout().is_terminal() {
        complain("an access token is shown only on a terminal, and standard output is not one");
        return Err(USAGE);
    }
    let key = ConnectionKey::read(item);
    match ask(&config, Request::RevealToken { key })? {
        Answer::Token { access_token, .. } => {
            say(access_token.expose());
            Ok(())
        }
        other => Err(unexpected(other)),
    }
}

impl Audit {
    fn run(self) -> Result<(), u8> {
        let query = AuditQuery {
            since: self.since,
            client_id: self.client,
            before_id: None,
            limit: self.limit,
        };
        match ask(&operator_settings()?, Request::Audit { query })? {
            Answer::Audit { rows } if self.json => rows.iter().try_for_each(format::json_line),
            Answer::Audit { rows } => {
                say(&format::audit(&rows));
                Ok(())
            }
            other => Err(unexpected(other)),
        }
    }
}

fn since(text: &str) -> Result<Timestamp, String> {
    since_at(text, SystemClock.now()).ok_or_else(|| {
        "use a time such as 2026-11-28T09:00:00Z, a day such as 2026-11-28, or an age such as 90m, 12h or 7d"
            .to_owned()
    })
}

fn since_at(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_millis(moment.as_millisecond()));
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        let began = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some(Timestamp::from_millis(began.timestamp().as_millisecond()));
    }
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    let ago = std::time::Duration::from_secs(number.checked_mul(seconds)?);
    Some(now.minus(ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_a_day_and_how_long_ago_are_understood() {
        let now = Timestamp::from_millis(1_795_000_000_000);
        let at = |text: &str| since_at(text, now).map(Timestamp::as_millis);
        assert_eq!(at("2026-11-18T09:46:40Z"), Some(1_794_995_200_000));
        assert_eq!(at("2026-11-18"), Some(1_794_960_000_000));
        assert_eq!(at("90m"), Some(1_795_000_000_000 - 5_400_000));
        assert_eq!(at("7d"), Some(1_795_000_000_000 - 604_800_000));
        for bad in ["", "yesterday", "12", "5x", "-3d", "99999999999999999999d", "é"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}
