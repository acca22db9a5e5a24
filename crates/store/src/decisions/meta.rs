//! The table of single values.

use crate::Store;
use crate::error::StoreError;
use crate::tokens::TokenKey;
use crate::tx::{Context, Decision, Failure, Run, Tx, values};

impl Store {
    /// Whether it can be written and read, and the keys open it now.
    pub async fn check(&self) -> Result<(), StoreError> {
        let probe: [u8; 8] = rand::random();
        self.run(Set("probe", probe.into())).await?;
        let sealed = self.run(Get("token_key")).await?;
        TokenKey::open(&self.inner.keyring, sealed.as_deref())?;
        // Another check may have written meanwhile; that both could write and this one read is what was asked.
        let read = self.run(Get("probe")).await?;
        if read.is_some_and(|read| read.len() == probe.len()) {
            Ok(())
        } else {
            Err(StoreError::Corrupt("what was written is not read"))
        }
    }
}

pub(crate) async fn get<T: Tx>(tx: &mut T, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let sql = "SELECT value FROM meta WHERE name = ?1";
    tx.row(sql, &values![name], |row| row.bytes()).await
}

pub(crate) async fn set<T: Tx>(tx: &mut T, name: &str, value: &[u8]) -> Result<(), Failure> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, &values![name, value]).await?;
    Ok(())
}

pub(super) struct Get(pub(super) &'static str);

impl Decision for Get {
    type Outcome = Option<Vec<u8>>;
    const RUN: Run = Run::Read;

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<Self::Outcome, Failure> {
        get(tx, self.0).await
    }
}

pub(super) struct Set(pub(super) &'static str, pub(super) Vec<u8>);

impl Decision for Set {
    type Outcome = ();

    async fn run<T: Tx>(&self, tx: &mut T, _: &Context) -> Result<(), Failure> {
        set(tx, self.0, &self.1).await
    }
}
