//! Connections and rows of the audit log, for people and as JSON. Never a token: the answers have none.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::{FAILED, complain, say};
use crate::clock::Timestamp;
use crate::store::model::{AuditRecord, ConnectionSummary, KnownHealth};

pub(super) fn json(value: &impl Serialize) -> Result<(), u8> {
    print(serde_json::to_string_pretty(value))
}

pub(super) fn json_line(value: &impl Serialize) -> Result<(), u8> {
    print(serde_json::to_string(value))
}

fn print(json: serde_json::Result<String>) -> Result<(), u8> {
    say(&json.map_err(|error| {
        complain(&format!("internal error: no JSON could be written: {error}"));
        FAILED
    })?);
    Ok(())
}

/// UTC, to the second.
fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_secs()).map_or_else(|_| "?".to_owned(), |moment| moment.to_string())
}

fn optional(at: Option<Timestamp>) -> String {
    or_none(at.map(moment))
}

fn health(health: Option<&KnownHealth>) -> String {
    or_none(health.map(|health| health.word.clone()))
}

fn list_of(words: &[&str]) -> String {
    or_none(Some(words.join(",")).filter(|list| !list.is_empty()))
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

pub(super) fn connections(connections: &[ConnectionSummary]) -> String {
    let head = [
        "ITEM",
        "INSTITUTION",
        "CLIENT",
        "PRODUCTS",
        "STATE",
        "HEALTH",
        "CREATED",
        "LAST REFRESH",
    ];
    let rows = connections.iter().map(|connection| {
        [
            connection.item_id.clone(),
            institution(connection),
            list_of(&connection.clients()),
            list_of(&connection.products()),
            connection.state.as_str().to_owned(),
            health(connection.health.as_ref()),
            moment(connection.created_at),
            optional(connection.refreshed_at()),
        ]
    });
    table(head, rows.collect())
}

fn institution(connection: &ConnectionSummary) -> String {
    let name = connection.institution_name.as_ref();
    or_none(name.or(connection.institution_id.as_ref()).cloned())
}

pub(super) fn connection(connection: &ConnectionSummary) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<13} {}", plain(&value));
    };
    line("Item", connection.item_id.clone());
    line("connection", connection.id.to_string());
    line("institution", institution(connection));
    line(
        "made for",
        connection
            .client_id
            .clone()
            .unwrap_or_else(|| "a person's own use".to_owned()),
    );
    line("products", list_of(&connection.products()));
    line("state", connection.state.as_str().to_owned());
    if let Some(known) = &connection.health {
        line("health", format!("{} (checked {})", known.word, moment(known.at)));
    } else {
        line("health", "not checked yet".to_owned());
    }
    line("created", moment(connection.created_at));
    line("last refresh", optional(connection.refreshed_at()));
    if connection.removed_at.is_some() {
        line("ended", optional(connection.removed_at));
    }
    if let Some(removal) = &connection.removal {
        line(
            "removal",
            format!(
                "tried {} times, next {}",
                removal.attempts,
                moment(removal.next_try)
            ),
        );
    }
    text.push('\n');
    let grants = connection.grants.iter().map(|grant| {
        let scope: Vec<&str> = grant.scope.iter().map(String::as_str).collect();
        [
            grant.id.to_string(),
            grant.client_id.clone(),
            list_of(&scope),
            moment(grant.created_at),
            optional(grant.refreshed_at),
            optional(grant.revoked_at),
        ]
    });
    let head = [
        "GRANT",
        "CLIENT",
        "PRODUCTS",
        "CREATED",
        "LAST REFRESH",
        "REVOKED",
    ];
    text.push_str(&table(head, grants.collect()));
    text
}

pub(super) fn audit(rows: &[AuditRecord]) -> String {
    let head = [
        "WHEN",
        "EVENT",
        "OUTCOME",
        "ACTOR",
        "CLIENT",
        "CONNECTION",
        "ADDRESS",
        "TIMES",
        "DETAIL",
    ];
    let rows = rows.iter().map(|row| {
        [
            moment(row.at),
            row.event.clone(),
            row.outcome.clone(),
            row.actor.clone(),
            or_none(row.client_id.clone()),
            or_none(row.connection_id.clone()),
            or_none(row.address.clone()),
            row.times.to_string(),
            or_none(row.detail.clone()),
        ]
    });
    table(head, rows.collect())
}

/// Columns as wide as their widest cell. Without a row it says so.
fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return "(none)".to_owned();
    }
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| plain(&cell))).collect();
    let mut widths = head.map(|name| name.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&head.map(str::to_owned))];
    lines.extend(rows.iter().map(line));
    lines.join("\n")
}

/// A name that came from a browser must not steer a terminal.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_cells_and_steers_no_terminal() {
        let rows = vec![
            ["a".to_owned(), "long \u{1b}[31mone".to_owned()],
            ["bcd".to_owned(), "x".to_owned()],
        ];
        let text = table(["ID", "NAME"], rows);
        assert_eq!(text, "ID   NAME\na    long  [31mone\nbcd  x");
        assert_eq!(table(["ID"], Vec::new()), "(none)");
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(
            moment(Timestamp::from_millis(1_795_000_000_999)),
            "2026-11-18T11:06:40Z"
        );
    }
}
