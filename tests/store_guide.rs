//! The guide shows the files of its example to the letter, and the store they make conforms.
#![cfg(feature = "testkit")]

#[path = "../examples/redb_store/store.rs"]
mod store;
#[path = "../examples/redb_store/suite.rs"]
mod suite;
#[path = "../examples/redb_store/tables.rs"]
mod tables;
#[path = "../examples/redb_store/writing.rs"]
mod writing;

#[test]
fn the_store_of_the_guide_conforms() {
    assert_eq!(suite::suite().random(31, 500).run(), Ok(()));
}
