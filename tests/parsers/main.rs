//! Everything that reads, over its seeds, over what a fuzzer once found, and over small changes of
//! both. `fuzz/` runs the same functions for as long as one likes.
#![cfg(all(
    feature = "datamap",
    feature = "icalendar",
    feature = "package",
    feature = "testkit"
))]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

#[path = "../common/mod.rs"]
mod common;
#[path = "../package_support/mod.rs"]
mod package_support;
mod targets;

use std::path::PathBuf;

use targets::{TARGETS, Target, target};

/// How many changes of each seed are tried in a daily run.
const CHANGES: u64 = 40;

/// What a fuzzer found, and is repaired.
fn found(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/parsers/found")
        .join(target.name);
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file: PathBuf| (file.clone(), std::fs::read(file).unwrap());
    files.into_iter().map(read).collect()
}

/// The same numbers for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) as usize % below.max(1)
    }
}

/// A seed with one to four changes: bytes turned, pieces left out, doubled or taken from another
/// seed, numbers made large.
fn changed(seed: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    const LARGE: [&str; 6] = [
        "4294967295",
        "-1",
        "9223372036854775807",
        "0",
        "1e99",
        "262143",
    ];
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.next(4) {
        let at = chance.next(bytes.len());
        let end = bytes.len().min(at + 1 + chance.next(20));
        match chance.next(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << chance.next(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 if !other.is_empty() => {
                let from = chance.next(other.len());
                let piece = &other[from..other.len().min(from + 1 + chance.next(40))];
                bytes.splice(at..end, piece.iter().copied());
            }
            4 => {
                let digit = |byte: &u8| byte.is_ascii_digit();
                if let Some(first) = bytes[at..].iter().position(digit) {
                    let first = at + first;
                    let length = bytes[first..].iter().take_while(|byte| digit(byte)).count();
                    let large = LARGE[chance.next(LARGE.len())];
                    bytes.splice(first..first + length, large.bytes());
                }
            }
            _ => bytes.truncate(end),
        }
    }
    bytes
}

fn replay(name: &str) {
    let target = target(name);
    let seeds = (target.seeds)();
    for (nth, seed) in seeds.iter().enumerate() {
        let what = String::from_utf8_lossy(seed);
        assert!(
            (target.read)(seed),
            "seed {nth} of {name} is not read: {what}"
        );
    }
    let found = found(target);
    for (file, bytes) in &found {
        println!("{}", file.display());
        (target.read)(bytes);
    }
    let all: Vec<&[u8]> = seeds
        .iter()
        .chain(found.iter().map(|(_, bytes)| bytes))
        .map(Vec::as_slice)
        .collect();
    let rounds = std::env::var("CHANGES").map_or(CHANGES, |many| many.parse().unwrap());
    let changes = (rounds * seeds.len() as u64).min(rounds * 25);
    let mut chance = Chance(1);
    for _ in 0..changes {
        let (seed, other) = (chance.next(all.len()), chance.next(all.len()));
        let bytes = changed(all[seed], all[other], &mut chance);
        let caught = std::panic::catch_unwind(|| (target.read)(&bytes));
        if let Err(panic) = caught {
            println!("{name}: {:?}", String::from_utf8_lossy(&bytes));
            std::panic::resume_unwind(panic);
        }
    }
}

macro_rules! replays {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })+

        #[test]
        fn every_target_is_replayed() {
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(all, [$(stringify!($name)),+]);
        }
    };
}

replays! {
    regime overlay clock_history readings calendar_file
    map_toml map_json catalogue
    identifier names
    sealed_value key_file frames spool
    event history snapshot
}

/// Writes the seeds to `SEEDS_TO/<target>/`, for the fuzzer.
#[test]
fn seeds_are_written_where_asked() {
    let Some(to) = std::env::var_os("SEEDS_TO") else {
        return;
    };
    for target in TARGETS {
        let folder = PathBuf::from(&to).join(target.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (nth, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{nth:03}")), seed).unwrap();
        }
        for (file, bytes) in found(target) {
            std::fs::write(folder.join(file.file_name().unwrap()), bytes).unwrap();
        }
    }
}
