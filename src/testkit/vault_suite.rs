//! Checks a vault, line by line, against the contract of [`Vault`].

use std::collections::BTreeSet;

use super::contract::{Checked, Report, Seen, Violations, ensure, lines};
use crate::model::{ControllerId, Identifier, KeyId, NormalForm, Sealed};
use crate::ports::{Vault, VaultError};

lines! {
    /// The lines of the contract of [`Vault`].
    VaultLine {
        CreatesOnce = "`create_key` makes a fresh random key once; a second call for the same id leaves it alone",
        ShreddedForEver = "an id whose key was destroyed is `Shredded` for ever",
        Opens = "`open` gives back exactly what was sealed under the same key and place",
        FreshNonce = "`seal` uses a fresh nonce",
        Forged = "`open` of what was altered, or belongs elsewhere, is `Forged`",
        Unknown = "a key that was never made is `UnknownKey`",
        Digest = "`digest` is the same over restarts, and another for each controller",
        DigestOutlives = "`digest` is not derived from any data key",
        ShredsQuietly = "`shred` a second time, or of an unknown key, is no error",
    }
}

/// Checks a vault. `open` gives a handle on the same, at first empty, vault each time, as after a
/// restart.
///
/// Not checked: that no copy of a destroyed key survives, and where keys lie.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use datarights::adapters::MemoryVault;
/// use datarights::testkit::vault_suite;
///
/// let vault = MemoryVault::new();
/// vault_suite::assert_conforms(async || vault.clone()).await;
/// # }
/// ```
///
/// # Errors
/// The lines that it breaks.
pub async fn check<V: Vault>(open: impl AsyncFn() -> V) -> Result<(), Violations<VaultLine>> {
    let mut report = Report::new();
    report
        .run(VaultLine::CreatesOnce, creates_once(&open))
        .await;
    report
        .run(VaultLine::ShreddedForEver, shredded(&open))
        .await;
    report.run(VaultLine::Opens, opens(&open)).await;
    report.run(VaultLine::FreshNonce, fresh_nonce(&open)).await;
    report.run(VaultLine::Forged, forged(&open)).await;
    report.run(VaultLine::Unknown, unknown(&open)).await;
    report.run(VaultLine::Digest, digests(&open)).await;
    report
        .run(VaultLine::DigestOutlives, digest_outlives(&open))
        .await;
    report
        .run(VaultLine::ShredsQuietly, shreds_quietly(&open))
        .await;
    report.end()
}

/// Like [`check`], and panics with the broken lines.
///
/// # Panics
/// When a line is broken.
#[allow(clippy::panic, reason = "an assertion for tests")]
pub async fn assert_conforms<V: Vault>(open: impl AsyncFn() -> V) {
    if let Err(violations) = check(open).await {
        panic!("{violations}");
    }
}

fn key(name: &str) -> Result<KeyId, Seen> {
    Ok(KeyId::try_from(format!("vault-suite/{name}"))?)
}

fn mail(address: &str) -> Result<NormalForm, Seen> {
    Ok(Identifier::mail(address)?.normal()?)
}

async fn creates_once<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let (one, other) = (open().await, open().await);
    let id = key("once")?;
    let (first, second) = futures::join!(one.create_key(&id), other.create_key(&id));
    first?;
    second?;
    let sealed = one.seal(&id, "a", b"before").await?;
    open().await.create_key(&id).await?;
    let opened = open().await.open("a", &sealed).await?;
    ensure!(
        opened.expose() == b"before",
        "a second call changed the key: what was sealed before reads differently"
    );
    let moved = Sealed {
        key: key("once-more")?,
        bytes: sealed.bytes,
    };
    one.create_key(&moved.key).await?;
    ensure!(
        one.open("a", &moved).await.is_err(),
        "one key opens what another sealed"
    );
    Ok(())
}

async fn shredded<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let vault = open().await;
    let id = key("shredded")?;
    vault.create_key(&id).await?;
    let sealed = vault.seal(&id, "a", b"gone").await?;
    vault.shred(&id).await?;
    for (when, vault) in [("at once", vault), ("on another handle", open().await)] {
        let gone = VaultError::Shredded(id.clone());
        let told = [
            ("open", vault.open("a", &sealed).await.err()),
            ("seal", vault.seal(&id, "a", b"new").await.err()),
            ("create_key", vault.create_key(&id).await.err()),
            (
                "open after create_key",
                vault.open("a", &sealed).await.err(),
            ),
        ];
        for (method, error) in told {
            ensure!(
                error.as_ref() == Some(&gone),
                "{when}, {method} gave {error:?}"
            );
        }
    }
    Ok(())
}

async fn opens<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let vault = open().await;
    let id = key("opens")?;
    vault.create_key(&id).await?;
    let long = vec![0xa5; 65_537];
    for clear in [b"".as_slice(), b"\0", b"Dear Ada", &long] {
        for place in ["", "letter/0", "a/b/c"] {
            let sealed = vault.seal(&id, place, clear).await?;
            ensure!(
                sealed.key == id,
                "a sealed value names another key than its own"
            );
            let again = open().await.open(place, &sealed).await?;
            ensure!(
                again.expose() == clear,
                "{} bytes did not come back as they were",
                clear.len()
            );
        }
    }
    let sealed = vault.seal(&id, "a", b"recognisable").await?;
    let shown = sealed
        .bytes
        .windows(12)
        .any(|bytes| bytes == b"recognisable");
    ensure!(!shown, "the sealed bytes hold the value in clear");
    Ok(())
}

async fn fresh_nonce<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let id = key("nonce")?;
    open().await.create_key(&id).await?;
    let mut seen = BTreeSet::new();
    for _ in 0..8 {
        let (one, other) = (open().await, open().await);
        for vault in [one, other] {
            let sealed = vault.seal(&id, "a", b"same").await?;
            ensure!(
                seen.insert(sealed.bytes),
                "the same value was sealed twice into the same bytes"
            );
        }
    }
    Ok(())
}

async fn forged<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let vault = open().await;
    let (id, other) = (key("forged")?, key("forged-other")?);
    vault.create_key(&id).await?;
    vault.create_key(&other).await?;
    let sealed = vault.seal(&id, "letter/0", b"Dear Ada").await?;
    let refused = |error: Option<VaultError>, key: &KeyId, what: &str| -> Checked {
        ensure!(
            error == Some(VaultError::Forged(key.clone())),
            "{what} gave {error:?}"
        );
        Ok(())
    };
    for at in 0..sealed.bytes.len() {
        let mut altered = sealed.clone();
        altered.bytes[at] ^= 1;
        let error = vault.open("letter/0", &altered).await.err();
        refused(error, &id, &format!("a flipped bit in byte {at}"))?;
    }
    for length in [0, 1, sealed.bytes.len() / 2, sealed.bytes.len() - 1] {
        let mut cut = sealed.clone();
        cut.bytes.truncate(length);
        let error = vault.open("letter/0", &cut).await.err();
        refused(error, &id, &format!("cut to {length} bytes"))?;
    }
    for place in ["letter/1", "letter/00", "letter", ""] {
        let error = vault.open(place, &sealed).await.err();
        refused(error, &id, "another place")?;
    }
    let moved = Sealed {
        key: other.clone(),
        bytes: sealed.bytes,
    };
    let error = vault.open("letter/0", &moved).await.err();
    refused(error, &other, "another key")
}

async fn unknown<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let (vault, id) = (open().await, key("unknown")?);
    let unknown = Some(VaultError::UnknownKey(id.clone()));
    let error = vault.seal(&id, "a", b"x").await.err();
    ensure!(error == unknown, "seal gave {error:?}");
    let sealed = Sealed {
        key: id,
        bytes: vec![1; 64],
    };
    let error = vault.open("a", &sealed).await.err();
    ensure!(error == unknown, "open gave {error:?}");
    Ok(())
}

async fn digests<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let vault = open().await;
    let (acme, other) = (ControllerId::new("acme")?, ControllerId::new("other")?);
    let (ada, bob) = (mail("ada@example.org")?, mail("bob@example.org")?);
    let (first, raced) = {
        let racing = open().await;
        futures::join!(vault.digest(&acme, &ada), racing.digest(&acme, &ada))
    };
    let first = first?;
    ensure!(
        first == raced?,
        "two handles began a controller with two keys"
    );
    let again = open().await.digest(&acme, &ada).await?;
    ensure!(first == again, "another handle digests differently");
    ensure!(
        first != vault.digest(&acme, &bob).await?,
        "two people have one digest"
    );
    ensure!(
        first != vault.digest(&other, &ada).await?,
        "two controllers digest alike"
    );
    let plain = crate::model::Digest::of(ada.digest_input().expose());
    ensure!(
        first.as_bytes() != plain.as_bytes(),
        "the digest is under no key"
    );
    Ok(())
}

async fn digest_outlives<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let vault = open().await;
    let controller = ControllerId::new("outlives")?;
    let id = KeyId::try_from("outlives/1".to_owned())?;
    vault.create_key(&id).await?;
    let ada = mail("ada@example.org")?;
    let before = vault.digest(&controller, &ada).await?;
    vault.shred(&id).await?;
    let after = vault.digest(&controller, &ada).await?;
    ensure!(before == after, "destroying a data key changed a digest");
    Ok(())
}

async fn shreds_quietly<V: Vault>(open: &impl AsyncFn() -> V) -> Checked {
    let vault = open().await;
    let id = key("twice")?;
    vault.create_key(&id).await?;
    vault.shred(&id).await?;
    vault.shred(&id).await?;
    vault.shred(&key("never-made")?).await?;
    Ok(())
}
