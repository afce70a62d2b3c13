//! The log's chain: every event holds the digest of the one before it.

use crate::model::Digest;
use crate::workflow::{CodecError, Envelope};

/// Reads a whole history and checks that nothing is missing, altered or moved.
///
/// # Errors
/// [`CodecError::Broken`] names the first event that does not fit; those of [`Envelope::decode`].
pub fn verify<'a>(
    history: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<Envelope>, Digest), CodecError> {
    let mut head = Digest::default();
    let mut envelopes: Vec<Envelope> = Vec::new();
    for bytes in history {
        let envelope = Envelope::decode(bytes)?;
        let fits = envelope.previous == head
            && envelope.sequence == envelopes.len() as u64 + 1
            && envelopes.first().is_none_or(|first| {
                first.request == envelope.request && first.controller == envelope.controller
            });
        if !fits {
            return Err(CodecError::Broken {
                sequence: envelopes.len() as u64 + 1,
            });
        }
        head = Digest::of(bytes);
        envelopes.push(envelope);
    }
    Ok((envelopes, head))
}
