//! What an author provides for each check: a fresh source with known people in it, and a way to
//! look at its rows past the source.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{ControllerId, Correction, Identifier, Personal, Use};
use crate::ports::PersonalDataSource;

/// Whose rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Those of the person the specimen is about.
    Person,
    /// All the others: of the other person, of third parties, of nobody.
    Others,
}

/// A row as it is stored.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OracleRow {
    /// The collection, as the source names it.
    pub collection: String,
    /// All that is stored in it, in any form: it is compared, never read.
    pub content: Personal<String>,
}

impl OracleRow {
    /// A row of a collection.
    pub fn new(collection: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            collection: collection.into(),
            content: Personal::new(content.into()),
        }
    }
}

/// Knows what is really stored, without asking the source.
#[async_trait]
pub trait Oracle: Send + Sync {
    /// The rows as they are now. A row that was anonymised is nobody's and stands among the
    /// others, where a check expects it to be new; leave such rows out.
    async fn rows(&self, whose: Whose) -> Vec<OracleRow>;

    /// Removes the person's rows of one collection, as an erasure would that broke off after it.
    /// Answers whether that was possible; constraints may forbid it.
    async fn lose(&self, collection: &str) -> bool;

    /// Whether the application would use the data of whoever has this identifier so, for a
    /// controller: asked before and after uses ended. `None` where that cannot be seen from
    /// outside; nothing of `stop` but its answers is checked then.
    async fn is_used(&self, _: &ControllerId, _: &Identifier, _: &Use) -> Option<bool> {
        None
    }

    /// Does the work outside that a *pending* answer waits for. Nothing, where none pends.
    async fn work(&self) {}
}

/// A fresh source with two known people in it.
#[non_exhaustive]
pub struct Specimen {
    /// The source.
    pub source: Arc<dyn PersonalDataSource>,
    /// Knows what is stored in it.
    pub oracle: Arc<dyn Oracle>,
    /// By what the person is found whom the checks are about. They should have rows in every
    /// collection, several in some.
    pub person: Vec<Identifier>,
    /// By what somebody else is found, with rows beside those of the person.
    pub other: Vec<Identifier>,
    /// Collections with rows of the person that must be kept.
    pub withheld: Vec<String>,
    /// A correction of the person's data that is possible and changes something.
    pub possible: Option<Correction>,
    /// A correction that is not: of a field that does not exist, or by a value of another type.
    pub impossible: Option<Correction>,
    /// What stands in the person's rows and may never be handed over.
    pub secrets: Vec<Personal<String>>,
}

impl Specimen {
    /// A source without retention, corrections and secrets; the other methods add them.
    pub fn new(
        source: Arc<dyn PersonalDataSource>,
        oracle: Arc<dyn Oracle>,
        person: Vec<Identifier>,
        other: Vec<Identifier>,
    ) -> Self {
        Self {
            source,
            oracle,
            person,
            other,
            withheld: Vec::new(),
            possible: None,
            impossible: None,
            secrets: Vec::new(),
        }
    }

    /// The person has rows in this collection that must be kept.
    #[must_use]
    pub fn withholding(mut self, collection: impl Into<String>) -> Self {
        self.withheld.push(collection.into());
        self
    }

    /// Corrections: one that is possible, and one that is not.
    #[must_use]
    pub fn correcting(mut self, possible: Correction, impossible: Correction) -> Self {
        self.possible = Some(possible);
        self.impossible = Some(impossible);
        self
    }

    /// This stands in the person's rows and may never be handed over.
    #[must_use]
    pub fn hiding(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(Personal::new(secret.into()));
        self
    }
}

impl fmt::Debug for Specimen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Specimen({})", self.source.describe().id)
    }
}
