//! Spooling and packing 20,001 rows, against writing the same two formats of the same rows straight
//! into a ZIP with `serde_json` and `csv`.
//!
//! `cargo bench --features package --bench package`
#![allow(clippy::unwrap_used)]

#[path = "../tests/package_support/mod.rs"]
mod package_support;

use std::io::{Cursor, Write as _};

use datarights::adapters::MemoryVault;
use datarights::model::{Collection, Column};
use datarights::package::{self, Limits};
use datarights::ports::{Cancel, Item, Vault};
use package_support::*;
use serde::Serialize;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const ROWS: i64 = 20_001;

fn main() {
    divan::main();
}

#[derive(Clone, Serialize)]
struct Message {
    id: i64,
    ticket: i64,
    created_at: String,
    author: String,
    internal: bool,
    subject: Option<String>,
    body: String,
}

/// Messages of a help desk: a sentence or two, a few words of which differ.
fn messages() -> Vec<Message> {
    const WORDS: [&str; 12] = [
        "printer", "invoice", "password", "delivery", "refund", "login", "licence", "update",
        "screen", "contract", "server", "phone",
    ];
    let word = |n: i64| WORDS[usize::try_from(n % 12).unwrap()];
    (0..ROWS)
        .map(|id| Message {
            id,
            ticket: id / 7,
            created_at: format!(
                "2024-{:02}-{:02}T10:{:02}:00Z",
                id % 12 + 1,
                id % 28 + 1,
                id % 60
            ),
            author: format!("agent{}@example.org", id % 40),
            internal: id % 5 == 0,
            subject: (id % 3 == 0).then(|| format!("Your {} and the {}", word(id), word(id / 12))),
            body: format!(
                "Hello, thank you for your message about the {} ({}). We have looked at the {}, \
                 and it will be \"replaced\" by {}; please write again if the {} is not solved.",
                word(id * 5),
                id * 7919 % 10_007,
                word(id / 3),
                word(id / 5),
                word(id / 7)
            ),
        })
        .collect()
}

fn items(messages: &[Message]) -> Vec<Item> {
    let columns = [
        "id",
        "ticket",
        "created_at",
        "author",
        "internal",
        "subject",
        "body",
    ];
    let collection = Collection::new("messages", columns.map(Column::new));
    let rows = messages.iter().cloned().map(|message| {
        Item::Row(vec![
            message.id.into(),
            message.ticket.into(),
            message.created_at.into(),
            message.author.into(),
            message.internal.into(),
            message.subject.into(),
            message.body.into(),
        ])
    });
    [Item::Collection(collection)]
        .into_iter()
        .chain(rows)
        .collect()
}

/// The yardstick: no spool, no sealing, no sums, no page; rows are at hand twice.
#[divan::bench]
fn straight_into_a_zip(bencher: divan::Bencher<'_, '_>) {
    let messages = messages();
    bencher.bench(|| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("messages.json", SimpleFileOptions::default())
            .unwrap();
        let mut out = Vec::with_capacity(128 * 1024);
        for message in &messages {
            serde_json::to_writer(&mut out, message).unwrap();
            out.push(b'\n');
            if out.len() > 64 * 1024 {
                zip.write_all(&out).unwrap();
                out.clear();
            }
        }
        zip.write_all(&out).unwrap();
        zip.start_file("messages.csv", SimpleFileOptions::default())
            .unwrap();
        let mut csv = csv::WriterBuilder::new()
            .buffer_capacity(64 * 1024)
            .from_writer(&mut zip);
        for message in &messages {
            csv.serialize(message).unwrap();
        }
        csv.flush().unwrap();
        drop(csv);
        zip.finish().unwrap().into_inner().len()
    });
}

#[divan::bench]
fn spooled_and_packed(bencher: divan::Bencher<'_, '_>) {
    let messages = messages();
    let vault = MemoryVault::new();
    let spool = spool_of("helpdesk", "Help desk");
    run(vault.create_key(&spool.key)).unwrap();
    bencher
        .with_inputs(|| items(&messages))
        .bench_values(|items| {
            let (store, cancel) = (Memory::default(), Cancel::default());
            let limits = Limits::default();
            let work = package::spool(&spool, reading(items), &store, &vault, &limits, &cancel);
            let report = run(work).unwrap();
            let (cover, target) = (cover(), target());
            let spools = [(spool.clone(), report)];
            run(package::write(
                &target, &cover, &spools, &store, &vault, &cancel,
            ))
            .unwrap()
            .bytes
        });
}

#[divan::bench]
fn spooled_only(bencher: divan::Bencher<'_, '_>) {
    let messages = messages();
    let vault = MemoryVault::new();
    let spool = spool_of("helpdesk", "Help desk");
    run(vault.create_key(&spool.key)).unwrap();
    bencher
        .with_inputs(|| items(&messages))
        .bench_values(|items| {
            let (store, cancel) = (Memory::default(), Cancel::default());
            let limits = Limits::default();
            let work = package::spool(&spool, reading(items), &store, &vault, &limits, &cancel);
            run(work).unwrap().row_bytes
        });
}
