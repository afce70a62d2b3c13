//! A controller: its law, its calendar, its settings, and what its letters say.

use std::collections::BTreeMap;

use crate::law::{Calendar, ProcessingRecord, Readings, Regimes};
use crate::model::ControllerId;
use crate::workflow::Policy;

/// A controller that the engine serves: its law, its calendar, its settings.
#[derive(Clone)]
#[non_exhaustive]
pub struct Controller {
    /// Which one.
    pub id: ControllerId,
    /// What it is called in letters and packages.
    pub name: String,
    /// The regime its requests run under, unless an intake names another.
    pub regime: String,
    /// The regimes it knows.
    pub regimes: Regimes,
    /// Its time zone, weekend and holidays.
    pub calendar: Calendar,
    /// How it reads the law where authorities differ.
    pub readings: Readings,
    /// How it carries requests out.
    pub policy: Policy,
    /// The language of its letters and packages (BCP 47): French for `fr` and its regions, else
    /// English. What it gives in its own words is said as it is.
    pub language: String,
    /// What it tells people about its processing (GDPR Art. 15(1)); without it, an answer that
    /// must say that cannot be sent.
    pub record: Option<ProcessingRecord>,
    /// Its own words in letters, by the item they are said on.
    pub words: BTreeMap<String, String>,
}

impl Controller {
    /// A controller with our regimes, the safe readings, the default policy, and our words, in
    /// English. [`Controller::missing_words`] says what its letters still need.
    pub fn new(
        id: ControllerId,
        name: impl Into<String>,
        regime: impl Into<String>,
        calendar: Calendar,
    ) -> Self {
        Self {
            id,
            name: name.into(),
            regime: regime.into(),
            regimes: Regimes::builtin(),
            calendar,
            readings: Readings::default(),
            policy: Policy::default(),
            language: "en".to_owned(),
            record: None,
            words: BTreeMap::new(),
        }
    }

    /// The same controller with other settings.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The same, with regimes of its own, or overlays on ours.
    #[must_use]
    pub fn with_regimes(mut self, regimes: Regimes) -> Self {
        self.regimes = regimes;
        self
    }

    /// The same, with what it tells people about its processing.
    #[must_use]
    pub fn with_record(mut self, record: ProcessingRecord) -> Self {
        self.record = Some(record);
        self
    }

    /// The same, in another language: that of its letters and packages.
    ///
    /// ```
    /// # use datarights::engine::Controller;
    /// # use datarights::law::Calendar;
    /// # use datarights::model::ControllerId;
    /// # let calendar = Calendar::in_zone("Europe/Paris")?;
    /// # let acme = Controller::new(ControllerId::new("acme")?, "Acme", "fr_overlay", calendar);
    /// let acme = acme.in_language("fr").with_words("authority", "la CNIL");
    /// assert_eq!(acme.language, "fr");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_language(mut self, tag: impl Into<String>) -> Self {
        self.language = tag.into();
        self
    }

    /// The same, with its own words for an item of its letters, instead of ours or where only it
    /// can know them: `appeal`, `criteria`, `authority` (whom people complain to, and how),
    /// `ground.<code>`. More precise keys come first: `step.item`, `letter.step.item`, and each
    /// with an outcome behind it (`action_taken.partly`). Places in braces are filled: `{due}`,
    /// `{received}`, `{request}`, `{ground}`, `{authority}`, `{amount}`, `{recipients}`,
    /// `{left_out}`.
    ///
    /// ```
    /// # use datarights::engine::Controller;
    /// # use datarights::law::Calendar;
    /// # use datarights::model::ControllerId;
    /// # let calendar = Calendar::in_zone("Europe/Paris")?;
    /// # let acme = Controller::new(ControllerId::new("acme")?, "Acme", "eu_gdpr", calendar);
    /// let acme = acme
    ///     .with_words("authority", "the CNIL, 3 place de Fontenoy, Paris, cnil.fr/plaintes")
    ///     .with_words("ground.bank_secrecy", "Bank secrecy forbids us to tell.")
    ///     .with_words("receipt", "Thank you for your request of {received}.");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_words(mut self, key: impl Into<String>, words: impl Into<String>) -> Self {
        self.words.insert(key.into(), words.into());
        self
    }
}
