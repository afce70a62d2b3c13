//! A request store of one's own, on `redb`, which `docs/write-a-store.md` explains, and its proof:
//! `cargo run --example redb_store --features testkit` takes it through the whole suite.

mod store;
mod tables;
mod writing;

use std::sync::Arc;

use datarights::testkit::Violations;
use datarights::testkit::store_suite::{Fixture, StoreLine, Suite};

use crate::store::RedbStore;

#[allow(
    clippy::expect_used,
    reason = "a suite without a folder proves nothing"
)]
fn main() -> Result<(), Violations<StoreLine>> {
    let suite = Suite::new(|| async {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let open = move || {
            let file = folder.path().join("requests.redb"); // the folder lives as long as `open`
            RedbStore::open(&file).expect("a file that can be opened")
        };
        let store = open();
        Fixture::new(store.clone())
            .handle(store)
            .reopen(move || std::future::ready(open()))
    });
    suite.run()?;
    println!("every line of the contract holds");
    Ok(())
}
