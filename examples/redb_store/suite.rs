//! The proof: the whole suite, over two handles and a file that is opened again.

use std::sync::Arc;

use datarights::testkit::store_suite::{Fixture, Suite};

use crate::store::RedbStore;

#[allow(
    clippy::expect_used,
    reason = "a suite without a folder proves nothing"
)]
pub(crate) fn suite() -> Suite {
    Suite::new(|| async {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let open = move || {
            let file = folder.path().join("requests.redb"); // the folder lives as long as `open`
            RedbStore::open(&file).expect("a file that can be opened")
        };
        let store = open();
        Fixture::new(store.clone())
            .handle(store)
            .reopen(move || std::future::ready(open()))
    })
}
