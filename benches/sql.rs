//! Erasing and exporting one person out of 10,000 users, 100,000 orders and 100,000 payments, against
//! the same work by hand: plain updates in one transaction, plain selects into the same two formats.
//! Apart from that: strategies that make a new value for each row, and the search by value.
//!
//! `cargo bench --features sql-sqlite,sql-postgres,sql-mysql --bench sql [sqlite|postgres|mariadb]`
//! needs PostgreSQL at `127.0.0.1:5432` (user `postgres`) and MariaDB at `127.0.0.1:3306` (user
//! `root`); a server that is not there is passed over.
#![allow(clippy::unwrap_used)]

#[path = "sql/desk.rs"]
mod desk;
#[path = "../tests/package_support/mod.rs"]
mod package_support;

use std::time::{Duration, Instant};

use datarights::datamap::Strategy;
use datarights::model::Category;
use desk::{Desk, HEAVY, LIGHT, name_erased_by};

/// How often each is measured, in turns.
const TURNS: usize = 7;
/// The same for what takes longer.
const FEW: usize = 3;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| {
        let named = |arg: &String| !arg.starts_with('-');
        wanted.iter().any(|arg| arg == name) || !wanted.iter().any(named)
    };
    for name in ["sqlite", "postgres", "mariadb"] {
        if !wants(name) {
            continue;
        }
        let Some(desk) = Desk::new(name).await else {
            println!("{name}: no server, passed over");
            continue;
        };
        erasing(&desk, name).await;
        exporting(&desk, name).await;
        one_by_one(&desk, name).await;
        searching(&desk, name).await;
        desk.drop_database().await;
    }
}

/// Another strategy for one column of 10,000 of the 20,001 rows.
async fn one_by_one(desk: &Desk, name: &str) {
    let free_text = || {
        datarights::datamap::Column::of(Category::Correspondence)
            .free_text()
            .erased_by(Strategy::Keep)
    };
    let ways = [
        ("no value", name_erased_by(Strategy::Null)),
        ("pseudonyms", name_erased_by(Strategy::Pseudonym)),
        ("chance", name_erased_by(Strategy::Random)),
        ("free text", free_text()),
    ];
    for (way, column) in ways {
        let mut whole = Vec::new();
        for turn in 0..FEW {
            desk.restore(HEAVY).await;
            desk.tell(HEAVY).await;
            let key = format!("{way} {turn}");
            whole.push(desk.erase_with(HEAVY, column.clone(), &key).await);
        }
        let whole = median(whole);
        println!("{name}, 10,000 of the 20,001 rows by {way}: together {whole:.0} ms");
    }
}

/// The search by value, through all 210,000 rows.
async fn searching(desk: &Desk, name: &str) {
    desk.restore(HEAVY).await;
    let found = desk.locate(HEAVY).await;
    let (mut times, mut memory) = (Vec::new(), 0);
    for _ in 0..FEW {
        let before = resident();
        let begun = Instant::now();
        assert_eq!(desk.search(&found).await, 4);
        times.push(begun.elapsed());
        memory = memory.max(peak().saturating_sub(before));
    }
    println!(
        "{name}, search by value through 210,011 rows: {:.0} ms, {memory} kB more of memory",
        median(times)
    );
}

/// What this process has in memory, in kB; its peak is counted from here on. The server's is not
/// in it.
fn resident() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    kilobytes("VmRSS:")
}

fn peak() -> u64 {
    kilobytes("VmHWM:")
}

fn kilobytes(of: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(of)).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

async fn erasing(desk: &Desk, name: &str) {
    for (who, rows) in [(HEAVY, "20,001"), (LIGHT, "21")] {
        let (mut plain, mut locate, mut plan) = (Vec::new(), Vec::new(), Vec::new());
        let (mut erase, mut residue, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        let mut counted = Vec::new();
        for turn in 0..TURNS {
            desk.restore(who).await;
            let begun = Instant::now();
            assert!(desk.count_by_hand(who).await >= 21);
            let before = begun.elapsed();
            let begun = Instant::now();
            desk.erase_by_hand(who).await;
            plain.push(begun.elapsed());
            let begun = Instant::now();
            assert_eq!(desk.count_by_hand(who).await, 0);
            counted.push(before + begun.elapsed());

            desk.restore(who).await;
            let begun = Instant::now();
            let found = desk.locate(who).await;
            locate.push(begun.elapsed());
            let begun = Instant::now();
            let planned = desk.plan(&found).await;
            plan.push(begun.elapsed());
            let then = Instant::now();
            desk.erase(&found, &planned, &format!("{who} {turn}")).await;
            erase.push(then.elapsed());
            let then = Instant::now();
            desk.residue(&found).await;
            residue.push(then.elapsed());
            whole.push(begun.elapsed());
            assert_eq!(desk.count_by_hand(who).await, 0);
        }
        let (plain, counted, whole) = (median(plain), median(counted), median(whole));
        println!(
            "{name}, {rows} rows: plain {plain:.1} ms, counting before and after {counted:.1} ms; plan {:.1}, erase \
             {:.1}, residue {:.1}, together {whole:.1} ms: {:.2} x, {:+.1} ms; with counting by hand {:.2} x \
             (locate {:.1} ms)",
            median(plan),
            median(erase),
            median(residue),
            whole / plain,
            whole - plain,
            whole / (plain + counted),
            median(locate),
        );
    }
}

async fn exporting(desk: &Desk, name: &str) {
    desk.restore(HEAVY).await;
    let (mut plain, mut read, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    let found = desk.locate(HEAVY).await;
    for _ in 0..TURNS {
        let begun = Instant::now();
        let by_hand = desk.export_by_hand(HEAVY).await;
        plain.push(begun.elapsed());
        let begun = Instant::now();
        assert_eq!(desk.read(&found).await, 20_001);
        read.push(begun.elapsed());
        let begun = Instant::now();
        let packed = desk.export(&found).await;
        ours.push(begun.elapsed());
        assert!(by_hand > 1000 && packed > 1000);
    }
    let (plain, ours) = (median(plain), median(ours));
    println!(
        "{name}, export of 20,001 rows: by hand {plain:.1} ms; read {:.1}, read and packed {ours:.1} ms: {:.2} x",
        median(read),
        ours / plain
    );
}
