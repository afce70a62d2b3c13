//! What is stored of a request as it is now, written and read: its state and its agenda, each with
//! the number of its schema.
//!
//! What a newer release wrote is told as such, and what this one does not know in it is an error: a
//! field that was passed over would be gone with the next commit. It is told from damage, for which
//! a request may be set aside. Events are read in
//! [`Envelope::decode`](crate::workflow::Envelope::decode).

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::RequestId;
use crate::workflow::Request;

use super::agenda::Agenda;
use super::error::EngineError;

/// The schema that this release writes.
pub(super) const SCHEMA: u16 = 1;

#[derive(Serialize)]
struct StateOut<'a> {
    schema: u16,
    request: &'a Request,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateIn {
    schema: u16,
    request: Request,
}

#[derive(Deserialize)]
struct Schema {
    schema: u16,
}

/// A state as it is stored.
pub(super) fn written(request: &Request) -> Result<Vec<u8>, EngineError> {
    let state = StateOut {
        schema: SCHEMA,
        request,
    };
    serde_json::to_vec(&state).map_err(|_| EngineError::Unreadable {
        what: "state",
        request: request.facts.id,
    })
}

/// The state of a request.
pub(super) fn state(id: RequestId, bytes: &[u8]) -> Result<Request, EngineError> {
    let state: StateIn = read("state", id, bytes, |state: &StateIn| state.schema)?;
    if state.request.facts.id != id {
        return Err(unreadable("state", id));
    }
    Ok(state.request)
}

/// What is still to do for a request.
pub(super) fn agenda(id: RequestId, bytes: &[u8]) -> Result<Agenda, EngineError> {
    read("agenda", id, bytes, Agenda::schema)
}

const fn unreadable(what: &'static str, request: RequestId) -> EngineError {
    EngineError::Unreadable { what, request }
}

/// Reads what this release writes. An older schema will be read forward here, step by step.
fn read<T: DeserializeOwned>(
    what: &'static str,
    request: RequestId,
    bytes: &[u8],
    schema: impl Fn(&T) -> u16,
) -> Result<T, EngineError> {
    match serde_json::from_slice::<T>(bytes) {
        Ok(value) if schema(&value) == SCHEMA => Ok(value),
        _ => match serde_json::from_slice::<Schema>(bytes) {
            Ok(Schema { schema: found }) if found != SCHEMA => Err(EngineError::UnknownSchema {
                what,
                request,
                found,
                known: SCHEMA,
            }),
            // Fields and variants are added under one schema: it may be a newer release's.
            Ok(_) => Err(EngineError::Unfamiliar { what, request }),
            Err(_) => Err(unreadable(what, request)),
        },
    }
}
