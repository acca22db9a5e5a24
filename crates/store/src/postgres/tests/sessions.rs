//! What a session of the pool is set to.

use super::cluster::Database;
use super::options;
use crate::Store;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/run starts one"]
async fn commits_wait_for_the_disk_whatever_the_servers_setting() {
    let database = Database::make().await;
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    database.run(&off).await.unwrap();
    for (durability, expected) in [(crate::Durability::Full, "on"), (crate::Durability::Off, "off")] {
        let mut options = options(&database.url);
        options.durability = durability;
        let store = Store::open(options).await.unwrap();
        let crate::Engine::Postgres(engine) = &store.inner.engine else {
            panic!("it is a PostgreSQL store")
        };
        let setting = engine.pool.read_with(
            crate::postgres::pool::How::Statements,
            crate::postgres::pool::Timeouts::Usual,
            (),
            |conn, ()| {
                Box::pin(async move {
                    let row = conn
                        .one("SELECT current_setting('synchronous_commit')", &[])
                        .await?;
                    Ok(row.get::<_, String>(0))
                })
            },
        );
        assert_eq!(setting.await.unwrap(), expected);
    }
}
