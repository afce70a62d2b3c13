//! Artifacts as files below a directory.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::{StreamExt, stream};

use super::{CHUNK, no_such_artifact};
use crate::adapters::io_code::io_code;
use crate::model::{ControllerId, RequestId};
use crate::ports::{ArtifactKey, ArtifactStore, ArtifactWriter, ByteStream, PortError};

/// One file per artifact, `controller/request/name` below a directory, readable by its owner only
/// (`0700`, `0600` on Unix).
///
/// An artifact is written to a hidden file, made durable and then moved to its name. File
/// operations block for the time of one chunk; on a slow disk, give it a runtime of its own. A
/// process that dies leaves its hidden files: [`DirArtifacts::sweep`] clears them away.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// use datarights::adapters::DirArtifacts;
/// use datarights::model::{ControllerId, RequestId};
/// use datarights::ports::{ArtifactKey, ArtifactStore};
///
/// let store = DirArtifacts::new(path);
/// let request = RequestId::new(uuid::Uuid::from_u128(1));
/// let key = ArtifactKey::new(&ControllerId::new("acme")?, request, "package.zip");
/// let mut writer = store.writer(&key).await?;
/// writer.write(b"PK").await?;
/// assert!(!store.path(&key).exists()); // not there before it is whole
/// writer.finish().await?;
/// assert_eq!(std::fs::read(store.path(&key))?, b"PK");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DirArtifacts {
    root: PathBuf,
}

/// Ends the name of a file that is being written; it begins with a dot, which no key's name does.
const UNFINISHED: &str = ".unfinished";

/// Tells apart the files that this process writes.
static WRITERS: AtomicU64 = AtomicU64::new(0);

/// How often a folder is made again that somebody else tidies away at the same time.
const TRIES: usize = 8;

impl DirArtifacts {
    /// A store below a directory, which is made when it is needed.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where an artifact lies, or would.
    pub fn path(&self, key: &ArtifactKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Removes what processes left that died while they wrote, and says how many files it were.
    /// What is being written now is left alone. Blocks.
    ///
    /// # Errors
    /// The file system's, as for the other operations.
    pub fn sweep(&self) -> Result<u64, PortError> {
        sweep(&self.root, 2).map_err(failed)
    }
}

/// Removes what nobody writes any more, so many folders deep.
fn sweep(folder: &Path, depth: usize) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let unfinished = name
            .to_str()
            .is_some_and(|name| name.starts_with('.') && name.ends_with(UNFINISHED));
        if kind.is_dir() && depth > 0 {
            removed += sweep(&entry.path(), depth - 1)?;
        } else if kind.is_file() && unfinished && abandoned(&entry.path())? {
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes a file unless its writer lives: a writer holds a lock on it.
fn abandoned(path: &Path) -> io::Result<bool> {
    let gone = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(false),
        _ => Err(error),
    };
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    match file.try_lock() {
        Ok(()) => fs::remove_file(path).map_or_else(gone, |()| Ok(true)),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: io::Error) -> PortError {
    match io_code(&error) {
        (code, true) => PortError::unavailable(code),
        (code, false) => PortError::refused(code),
    }
}

/// Makes a folder with those above it, durably.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        make_folder(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes names in a folder durable. Other systems than Unix do that by themselves.
fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// A file that takes its name when it is finished, and goes when it is dropped before.
struct Writer {
    file: File,
    hidden: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Writer {
    fn begin(path: PathBuf) -> io::Result<Self> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let mut tries = 0;
        loop {
            make_folder(folder)?;
            let nth = WRITERS.fetch_add(1, Ordering::Relaxed);
            let hidden = folder.join(format!(".{}-{nth}{UNFINISHED}", std::process::id()));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&hidden) {
                Ok(file) => {
                    file.lock()?;
                    return Ok(Self {
                        file,
                        hidden,
                        path,
                        finished: false,
                    });
                }
                // A dead process of the same number left one, or the folder was tidied away.
                Err(error)
                    if tries < TRIES
                        && matches!(
                            error.kind(),
                            io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound
                        ) =>
                {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.hidden, &self.path)?;
        self.finished = true;
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            // Cannot be told to anybody; `sweep` finds it later.
            let _ = fs::remove_file(&self.hidden);
        }
    }
}

#[async_trait]
impl ArtifactWriter for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.file.write_all(bytes).map_err(failed)
    }

    async fn finish(mut self: Box<Self>) -> Result<(), PortError> {
        self.publish().map_err(failed)
    }
}

#[async_trait]
impl ArtifactStore for DirArtifacts {
    async fn writer(&self, key: &ArtifactKey) -> Result<Box<dyn ArtifactWriter>, PortError> {
        let writer = Writer::begin(self.path(key)).map_err(failed)?;
        Ok(Box::new(writer))
    }

    async fn read(&self, key: &ArtifactKey) -> Result<ByteStream, PortError> {
        let file = File::open(self.path(key)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => no_such_artifact(),
            _ => failed(error),
        })?;
        // After an error, the stream ends.
        let pieces = stream::unfold(Some(file), |file| async move {
            let file = file?;
            let mut piece = Vec::with_capacity(CHUNK);
            match (&file).take(CHUNK as u64).read_to_end(&mut piece) {
                Ok(0) => None,
                Ok(_) => Some((Ok(piece), Some(file))),
                Err(error) => Some((Err(failed(error)), None)),
            }
        });
        Ok(pieces.boxed())
    }

    async fn delete(&self, key: &ArtifactKey) -> Result<(), PortError> {
        let path = self.path(key);
        match fs::remove_file(&path).and_then(|()| tidy(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Takes the folder of the request with all that is in it: what somebody still writes there
    /// fails when it is finished.
    async fn delete_all(
        &self,
        controller: &ControllerId,
        request: RequestId,
    ) -> Result<(), PortError> {
        let prefix = ArtifactKey::prefix(controller, request);
        let folder = self.root.join(prefix.trim_end_matches('/'));
        let removed = fs::remove_dir_all(&folder).and_then(|()| {
            let controller = folder.parent().unwrap_or(&self.root);
            sync_folder(controller)?;
            match fs::remove_dir(controller) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                other => other.and_then(|()| sync_folder(&self.root)),
            }
        });
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

/// Makes a removal durable, and removes the folders of request and controller with their last
/// file. An error of kind *not found* says that somebody else did.
fn tidy(removed: &Path) -> io::Result<()> {
    let mut folders = removed.ancestors().skip(1);
    for folder in folders.by_ref().take(2) {
        sync_folder(folder)?;
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
            other => other?,
        }
    }
    folders.next().map_or(Ok(()), sync_folder)
}
