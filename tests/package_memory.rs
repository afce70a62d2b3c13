//! A person with very much data is packed within a fixed amount of memory.
//!
//! Alone in its binary, because the peak that Linux keeps (`VmHWM`) is the whole process's.
//! With 1 GB, by hand:
//! `cargo test --release --features package --test package_memory -- --ignored --nocapture`
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // in helpers of tests, too

mod package_support;

use std::sync::LazyLock;

use datarights::adapters::MemoryVault;
use datarights::model::{Collection, Column, Digest};
use datarights::package::{self, Limits};
use datarights::ports::{Cancel, Cell, File, Item, Reading, Vault};
use futures::StreamExt as _;
use package_support::*;

const MEGABYTE: u64 = 1_000_000;
/// What the issue allows.
const LIMIT: u64 = 64 * 1024;

/// The largest resident size so far, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Bytes that compress badly: a stretch of the same noise, from another place for each seed. Made
/// once, because making them takes longer than packing them where nothing is optimised.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    static POOL: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        });
        words.take(1 << 17).flat_map(u64::to_le_bytes).collect()
    });
    let from = usize::try_from(seed).unwrap() * 7_919 % (POOL.len() - bytes);
    POOL[from..from + bytes].to_vec()
}

/// The same as text, in letters.
fn words(seed: u64, bytes: usize) -> String {
    static POOL: LazyLock<String> = LazyLock::new(|| {
        let letter = |byte| char::from(b'a' + byte % 26);
        noise(0, 1 << 19).into_iter().map(letter).collect()
    });
    let from = usize::try_from(seed).unwrap() * 7_919 % (POOL.len() - bytes);
    POOL[from..from + bytes].to_owned()
}

/// How many rows are as large as the limits allow.
const LARGE: u64 = 4;

/// Half of it messages of about 1 kB, half of it attachments of 1 MB, and a few rows of 4 MB; all
/// made as they are read.
fn person(bytes: u64) -> Reading {
    let messages = Collection::new("messages", ["id", "subject", "body"].map(Column::new));
    let rows = (0..bytes / 2 / 1_000).map(|id| {
        let body = words(id, 1_000);
        let subject = format!("Ticket {id}: the printer, again");
        Item::Row(vec![
            i64::try_from(id).unwrap().into(),
            subject.into(),
            body.into(),
        ])
    });
    let pictures = Collection::new("attachments", [Column::new("content")]);
    let files = (0..bytes / 2 / MEGABYTE).map(|id| {
        let pieces = (0..16).map(move |piece| Ok(noise(id * 16 + piece, 62_500)));
        Item::Row(vec![Cell::File(File {
            name: format!("scan {id}.jpg"),
            media_type: Some("image/jpeg".to_owned()),
            content: futures::stream::iter(pieces).boxed(),
        })])
    });
    let letters = Collection::new("letters", [Column::new("body")]);
    let letter = |_| Item::Row(vec!["=\"4 MB\"".repeat(4_000_000 / 7).into()]);
    let items = [Item::Collection(messages)].into_iter().chain(rows);
    let items = items.chain([Item::Collection(pictures)]).chain(files);
    let items = items
        .chain([Item::Collection(letters)])
        .chain((0..LARGE).map(letter));
    futures::stream::iter(items.map(Ok)).boxed()
}

fn packs_within_memory(bytes: u64, vault: &dyn Vault) {
    let folder = tempfile::tempdir().unwrap();
    let store = Folder(folder.path().to_owned());
    let cancel = Cancel::default();
    let spool = spool_of("helpdesk", "Help desk");
    run(vault.create_key(&spool.key)).unwrap();

    let before = peak();
    let limits = Limits::default();
    let work = package::spool(&spool, person(bytes), &store, vault, &limits, &cancel);
    let spooled = run(work).unwrap();
    let after_spool = peak();
    let (cover, target) = (cover(), target());
    let spools = [(spool, spooled)];
    let report = run(package::write(
        &target, &cover, &spools, &store, vault, &cancel,
    ))
    .unwrap();
    let after = peak();
    println!(
        "{} MB of data, package of {} MB: peak {before} kB before, {after_spool} kB after spooling, \
         {after} kB after packing",
        bytes / MEGABYTE,
        report.bytes / MEGABYTE
    );
    assert_eq!(
        report.rows,
        bytes / 2 / 1_000 + bytes / 2 / MEGABYTE + LARGE
    );
    assert_eq!(report.files, bytes / 2 / MEGABYTE);
    assert!(after < LIMIT, "{after} kB");

    // and it is whole: every entry unpacks, the last file is the one that was made
    let file = std::fs::File::open(store.path(&target)).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    assert_eq!(archive.len() as u64, report.entries);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        std::io::copy(&mut entry, &mut std::io::sink()).unwrap();
    }
    let last = bytes / 2 / MEGABYTE - 1;
    let name = format!("files/helpdesk/attachments/{:06}-scan_{last}.jpg", last + 1);
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_name(&name).unwrap(), &mut content).unwrap();
    let made: Vec<u8> = (0..16)
        .flat_map(|piece| noise(last * 16 + piece, 62_500))
        .collect();
    assert_eq!(Digest::of(&content), Digest::of(&made));
}

#[test]
fn sixty_four_megabytes_are_packed_within_memory() {
    // real ciphers take minutes when they are not optimised
    packs_within_memory(64 * MEGABYTE, &Toy::default());
}

#[test]
#[ignore = "writes 4 GB to the disk; run it alone, by hand, with --release"]
fn a_gigabyte_is_packed_within_memory() {
    packs_within_memory(1_000 * MEGABYTE, &MemoryVault::new());
}
