//! What is left when a request was answered: everything that must not depend on who died when.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use datarights::workflow::Envelope;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;

use crate::child::{DESK, MAIL, OUTSIDE, PACKAGES, REQUESTS};

/// The end of a run.
pub(crate) struct End {
    /// The points that the last process passed.
    pub(crate) points: Vec<String>,
    /// The request's state, without ids and instants.
    state: Json,
    /// What happened, in any order: two sources may answer in either.
    events: Vec<String>,
    /// Every row of the application's tables.
    rows: BTreeMap<String, Vec<String>>,
    /// How many writes were performed under a key of their own.
    performed: usize,
    /// Letters and orders.
    outside: Vec<String>,
    /// The entries of the package: name, size and check sum.
    package: Vec<(String, u64, u32)>,
}

impl End {
    pub(crate) fn of(folder: &Path) -> Self {
        let points = std::fs::read_to_string(crate::points_file(folder)).unwrap();
        let mut rows = dump(&folder.join(DESK));
        rows.extend(dump(&folder.join(MAIL)));
        let performed = rows
            .iter()
            .filter(|(table, _)| table.ends_with("/performed"));
        let performed = performed.map(|(_, rows)| rows.len()).sum();
        rows.retain(|table, _| !table.ends_with("/performed"));
        let mut outside = column(&folder.join(OUTSIDE), "SELECT what FROM received");
        outside.sort();
        Self {
            points: points.lines().map(str::to_owned).collect(),
            state: state(&folder.join(REQUESTS)),
            events: events(&folder.join(REQUESTS)),
            rows,
            performed,
            outside,
            package: package(folder),
        }
    }

    /// Fails unless both ends are the same.
    pub(crate) fn must_be(&self, whole: &Self, what: &str) {
        assert_eq!(self.rows, whole.rows, "{what}: rows");
        assert_eq!(self.performed, whole.performed, "{what}: writes");
        assert_eq!(self.outside, whole.outside, "{what}: letters and orders");
        assert_eq!(self.events, whole.events, "{what}: events");
        let (state, expected) = (lines(&self.state), lines(&whole.state));
        let differs = state
            .iter()
            .zip(&expected)
            .find(|(is, should)| is != should);
        assert_eq!(differs, None, "{what}: state");
        assert_eq!(state.len(), expected.len(), "{what}: state");
        assert_eq!(self.package, whole.package, "{what}: package");
    }
}

fn lines(json: &Json) -> Vec<String> {
    format!("{json:#}").lines().map(str::to_owned).collect()
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// Every row of every table, in the order of the table's keys.
pub(crate) fn dump(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = open(path);
    let tables: Vec<String> = column(path, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    let database = path.file_name().unwrap().to_string_lossy();
    let mut dump = BTreeMap::new();
    for table in tables {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = statement.column_count();
        let cells = |row: &rusqlite::Row<'_>| {
            let cells: rusqlite::Result<Vec<Value>> = (0..columns).map(|n| row.get(n)).collect();
            Ok(format!("{:?}", cells?))
        };
        let rows: rusqlite::Result<Vec<String>> = statement.query_map([], cells).unwrap().collect();
        dump.insert(format!("{database}/{table}"), rows.unwrap());
    }
    dump
}

pub(crate) fn column<T: rusqlite::types::FromSql>(path: &Path, sql: &str) -> Vec<T> {
    let connection = open(path);
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The stored state, read past the store that wrote it.
fn state(requests: &Path) -> Json {
    let states: Vec<Vec<u8>> = column(requests, "SELECT state FROM request");
    assert_eq!(states.len(), 1, "one request was made");
    let mut state = serde_json::from_slice(&states[0]).unwrap();
    neutral(&mut state);
    state
}

/// Takes out what may differ between two runs: ids, instants, digests over them, and the numbers at
/// the end of a part's name: the lease, and the round, which depends on which source answers first.
fn neutral(json: &mut Json) {
    match json {
        Json::String(text) => {
            let id = text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4;
            let digest = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let instant = text.len() > 18 && text.parse::<chrono::DateTime<chrono::Utc>>().is_ok();
            if id || digest || instant {
                text.clear();
            }
            while let Some((name, number)) = text.rsplit_once('/')
                && number.bytes().all(|b| b.is_ascii_digit())
            {
                *text = name.to_owned();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(neutral),
        Json::Object(fields) => {
            // Its lease and its attempt.
            fields.remove("package_name");
            // The size of a package varies with the ids that are compressed in it.
            if let Some(Json::Array(package)) = fields.get_mut("package") {
                package.clear();
            }
            fields.values_mut().for_each(neutral);
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn events(requests: &Path) -> Vec<String> {
    let events: Vec<Vec<u8>> = column(requests, "SELECT bytes FROM event");
    let name = |bytes: Vec<u8>| {
        let envelope = Envelope::decode(&bytes).unwrap();
        let mut event = serde_json::to_value(&envelope.event).unwrap();
        neutral(&mut event);
        match event {
            Json::Object(fields) if fields.contains_key("received") => "received".to_owned(),
            Json::Object(fields) if fields.contains_key("step_answered") => {
                let step = &fields["step_answered"];
                format!("{} {}", step["task"], step["target"])
            }
            other => other.to_string(),
        }
    };
    let mut names: Vec<String> = events.into_iter().map(name).collect();
    names.sort();
    names
}

fn package(folder: &Path) -> Vec<(String, u64, u32)> {
    // A process that was killed may have left another one: the state names the one that counts.
    let states: Vec<Vec<u8>> = column(&folder.join(REQUESTS), "SELECT state FROM request");
    let state: Json = serde_json::from_slice(&states[0]).unwrap();
    let Some(name) = state["fulfilment"]["package_name"].as_str() else {
        return Vec::new();
    };
    let path = find(&folder.join(PACKAGES), name).unwrap();
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).unwrap();
        // The cover and the manifest name the request and the day.
        let name = entry.name().unwrap().into_owned();
        if name.contains('/') {
            entries.push((name, entry.size(), entry.crc32()));
        }
    }
    entries
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name) {
                return Some(found);
            }
        } else if path.ends_with(name) {
            return Some(path);
        }
    }
    None
}
