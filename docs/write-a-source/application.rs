use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datarights::model::*;
use datarights::ports::*;
use futures::{StreamExt, stream};

/// A guestbook: who wrote, and what they wrote. Its tables stand for a database; its lock
/// stands for a transaction.
#[derive(Clone)]
struct Guestbook {
    id: SourceId,
    tables: Arc<Mutex<Tables>>,
}

#[derive(Default)]
struct Tables {
    writers: BTreeMap<u32, Writer>,
    entries: BTreeMap<u32, Entry>,
    /// New: what each effect did. Written in the same transaction as the effect itself.
    effects: HashMap<(ControllerId, IdempotencyKey), Vec<RowCount>>,
}

struct Writer {
    name: String,
    mail: String,
    password: String,
}

struct Entry {
    writer: u32,
    text: String,
}

impl Guestbook {
    fn begin(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
