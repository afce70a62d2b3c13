//! Everything of the crate that reads what others wrote: files of hosts, stored rows, sealed frames,
//! what a form sends. One function for each, of bytes; it panics when what must hold does not, and
//! says whether the bytes were read.
//!
//! `tests/parsers/` runs them over seeds and over small changes of seeds; `fuzz/` lets a fuzzer
//! look for worse.

mod law;
mod maps;
mod person;
mod sealed;
mod stored;

/// A reader, what must hold of it, and what to begin with.
pub struct Target {
    pub name: &'static str,
    /// Whether the bytes were read.
    pub read: fn(&[u8]) -> bool,
    /// Each of them is read.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($room:ident: $($name:ident),+;)+) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[
            $($(Target {
                name: stringify!($name),
                read: $room::$name::read,
                seeds: $room::$name::seeds,
            },)+)+
        ];
    };
}

targets! {
    law: regime, overlay, clock_history, readings, calendar_file;
    maps: map_toml, map_json, catalogue;
    person: identifier, names;
    sealed: sealed_value, key_file, frames, spool;
    stored: event, history, snapshot;
}

/// The target of that name.
pub fn target(name: &str) -> &'static Target {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a target of that name")
}

/// What is written and read again is the same.
fn same_again<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq>(value: &T) {
    let written = serde_json::to_vec(value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert!(again == *value, "something is lost in writing");
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
