//! The disk is full when a commit reaches it: everybody is told so, nothing is half done, and all goes on afterwards.

use plaid_token_broker::store::{Durability, Store};

use crate::child::{Role, gate};
use crate::{options, shim};

#[tokio::test]
async fn a_full_disk_is_an_error_without_damage_and_it_passes() {
    let directory = tempfile::tempdir().unwrap();
    let child = Role::FullDisk
        .command(directory.path())
        .env("LD_PRELOAD", shim::build("full_disk", directory.path()))
        .env("DISK_FULL_WHILE", gate(directory.path()))
        .output()
        .unwrap();
    let told = String::from_utf8(child.stderr).unwrap();
    assert!(child.status.success(), "{told}");
    assert_eq!(told, "full\nroom again\nclosed\n");
    let store = Store::open(options(directory.path(), Durability::Full))
        .await
        .unwrap();
    store.check().await.unwrap();
    store.close().await;
}
