//! Who takes part: controllers, processors, recipients, people, their agents, staff.

use serde::{Deserialize, Serialize};

use super::ControllerId;
use super::id::{IdError, check_name, name};
use std::fmt;

name!(
    /// A party as the host calls it: an opaque reference, never a name or a mail address.
    PartyId,
    "party id"
);

/// In which role a party takes part (GDPR Art. 4, 26, 27, 28, 37, 51).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PartyRole {
    /// Decides why and how data is processed.
    Controller,
    /// Decides that together with others.
    JointController,
    /// Processes for a controller.
    Processor,
    /// Processes for a processor.
    SubProcessor,
    /// Receives data.
    Recipient,
    /// The person the data is about.
    DataSubject,
    /// Acts for that person with a mandate.
    AuthorisedAgent,
    /// Stands for a controller outside the territory.
    Representative,
    /// Data protection officer.
    ProtectionOfficer,
    /// Supervisory authority.
    SupervisoryAuthority,
}

/// An organisation or office that takes part. Not for people: they are sealed identifiers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Party {
    /// How the host refers to it.
    pub id: PartyId,
    /// Its role; a host that is controller for some data and processor for other is two parties.
    pub role: PartyRole,
    /// What it is called in letters and lists.
    pub name: String,
    /// ISO 3166-1 alpha-2 code of the country it processes in, where known.
    pub country: Option<String>,
    /// Where it can be written to.
    pub contact: Option<String>,
}

impl Party {
    /// A party without country or contact; set the fields for those.
    pub fn new(id: PartyId, role: PartyRole, name: impl Into<String>) -> Self {
        Self {
            id,
            role,
            name: name.into(),
            country: None,
            contact: None,
        }
    }
}

/// Who gives a command or caused an event. Holds opaque references only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// The person the request is about.
    Person,
    /// Somebody who acts for the person.
    Agent(PartyId),
    /// A member of the host's staff.
    Staff(PartyId),
    /// A controller whose processor the host is.
    Controller(ControllerId),
    /// A processor or another recipient that answers.
    Processor(PartyId),
    /// The host's own software.
    Host,
    /// The engine: a timer that fired, a source that answered.
    Engine,
}

impl Actor {
    /// A member of staff by reference.
    ///
    /// # Errors
    /// [`IdError::Malformed`] when the reference is no name.
    pub fn staff(id: impl Into<String>) -> Result<Self, IdError> {
        Ok(Self::Staff(PartyId::new(id)?))
    }
}
