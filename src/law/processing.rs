//! What a controller's record of processing says, in the items that an access answer needs.

use serde::{Deserialize, Serialize};

use super::Content;

/// One processing activity as its record describes it (GDPR Art. 30), seen from Art. 15.
///
/// What is left empty stays missing: the [`Letter`](super::Letter) then cannot be built.
///
/// ```
/// use datarights::law::{Content, Letter, ProcessingRecord, Regimes, Step};
/// use datarights::model::Right;
/// let record = ProcessingRecord {
///     purposes: vec!["support".into()],
///     categories: vec!["tickets".into(), "contact data".into()],
///     recipients: vec!["Mail Ltd (Ireland), sends our mail".into()],
///     period: "until one year after the contract ends".into(),
///     ..ProcessingRecord::default()
/// };
/// let said = |id, words: &str| (id, Content::Says(words.into()));
/// let gdpr = Regimes::builtin().get("eu_gdpr")?;
/// let notice = gdpr.notice(Step::Response, &Right::Access).unwrap();
/// let letter = Letter::new(notice, record.contents().into_iter().chain([
///     said("confirmation", "We process data about you."),
///     said("rights", "You can ask for rectification, erasure or restriction, and object."),
///     said("complaint", "You can complain to the CNIL."),
///     said("copy", "The data are attached."),
/// ]));
/// assert!(letter.is_ok());
/// # Ok::<(), datarights::law::RegimeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessingRecord {
    /// For which purposes (15(1)(a)).
    pub purposes: Vec<String>,
    /// Which categories of data (15(1)(b)).
    pub categories: Vec<String>,
    /// To whom they were or will be disclosed (15(1)(c)).
    pub recipients: Vec<String>,
    /// How long they are kept, or by what that is decided (15(1)(d)).
    pub period: String,
    /// Where the data come from; `None`: from the person (15(1)(g)).
    #[serde(default)]
    pub source: Option<String>,
    /// Automated decisions, their logic and consequences; `None`: there are none (15(1)(h)).
    #[serde(default)]
    pub automated_decisions: Option<String>,
    /// The safeguards of transfers to third countries; `None`: there are none (15(2)).
    #[serde(default)]
    pub transfer_safeguards: Option<String>,
}

impl ProcessingRecord {
    /// The items of an access answer that the record fills, by their names.
    pub fn contents(&self) -> [(&'static str, Content); 7] {
        let listed = |list: &[String]| Content::Says(list.join("; "));
        let if_any = |words: &Option<String>| match words {
            Some(words) => Content::Says(words.clone()),
            None => Content::NotApplicable,
        };
        [
            ("purposes", listed(&self.purposes)),
            ("categories", listed(&self.categories)),
            ("recipients", listed(&self.recipients)),
            ("period", Content::Says(self.period.clone())),
            ("source", if_any(&self.source)),
            ("automated_decisions", if_any(&self.automated_decisions)),
            ("transfer_safeguards", if_any(&self.transfer_safeguards)),
        ]
    }
}
