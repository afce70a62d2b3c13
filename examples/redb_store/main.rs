//! A request store of one's own, on `redb`, written from `docs/write-a-store.md`.
//!
//! `cargo run --example redb_store --features testkit` takes it through the whole suite.

mod store;
mod suite;
mod tables;
mod writing;

use datarights::testkit::StoreLine;

fn main() -> Result<(), datarights::testkit::Violations<StoreLine>> {
    suite::suite().run()?;
    println!("every line of the contract holds");
    Ok(())
}
