//! The directory of a file vault: which file is whose, and how one is written, replaced and
//! overwritten. Knows nothing of what stands in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::model::Digest;

/// Files of keys below one directory. All writing happens under an exclusive lock that holds
/// among processes and is given back when one dies.
pub(super) struct Folder {
    root: PathBuf,
}

/// Where a key lies. Names are hashed: no file system folds their case, and they show nothing.
#[derive(Clone)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn of(name: &str) -> Self {
        Self(Digest::of(name.as_bytes()).to_string())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The right to write, until it is dropped.
pub(super) struct Writing<'a> {
    folder: &'a Folder,
    _lock: File,
}

const UNFINISHED: &str = "unfinished";

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// Makes names in a directory durable. Other systems than Unix do that by themselves.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

impl Folder {
    /// Makes the directory below `path` and clears away what a dead process left unfinished.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        private_folder(path)?;
        let folder = Self {
            root: path.join("keys"),
        };
        private_folder(&folder.root)?;
        sync_folder(path)?;
        folder.write()?.clear()?;
        Ok(folder)
    }

    /// Waits for the lock.
    pub(super) fn write(&self) -> io::Result<Writing<'_>> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let lock = private_file(&mut options, &self.root.join("lock"))?;
        lock.lock()?;
        Ok(Writing {
            folder: self,
            _lock: lock,
        })
    }

    fn path(&self, place: &Place) -> PathBuf {
        self.root.join(&place.0[..2]).join(&place.0)
    }

    /// Every place where a key lies or lay.
    pub(super) fn places(&self) -> io::Result<Vec<Place>> {
        let mut places = Vec::new();
        for shard in fs::read_dir(&self.root)? {
            let shard = shard?;
            if !shard.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(shard.path())? {
                let name = file?.file_name();
                let hash = name.to_str().and_then(Digest::from_hex);
                places.extend(hash.map(|hash| Place(hash.to_string())));
            }
        }
        Ok(places)
    }

    /// The content of a key's file, or `None`.
    pub(super) fn read(&self, place: &Place) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(place)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Writing<'_> {
    fn clear(&self) -> io::Result<()> {
        let path = self.folder.root.join(UNFINISHED);
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => wipe(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        fs::remove_file(path)
    }

    /// Writes a key's file as a whole, replacing what was there; durable when it returns. What it
    /// replaces is overwritten as well as can be.
    pub(super) fn put(&self, place: &Place, bytes: &[u8]) -> io::Result<()> {
        self.clear()?;
        let path = self.folder.path(place);
        let parent = path.parent().unwrap_or(&self.folder.root);
        if !parent.is_dir() {
            private_folder(parent)?;
            sync_folder(&self.folder.root)?;
        }
        let unfinished = self.folder.root.join(UNFINISHED);
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        let mut file = private_file(&mut options, &unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let replaced = match OpenOptions::new().write(true).open(&path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        fs::rename(&unfinished, &path)?;
        sync_folder(parent)?;
        replaced.map_or(Ok(()), wipe)
    }

    /// Overwrites a key's file where it lies: bytes of the same length take the same place on a
    /// disk that overwrites in place. Durable when it returns.
    pub(super) fn overwrite(&self, place: &Place, bytes: &[u8]) -> io::Result<()> {
        match OpenOptions::new().write(true).open(self.folder.path(place)) {
            Ok(mut file) => {
                file.write_all(bytes)?;
                file.set_len(bytes.len() as u64)?;
                file.sync_all()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.put(place, bytes),
            Err(error) => Err(error),
        }
    }
}

/// Overwrites a file with zeros, in place.
fn wipe(mut file: File) -> io::Result<()> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}
