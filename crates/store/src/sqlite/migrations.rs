//! The schema's numbered steps. A step that was released is never changed; the next one is added.

use rusqlite::{Connection, Transaction};

use crate::ownership::Schema;

/// "ptbs": marks the file as a store of this program (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x7074_6273;

const STEPS: [(i64, &str); 4] = [
    (1, include_str!("migrations/0001_main_job.sql")),
    (2, include_str!("migrations/0002_operation.sql")),
    (3, include_str!("migrations/0003_bounds.sql")),
    (4, include_str!("migrations/0004_authorizations.sql")),
];

/// Looks without changing anything.
pub(super) fn inspect(conn: &Connection) -> rusqlite::Result<Schema> {
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found = version(conn)?;
    let known = STEPS.last().map_or(0, |(number, _)| *number);
    if application == APPLICATION_ID {
        return Ok(if found > known {
            Schema::Newer { found, known }
        } else {
            Schema::Ours
        });
    }
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(if application == 0 && found == 0 && tables == 0 {
        Schema::Empty
    } else {
        Schema::Foreign
    })
}

/// Takes the steps that are missing, inside the caller's transaction.
pub(super) fn migrate(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let taken = version(tx)?;
    for (number, step) in STEPS.into_iter().filter(|(number, _)| *number > taken) {
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", number)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SQLite` reads all rows of a STRICT table when a column is added to it, and the broker answers only after that.
    #[test]
    fn no_step_adds_a_column_to_a_strict_table() {
        for (number, step) in STEPS {
            let code: Vec<&str> = step
                .lines()
                .map(|line| line.split("--").next().unwrap_or_default())
                .collect();
            for statement in code.join(" ").split(';') {
                let words: Vec<String> = statement.split_whitespace().map(str::to_uppercase).collect();
                let statement = words.join(" ");
                assert!(
                    !statement.starts_with("CREATE TABLE") || statement.contains(") STRICT"),
                    "step {number} makes a table that is not STRICT: {statement}"
                );
                assert!(
                    !statement.starts_with("ALTER TABLE") || !statement.contains(" ADD "),
                    "step {number} needs a table of its own for the new column: {statement}"
                );
            }
        }
    }
}
