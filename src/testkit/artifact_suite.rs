//! Checks an artifact store, line by line, against the contract of [`ArtifactStore`].

use futures::TryStreamExt;
use uuid::Uuid;

use super::contract::{Checked, Report, Seen, Violations, ensure, lines};
use crate::model::{ControllerId, RequestId};
use crate::ports::{ArtifactKey, ArtifactStore, ErrorKind, PortError};

lines! {
    /// The lines of the contract of [`ArtifactStore`].
    ArtifactLine {
        Whole = "an artifact becomes visible as a whole with `finish`, or not at all",
        Replaces = "`finish` replaces an older artifact of the same key",
        Absent = "`read` of what is not there is *refused* with the code `no_such_artifact`",
        Deletes = "`delete` removes an artifact; of what is not there, it is no error",
        DeletesAll = "`delete_all` removes every artifact of a request, unfinished ones too, and no other",
        Content = "`read` gives back exactly what was written",
        Apart = "artifacts of different keys are different",
    }
}

/// Checks an artifact store. `open` gives a handle on the same, at first empty, store each time,
/// as after a restart.
///
/// Not checked: that memory does not grow with the size of an artifact.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use datarights::adapters::MemoryArtifacts;
/// use datarights::testkit::artifact_suite;
///
/// let store = MemoryArtifacts::new();
/// artifact_suite::assert_conforms(async || store.clone()).await;
/// # }
/// ```
///
/// # Errors
/// The lines that it breaks.
pub async fn check<A: ArtifactStore>(
    open: impl AsyncFn() -> A,
) -> Result<(), Violations<ArtifactLine>> {
    let mut report = Report::new();
    report.run(ArtifactLine::Whole, whole(&open)).await;
    report.run(ArtifactLine::Replaces, replaces(&open)).await;
    report.run(ArtifactLine::Absent, absent(&open)).await;
    report.run(ArtifactLine::Deletes, deletes(&open)).await;
    report
        .run(ArtifactLine::DeletesAll, deletes_all(&open))
        .await;
    report.run(ArtifactLine::Content, content(&open)).await;
    report.run(ArtifactLine::Apart, apart(&open)).await;
    report.end()
}

/// Like [`check`], and panics with the broken lines.
///
/// # Panics
/// When a line is broken.
#[allow(clippy::panic, reason = "an assertion for tests")]
pub async fn assert_conforms<A: ArtifactStore>(open: impl AsyncFn() -> A) {
    if let Err(violations) = check(open).await {
        panic!("{violations}");
    }
}

fn key(controller: &str, request: u128, name: &str) -> Result<ArtifactKey, Seen> {
    let request = RequestId::new(Uuid::from_u128(request));
    Ok(ArtifactKey::new(
        &ControllerId::new(controller)?,
        request,
        name,
    ))
}

async fn write(
    store: &impl ArtifactStore,
    key: &ArtifactKey,
    pieces: &[&[u8]],
) -> Result<(), PortError> {
    let mut writer = store.writer(key).await?;
    for piece in pieces {
        writer.write(piece).await?;
    }
    writer.finish().await
}

async fn read(store: &impl ArtifactStore, key: &ArtifactKey) -> Result<Vec<u8>, PortError> {
    store.read(key).await?.try_concat().await
}

/// `None` when it is not there.
async fn find(store: &impl ArtifactStore, key: &ArtifactKey) -> Result<Option<Vec<u8>>, PortError> {
    match read(store, key).await {
        Err(error) if error.code == "no_such_artifact" => Ok(None),
        other => other.map(Some),
    }
}

async fn whole<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let (store, other) = (open().await, open().await);
    let at = key("suite", 1, "whole.zip")?;
    let mut writer = store.writer(&at).await?;
    writer.write(b"half").await?;
    ensure!(
        find(&other, &at).await?.is_none(),
        "an unfinished artifact can be read"
    );
    drop(writer);
    ensure!(
        find(&other, &at).await?.is_none(),
        "a dropped writer left an artifact"
    );
    write(&store, &at, &[b"old"]).await?;
    let mut writer = store.writer(&at).await?;
    writer.write(b"a longer half").await?;
    ensure!(
        find(&other, &at).await?.as_deref() == Some(b"old"),
        "an unfinished artifact shows before it replaces the old one"
    );
    drop(writer);
    ensure!(
        find(&other, &at).await?.as_deref() == Some(b"old"),
        "a dropped writer harmed the old artifact"
    );
    Ok(())
}

async fn replaces<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let store = open().await;
    let at = key("suite", 2, "replaced")?;
    write(&store, &at, &[b"a long first one"]).await?;
    write(&store, &at, &[b"second"]).await?;
    ensure!(
        read(&open().await, &at).await? == b"second",
        "the second artifact did not replace the first"
    );
    let (mut one, mut two) = (store.writer(&at).await?, store.writer(&at).await?);
    one.write(b"o").await?;
    two.write(b"two").await?;
    one.write(b"ne").await?;
    two.finish().await?;
    one.finish().await?;
    ensure!(
        read(&store, &at).await? == b"one",
        "two writers of one key mixed; the last to finish should stand alone"
    );
    Ok(())
}

async fn absent<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let Err(error) = read(&open().await, &key("suite", 3, "never")?).await else {
        return Err(Seen("what was never written can be read".to_owned()));
    };
    ensure!(
        error.kind == ErrorKind::Refused && error.code == "no_such_artifact",
        "it was {:?} with the code {}",
        error.kind,
        error.code
    );
    Ok(())
}

async fn deletes<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let store = open().await;
    let (at, beside) = (key("suite", 4, "one")?, key("suite", 4, "two")?);
    store.delete(&at).await?;
    write(&store, &at, &[b"1"]).await?;
    write(&store, &beside, &[b"2"]).await?;
    store.delete(&at).await?;
    ensure!(
        find(&open().await, &at).await?.is_none(),
        "a deleted artifact can be read"
    );
    ensure!(
        find(&store, &beside).await?.as_deref() == Some(b"2"),
        "deleting one artifact harmed another"
    );
    store.delete(&at).await?;
    store.delete(&beside).await?;
    write(&store, &at, &[b"again"]).await?;
    ensure!(
        find(&store, &at).await?.as_deref() == Some(b"again"),
        "a key cannot be used again after its artifact was deleted"
    );
    Ok(())
}

async fn deletes_all<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let store = open().await;
    let (controller, request) = (
        ControllerId::new("all")?,
        RequestId::new(Uuid::from_u128(8)),
    );
    let gone = [key("all", 8, "a")?, key("all", 8, "b")?];
    let kept = [key("all", 9, "a")?, key("all2", 8, "a")?];
    store.delete_all(&controller, request).await?;
    for key in gone.iter().chain(&kept) {
        write(&store, key, &[b"x"]).await?;
    }
    let mut writer = store.writer(&key("all", 8, "half")?).await?;
    writer.write(b"half").await?;
    drop(writer);
    open().await.delete_all(&controller, request).await?;
    for key in &gone {
        ensure!(
            find(&store, key).await?.is_none(),
            "an artifact of the request can still be read"
        );
    }
    for key in &kept {
        ensure!(
            find(&store, key).await?.is_some(),
            "an artifact of another request or controller is gone"
        );
    }
    store.delete_all(&controller, request).await?;
    write(&store, &gone[0], &[b"again"]).await?;
    Ok(())
}

async fn content<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let store = open().await;
    let (empty, large) = (key("suite", 5, "empty")?, key("suite", 5, "large")?);
    write(&store, &empty, &[]).await?;
    ensure!(
        find(&store, &empty).await? == Some(Vec::new()),
        "an empty artifact is not there, or not empty"
    );
    // Not a multiple of anybody's chunk, and no two pieces alike.
    let bytes: Vec<u8> = (0..300_001_u32)
        .flat_map(|n| [n as u8, (n >> 8) as u8])
        .collect();
    let pieces: Vec<&[u8]> = bytes.chunks(70_001).collect();
    write(&store, &large, &pieces).await?;
    ensure!(
        read(&open().await, &large).await? == bytes,
        "a large artifact did not come back as it was"
    );
    Ok(())
}

async fn apart<A: ArtifactStore>(open: &impl AsyncFn() -> A) -> Checked {
    let store = open().await;
    let keys = [
        key("one", 6, "a")?,
        key("two", 6, "a")?,
        key("one", 7, "a")?,
        key("one", 6, "b")?,
        key("one", 6, "..")?,
        key("one", 6, "")?,
    ];
    for key in &keys {
        write(&store, key, &[key.as_str().as_bytes()]).await?;
    }
    for key in &keys {
        ensure!(
            read(&store, key).await? == key.as_str().as_bytes(),
            "two keys share an artifact"
        );
    }
    Ok(())
}
