//! How statements over many rows are run: each begins at an index, or the time of all of them grows with the square of
//! the rows.

use super::fresh;
use crate::Engine;
use crate::decisions::removals;
use crate::model::EndTarget;
use crate::rows::listing::targets;

#[tokio::test]
async fn what_goes_in_bounded_steps_begins_each_step_at_an_index() {
    let (store, _directory) = fresh().await;
    let Engine::Sqlite(engine) = &store.inner.engine else {
        panic!("it is an SQLite store")
    };
    for sql in [
        removals::UNREDEEMED.to_owned(),
        removals::SESSIONS.to_owned(),
        removals::PURGE_AUTHORIZATIONS.to_owned(),
        removals::PURGE_PUBLIC_TOKENS.to_owned(),
        removals::due(),
        targets(&EndTarget::All),
        targets(&EndTarget::Client(String::new())),
    ] {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan = engine.readers.read(move |conn| {
            let mut statement = conn.prepare(&explain)?;
            // Its parameters are left unbound.
            let mut rows = statement.raw_query();
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                lines.push(row.get::<_, String>("detail")?);
            }
            Ok(lines)
        });
        let plan = plan.await.unwrap();
        assert!(!plan.is_empty());
        for line in &plan {
            assert!(
                !line.starts_with("SCAN") && !line.contains("TEMP B-TREE"),
                "{sql}\n{plan:#?}"
            );
        }
    }
}
