//! What is said around the data: whose it is, for which request, and what is not in it.

use chrono::{DateTime, Utc};

use crate::model::{MissingRows, RequestId, Right, SourceId, WithheldRows};

use super::Words;

/// What a package says besides the data.
///
/// ```
/// use datarights::model::{RequestId, Right};
/// use datarights::package::{Cover, Statement};
///
/// let request = RequestId::new(Default::default());
/// let mut cover =
///     Cover::new("Your data", "Acme", request, Right::Access, chrono::DateTime::UNIX_EPOCH, "fr-BE");
/// assert_eq!(cover.words.skip, "Aller au contenu");
/// cover.words.name("ground.tax_records", "Le droit fiscal nous oblige à les conserver.");
/// cover.statements.push(Statement::new("Finalités", ["Le support."]));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Cover {
    /// The heading.
    pub title: String,
    /// What the controller is called.
    pub controller: String,
    /// The request that is answered.
    pub request: RequestId,
    /// The right that was exercised.
    pub right: Right,
    /// When the package was made; also the time of every entry.
    pub created_at: DateTime<Utc>,
    /// The language of the page (BCP 47), e.g. `en`, `fr-BE`.
    pub language: String,
    /// The words of the page, in that language.
    pub words: Words,
    /// What the law wants said beside the data (e.g. GDPR Art. 15(1)), in the order it is shown.
    pub statements: Vec<Statement>,
    /// What could not be read out, and why. A source that failed stands here and has no spool.
    pub missing: Vec<Of<MissingRows>>,
    /// What is withheld besides what the spools' reports already say.
    pub withheld: Vec<Of<WithheldRows>>,
}

impl Cover {
    /// A cover in English or French, as the language says; with nothing missing or withheld.
    pub fn new(
        title: impl Into<String>,
        controller: impl Into<String>,
        request: RequestId,
        right: Right,
        created_at: DateTime<Utc>,
        language: impl Into<String>,
    ) -> Self {
        let language = language.into();
        Self {
            title: title.into(),
            controller: controller.into(),
            request,
            right,
            created_at,
            words: Words::of(&language),
            language,
            statements: Vec::new(),
            missing: Vec::new(),
            withheld: Vec::new(),
        }
    }
}

/// A section of plain text: a heading and paragraphs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The heading.
    pub title: String,
    /// The paragraphs.
    pub paragraphs: Vec<String>,
}

impl Statement {
    /// A section of these paragraphs.
    pub fn new<P: Into<String>>(
        title: impl Into<String>,
        paragraphs: impl IntoIterator<Item = P>,
    ) -> Self {
        Self {
            title: title.into(),
            paragraphs: paragraphs.into_iter().map(Into::into).collect(),
        }
    }
}

/// Something said of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Of<T> {
    /// The source.
    pub source: SourceId,
    /// What a person would call it.
    pub title: String,
    /// What is said.
    pub rows: T,
}

impl<T> Of<T> {
    /// Says it of a source.
    pub fn new(source: SourceId, title: impl Into<String>, rows: T) -> Self {
        Self {
            source,
            title: title.into(),
            rows,
        }
    }
}
