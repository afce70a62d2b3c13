//! Sealed values, files of keys, frames of spools and what stands in them.

use std::io::{Cursor, Read as _};
use std::path::PathBuf;
use std::sync::OnceLock;

use datarights::adapters::{FileVault, MasterKey, MemoryVault, Wrapping};
use datarights::model::{Collection, Column, Digest, KeyId, Sealed, Value};
use datarights::package::{self, Limits, SpoolReport};
use datarights::ports::{Cancel, Cell, File, Item, Vault as _, VaultError};
use futures::executor::block_on;

use super::same_again;
use crate::package_support::{Memory, Toy, bytes, cover, reading, request, run, spool_of, target};

fn key() -> KeyId {
    KeyId::of_request(&crate::package_support::controller(), request())
}

/// A sealed value as it stands in a state.
pub mod sealed_value {
    use super::*;

    fn vault() -> (MemoryVault, Sealed) {
        let vault = MemoryVault::predictable(1);
        let sealed = block_on(async {
            vault.create_key(&key()).await.expect("a key");
            vault.seal(&key(), "letter/0", b"Dear Ada").await
        });
        (vault, sealed.expect("sealed"))
    }

    pub fn read(bytes: &[u8]) -> bool {
        static VAULT: OnceLock<(MemoryVault, Sealed)> = OnceLock::new();
        let Ok(sealed) = serde_json::from_slice::<Sealed>(bytes) else {
            return false;
        };
        same_again(&sealed);
        let (vault, ours) = VAULT.get_or_init(vault);
        match block_on(vault.open("letter/0", &sealed)) {
            Ok(clear) => {
                assert_eq!(clear.expose(), b"Dear Ada");
                assert!(sealed == *ours, "something else was opened");
            }
            Err(_) => assert!(sealed != *ours),
        }
        assert!(block_on(vault.open("letter/1", &sealed)).is_err());
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        vec![serde_json::to_vec(&vault().1).expect("it can be written")]
    }
}

/// A file of a key, in a vault under a master key and in a plain one. With a 1 in front, its sum is
/// made right first.
pub mod key_file {
    use super::*;

    struct Folder {
        // Goes with the process.
        _folder: tempfile::TempDir,
        vault: FileVault,
        file: PathBuf,
        original: Vec<u8>,
        sealed: Sealed,
    }

    fn folder(wrapping: Wrapping) -> Folder {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = FileVault::open(folder.path(), wrapping).expect("a vault");
        let before = files(folder.path());
        let sealed = block_on(async {
            vault.create_key(&key()).await.expect("a key");
            vault.seal(&key(), "letter/0", b"Dear Ada").await
        });
        let mut new = files(folder.path());
        new.retain(|file| !before.contains(file));
        let file = new.pop().expect("the file of the key");
        Folder {
            original: std::fs::read(&file).expect("it is there"),
            vault,
            file,
            sealed: sealed.expect("sealed"),
            _folder: folder,
        }
    }

    fn files(below: &std::path::Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(below).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => found.extend(files(&path)),
                path => found.push(path),
            }
        }
        found
    }

    pub fn read(bytes: &[u8]) -> bool {
        static FOLDERS: OnceLock<[Folder; 2]> = OnceLock::new();
        let folders = FOLDERS.get_or_init(|| {
            let master = Wrapping::Under(MasterKey::from_bytes([7; 32]));
            [folder(Wrapping::Plain), folder(master)]
        });
        let Some((first, rest)) = bytes.split_first() else {
            return false;
        };
        let mut file = rest.to_vec();
        if *first == 1 && file.len() > 32 {
            let end = file.len() - 32;
            let sum = Digest::of(&file[..end]);
            file[end..].copy_from_slice(sum.as_bytes());
        }
        let mut was_read = false;
        for folder in folders {
            std::fs::write(&folder.file, &file).expect("it can be written");
            match block_on(folder.vault.open("letter/0", &folder.sealed)) {
                Ok(clear) => assert_eq!(clear.expose(), b"Dear Ada"),
                Err(VaultError::Shredded(_)) => was_read = true,
                Err(_) => {}
            }
            // What was written over is told, and does not become another key in silence.
            let made = block_on(folder.vault.create_key(&key()));
            if made.is_ok() && file != folder.original {
                was_read = true;
            }
            std::fs::write(&folder.file, &folder.original).expect("it can be written");
            let clear = block_on(folder.vault.open("letter/0", &folder.sealed));
            assert_eq!(clear.expect("it opens again").expose(), b"Dear Ada");
        }
        was_read
    }

    /// A plain key of zeros, and one that was destroyed.
    pub fn seeds() -> Vec<Vec<u8>> {
        [0, 2]
            .map(|kind| {
                let mut file = vec![1];
                file.extend_from_slice(b"drvault1");
                file.push(kind);
                file.resize(1 + 8 + 1 + 96 + 32, 0);
                file
            })
            .into()
    }
}

fn items() -> Vec<Item> {
    let photo = File {
        name: "../photo.jpg".to_owned(),
        media_type: Some("image/jpeg".to_owned()),
        content: bytes(vec![b"not a".to_vec(), b"photo".to_vec()]),
    };
    vec![
        Item::Collection(Collection::new(
            "users",
            [Column::new("name"), Column::new("=at")],
        )),
        Item::Row(vec!["Ada; =1+1".into(), Cell::Value(Value::Int(-1))]),
        Item::Row(vec![Cell::Value(Value::Null), Cell::File(photo)]),
        Item::Collection(Collection::new("tickets", [Column::new("subject")])),
        Item::Row(vec![Cell::Value(Value::Bytes(vec![0, 159]))]),
    ]
}

fn spooled() -> (Memory, package::Spool, SpoolReport) {
    let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
    let (limits, cancel) = (Limits::default(), Cancel::default());
    let toy = Toy::default();
    let report = run(package::spool(
        &spool,
        reading(items()),
        &store,
        &toy,
        &limits,
        &cancel,
    ));
    (store, spool, report.expect("spooled"))
}

/// Packs a spool; what comes of it is a package or a typed error.
fn pack(store: &Memory, spool: package::Spool, report: SpoolReport) -> bool {
    let (toy, cancel) = (Toy::default(), Cancel::default());
    let spools = [(spool, report)];
    let packed = run(package::write(
        &target(),
        &cover(),
        &spools,
        store,
        &toy,
        &cancel,
    ));
    let Ok(packed) = packed else {
        assert!(store.get(&target()).is_none(), "half a package");
        return false;
    };
    let zip = store.get(&target()).expect("a package");
    assert_eq!(
        (zip.len() as u64, Digest::of(&zip)),
        (packed.bytes, packed.digest)
    );
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a ZIP");
    assert_eq!(zip.len() as u64, packed.entries);
    let mut names = std::collections::HashSet::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).expect("an entry");
        assert!(entry.enclosed_name().is_some(), "a name that leads out");
        let name = entry.name().expect("a name").to_lowercase();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("it unpacks");
        if name.ends_with(".json") && !name.starts_with("files/") {
            serde_json::from_slice::<serde_json::Value>(&content).expect("JSON");
        }
        assert!(names.insert(name), "two entries of one name");
    }
    true
}

/// Changes of a spool's artifacts: whatever is changed in them is noticed. Each change is four
/// bytes: what to do, where (two), and with what.
pub mod frames {
    use super::*;

    pub fn read(changes: &[u8]) -> bool {
        static SPOOLED: OnceLock<(Memory, package::Spool, SpoolReport)> = OnceLock::new();
        let (ours, spool, report) = SPOOLED.get_or_init(spooled);
        let originals = [&spool.rows, &spool.files].map(|key| ours.get(key).expect("spooled"));
        let mut artifacts = originals.clone();
        for change in changes.chunks_exact(4).take(64) {
            let [what, high, low, with] = [change[0], change[1], change[2], change[3]];
            let bytes = &mut artifacts[usize::from(what & 1)];
            let at = usize::from(u16::from_be_bytes([high, low])) % (bytes.len() + 1);
            match what >> 1 & 3 {
                0 if at < bytes.len() => bytes[at] = with,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, with),
                3 => {
                    let until = bytes.len().min(at + usize::from(with));
                    let piece: Vec<u8> = bytes.drain(at..until).collect();
                    if what & 8 != 0 {
                        bytes.extend(piece);
                    }
                }
                _ => {}
            }
        }
        let store = Memory::default();
        store.put(&spool.rows, artifacts[0].clone());
        store.put(&spool.files, artifacts[1].clone());
        let packed = pack(&store, spool.clone(), report.clone());
        assert_eq!(packed, artifacts == originals);
        packed
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        vec![Vec::new(), vec![0, 0, 0, 40], vec![4, 0, 9, 1, 6, 0, 9, 1]]
    }
}

/// What a key opened: a report as JSON on a line, how many bytes of rows there are (four, the
/// smallest first), the rows, the files.
pub mod spool {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some((report, rest)) = split_line(bytes) else {
            return false;
        };
        let (Ok(mut report), Some((length, rest))) = (
            serde_json::from_slice::<SpoolReport>(report),
            rest.split_first_chunk(),
        ) else {
            return false;
        };
        same_again(&report);
        let length = u32::from_le_bytes(*length) as usize;
        let (rows, files) = rest.split_at(length.min(rest.len()));
        let (store, spool) = (Memory::default(), spool_of("crm", "Customers"));
        report.rows_mark = put(&store, &spool.rows, rows);
        report.files_mark = put(&store, &spool.files, files);
        pack(&store, spool, report)
    }

    fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        Some((&bytes[..end], &bytes[end + 1..]))
    }

    /// Seals clear records as a spool does, in one frame; gives the mark.
    fn put(store: &Memory, key: &datarights::ports::ArtifactKey, clear: &[u8]) -> Digest {
        let toy = Toy::default();
        let seal = |place: &str, clear: &[u8]| {
            run(toy.seal(&super::key(), place, clear))
                .expect("sealed")
                .bytes
        };
        let first = seal(&format!("spool/1/{key}"), &[]);
        let mark = Digest::of(&first);
        let last = seal(&format!("spool/1/{key}/{mark}/0/last"), clear);
        let length = |bytes: &[u8], last: u32| (bytes.len() as u32 | last).to_le_bytes();
        let frames = [
            &length(&first, 0)[..],
            &first,
            &length(&last, 1 << 31),
            &last,
        ];
        store.put(key, frames.concat());
        mark
    }

    /// The clear records of an artifact with one frame.
    fn records(store: &Memory, key: &datarights::ports::ArtifactKey) -> Vec<u8> {
        let artifact = store.get(key).expect("spooled");
        let first = u32::from_le_bytes(*artifact.first_chunk().expect("a frame")) as usize;
        let mark = Digest::of(&artifact[4..4 + first]);
        let sealed = Sealed {
            key: super::key(),
            bytes: artifact[4 + first + 4..].to_vec(),
        };
        let place = format!("spool/1/{key}/{mark}/0/last");
        let clear = run(Toy::default().open(&place, &sealed)).expect("it opens");
        clear.expose().clone()
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let (store, spool, report) = spooled();
        let rows = records(&store, &spool.rows);
        let mut seed = serde_json::to_vec(&report).expect("it can be written");
        seed.push(b'\n');
        seed.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        seed.extend_from_slice(&rows);
        seed.extend_from_slice(&records(&store, &spool.files));
        vec![seed]
    }
}
