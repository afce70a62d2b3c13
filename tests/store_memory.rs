//! The store in memory keeps the contract.
#![cfg(feature = "testkit")]

use datarights::adapters::MemoryStore;
use datarights::testkit::store_suite::{self, Fixture, Suite};

#[test]
fn it_conforms() {
    store_suite::assert_conforms(|| async { MemoryStore::new() });
}

#[test]
fn clones_share() {
    let conforms = Suite::new(|| async {
        let store = MemoryStore::new();
        let clone = store.clone();
        Fixture::new(store)
            .handle(clone.clone())
            .reopen(move || std::future::ready(clone.clone()))
    })
    .random(7, 20_000)
    .run();
    assert_eq!(conforms, Ok(()));
}
