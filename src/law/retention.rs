//! Duties to keep data that conflict with erasure, ready to be attached to a table.
//!
//! Such data is not erased on request: every other use stops, it is restricted, the person
//! is told the ground and the date, and the erasure finishes by itself when the duty ends.
//! What no duty covers is erased now.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::{Fact, Period, Text, Verified};

/// From what a duty to keep runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetentionStart {
    /// The date of the document, of the last operation recorded in it, or of the data.
    Document,
    /// The close of the financial year it belongs to.
    FiscalYearClose,
    /// The end of the calendar year in which it was made or received.
    CalendarYearEnd,
    /// The delivery or performance of the contract, or its conclusion if that was at once.
    Performance,
    /// The day on which the holder of a claim knew or should have known the facts.
    Knowledge,
    /// The last contact that came from the person.
    LastContact,
    /// The end of the business relationship, or the occasional transaction.
    RelationshipEnd,
    /// The last day on which it was in effect, if later than its making.
    LastInEffect,
    /// The refusal of a request.
    Refusal,
}

/// What is to be done with the data while the duty lasts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meanwhile {
    /// Move it to an intermediate archive: apart from the active base, consulted case by
    /// case by the few who have a reason, until it is erased or goes to a final archive.
    IntermediateArchive,
    /// Restrict it: marked, out of use, unchanged.
    Restrict,
    /// Keep it as evidence of how a request was handled, for nothing else.
    Evidence,
}

/// The dates that a duty may run from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RetentionFacts {
    /// The date of the document, or of whatever the duty's [`RetentionStart`] names.
    pub from: NaiveDate,
    /// When the financial year it belongs to was closed, if it was.
    pub fiscal_year_close: Option<NaiveDate>,
}

impl RetentionFacts {
    /// Something that happened on that day.
    pub const fn on(from: NaiveDate) -> Self {
        Self {
            from,
            fiscal_year_close: None,
        }
    }
}

/// Why the end of a duty cannot be told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// No duty of that name.
    #[error("no retention duty is called `{0}`; `RetentionDuty::all` lists those that are known")]
    Unknown(String),
    /// The duty runs from the close of a financial year, which was not given.
    #[error("`{0}` runs from the close of the financial year, which must be given")]
    NoFiscalYearClose(Text),
    /// The duty has no fixed end.
    #[error("`{duty}` ends with no date: {until}")]
    OpenEnded {
        /// Which duty.
        duty: Text,
        /// When it ends.
        until: Text,
    },
    /// No duty at all was given.
    #[error("no duty was given")]
    Nothing,
    /// A date beyond the calendar's range.
    #[error("a date lies beyond the range of the calendar")]
    OutOfRange,
}

/// A change of a duty's length by law.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Reform {
    /// How long it was before.
    pub before: Period,
    /// The day from which the new length holds, also for what is then still kept.
    pub since: NaiveDate,
}

/// A duty to keep data.
///
/// ```
/// use chrono::NaiveDate;
/// use datarights::law::{RetentionDuty, RetentionFacts};
/// let invoice = RetentionFacts::on(NaiveDate::from_ymd_opt(2025, 3, 15).unwrap());
/// let books = RetentionDuty::named("de_hgb257_books")?;
/// assert_eq!(books.until(invoice)?, NaiveDate::from_ymd_opt(2035, 12, 31).unwrap());
/// # Ok::<(), datarights::law::RetentionError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RetentionDuty {
    /// Its name, in snake case.
    pub id: Text,
    /// Where it holds.
    pub jurisdiction: Text,
    /// Where the law imposes it.
    pub article: Text,
    /// What must be kept.
    pub data: Text,
    /// How long; [`Period::Unnumbered`] with the event that ends it in `note`.
    pub period: Period,
    /// From when.
    pub start: RetentionStart,
    /// How long it was before the law changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reform: Option<Reform>,
    /// What is to be done meanwhile.
    pub meanwhile: Meanwhile,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub note: Text,
    /// How well that was checked.
    #[serde(default)]
    pub verified: Verified,
}

impl RetentionDuty {
    /// A duty of a host's own.
    pub fn new(
        id: impl Into<Text>,
        article: impl Into<Text>,
        data: impl Into<Text>,
        period: Period,
        start: RetentionStart,
        meanwhile: Meanwhile,
    ) -> Self {
        Self {
            id: id.into(),
            jurisdiction: Text::Borrowed(""),
            article: article.into(),
            data: data.into(),
            period,
            start,
            reform: None,
            meanwhile,
            note: Text::Borrowed(""),
            verified: Verified::Memory,
        }
    }

    /// The duty of that name.
    ///
    /// # Errors
    /// [`RetentionError::Unknown`].
    pub fn named(id: &str) -> Result<Self, RetentionError> {
        Self::all()
            .into_iter()
            .find(|duty| duty.id == id)
            .ok_or_else(|| RetentionError::Unknown(id.to_owned()))
    }

    /// The last day on which the duty holds.
    ///
    /// # Errors
    /// [`RetentionError`] if a date is missing, the duty has no fixed end, or the date
    /// lies beyond the calendar.
    pub fn until(&self, facts: RetentionFacts) -> Result<NaiveDate, RetentionError> {
        let start = match self.start {
            RetentionStart::FiscalYearClose => facts
                .fiscal_year_close
                .ok_or_else(|| RetentionError::NoFiscalYearClose(self.id.clone()))?,
            RetentionStart::CalendarYearEnd => NaiveDate::from_ymd_opt(facts.from.year(), 12, 31)
                .ok_or(RetentionError::OutOfRange)?,
            _ => facts.from,
        };
        if self.period == Period::Unnumbered {
            return Err(RetentionError::OpenEnded {
                duty: self.id.clone(),
                until: self.note.clone(),
            });
        }
        let end = |period: Period| period.after(start).ok_or(RetentionError::OutOfRange);
        let new = end(self.period)?;
        let Some(reform) = self.reform else {
            return Ok(new);
        };
        // The new length also ends what was still kept under the old one, but not before
        // the law changed.
        let eve = reform.since.pred_opt().ok_or(RetentionError::OutOfRange)?;
        Ok(end(reform.before)?.min(new.max(eve)))
    }

    /// The last day on which any of several duties holds, and the one that holds longest:
    /// the one to name in the answer.
    ///
    /// # Errors
    /// [`RetentionError`] if any of them cannot be told, or none was given.
    pub fn latest<'a>(
        duties: impl IntoIterator<Item = &'a Self>,
        facts: RetentionFacts,
    ) -> Result<(NaiveDate, &'a Self), RetentionError> {
        let mut latest: Option<(NaiveDate, &Self)> = None;
        for duty in duties {
            let until = duty.until(facts)?;
            if latest.is_none_or(|(known, _)| until > known) {
                latest = Some((until, duty));
            }
        }
        latest.ok_or(RetentionError::Nothing)
    }

    /// The duties that we ship.
    pub fn all() -> Vec<Self> {
        use Meanwhile::{Evidence, IntermediateArchive, Restrict};
        use Period::{Days, Months, Unnumbered, Years};
        use RetentionStart as From;
        use Verified::{Primary, Secondary};

        let duty = |id, jurisdiction, article, data, period, start, meanwhile, verified| Self {
            id: Text::Borrowed(id),
            jurisdiction: Text::Borrowed(jurisdiction),
            article: Text::Borrowed(article),
            data: Text::Borrowed(data),
            period,
            start,
            reform: None,
            meanwhile,
            note: Text::Borrowed(""),
            verified,
        };
        let noted = |mut duty: Self, note| {
            duty.note = Text::Borrowed(note);
            duty
        };
        let since = |mut duty: Self, before, since: Option<NaiveDate>| {
            duty.reform = since.map(|since| Reform { before, since });
            duty
        };
        vec![
            noted(
                duty(
                    "fr_com_l123_22",
                    "FR",
                    "Code de commerce L.123-22",
                    "accounting documents and their vouchers (invoices, orders)",
                    Years(10),
                    From::FiscalYearClose,
                    IntermediateArchive,
                    Primary,
                ),
                "the text is silent on the start; the close of the financial year is the usual reading",
            ),
            noted(
                duty(
                    "fr_lpf_l102b",
                    "FR",
                    "Livre des procédures fiscales L.102 B I",
                    "books, registers and documents open to tax control",
                    Years(6),
                    From::Document,
                    IntermediateArchive,
                    Primary,
                ),
                "what is electronic is kept in electronic form; OSS and IOSS registers ten years from 31 December of the year of the operation",
            ),
            noted(
                duty(
                    "fr_paie",
                    "FR",
                    "Code du travail L.3243-4",
                    "the employer's copy of payslips",
                    Years(5),
                    From::Document,
                    IntermediateArchive,
                    Primary,
                ),
                "from issue, in the usual reading; an electronic payslip stays available for fifty years or until the employee is 75 (D.3243-8, secondary)",
            ),
            noted(
                duty(
                    "fr_contrat_conso",
                    "FR",
                    "Code de la consommation L.213-1, D.213-1, D.213-2",
                    "electronic contracts of EUR 120 or more",
                    Years(10),
                    From::Performance,
                    IntermediateArchive,
                    Primary,
                ),
                "kept from conclusion until performance as well, when the two differ",
            ),
            duty(
                "fr_prescription",
                "FR",
                "Code civil 2224",
                "evidence for civil claims",
                Years(5),
                From::Knowledge,
                IntermediateArchive,
                Primary,
            ),
            duty(
                "fr_prospect",
                "FR",
                "CNIL, référentiel gestion commerciale",
                "prospects",
                Years(3),
                From::LastContact,
                Restrict,
                Secondary,
            ),
            duty(
                "fr_candidat",
                "FR",
                "CNIL",
                "applicants who were not taken",
                Years(2),
                From::LastContact,
                Restrict,
                Primary,
            ),
            duty(
                "fr_video",
                "FR",
                "CNIL",
                "video surveillance",
                Months(1),
                From::Document,
                Restrict,
                Secondary,
            ),
            duty(
                "de_hgb257_books",
                "DE",
                "HGB 257(1) Nr. 1, (4); AO 147(1) Nr. 1, (3)",
                "books, inventories, annual accounts",
                Years(10),
                From::CalendarYearEnd,
                Restrict,
                Primary,
            ),
            noted(
                since(
                    duty(
                        "de_hgb257_vouchers",
                        "DE",
                        "HGB 257(1) Nr. 4; AO 147(1) Nr. 4; UStG 14b",
                        "booking vouchers and invoices",
                        Years(8),
                        From::CalendarYearEnd,
                        Restrict,
                        Secondary,
                    ),
                    Years(10),
                    NaiveDate::from_ymd_opt(2025, 1, 1),
                ),
                "ten years before 2025 (BEG IV); for those whom BaFin supervises the change holds from 2026 on",
            ),
            noted(
                duty(
                    "de_hgb257_letters",
                    "DE",
                    "HGB 257(1) Nr. 2-3; AO 147(1) Nr. 2, 3, 5",
                    "commercial letters",
                    Years(6),
                    From::CalendarYearEnd,
                    Restrict,
                    Primary,
                ),
                "does not end while relevant to a tax that can still be assessed (AO 147(3))",
            ),
            duty(
                "us_hipaa_docs",
                "US",
                "45 CFR 164.316(b)(2)(i), 164.530(j)",
                "HIPAA documentation",
                Years(6),
                From::LastInEffect,
                Evidence,
                Primary,
            ),
            duty(
                "us_ccpa_requests",
                "US-CA",
                "11 CCR 7101",
                "records of consumers' requests",
                Months(24),
                From::Document,
                Evidence,
                Secondary,
            ),
            duty(
                "us_co_requests",
                "US-CO",
                "4 CCR 904-3 Rule 6.11",
                "records of requests and appeals",
                Months(24),
                From::Document,
                Evidence,
                Secondary,
            ),
            duty(
                "in_logs",
                "IN",
                "DPDP Rules 8(3)",
                "personal data, traffic data and logs",
                Years(1),
                From::Document,
                Restrict,
                Primary,
            ),
            noted(
                duty(
                    "aml",
                    "EU",
                    "Directive (EU) 2015/849 Art. 40; Regulation (EU) 2024/1624 Art. 77",
                    "customer due diligence and transactions",
                    Years(5),
                    From::RelationshipEnd,
                    Restrict,
                    Primary,
                ),
                "then erased; up to five more years where national law or an authority says so; under the Regulation also from the refusal of a relationship or transaction",
            ),
            duty(
                "sg_refused_copy",
                "SG",
                "PDPA 22A; PDPR 8",
                "a copy of the data that was refused",
                Days(30),
                From::Refusal,
                Evidence,
                Primary,
            ),
            noted(
                duty(
                    "ca_refused_copy",
                    "CA",
                    "PIPEDA 8(8)",
                    "the information that was asked for",
                    Unnumbered,
                    From::Refusal,
                    Evidence,
                    Primary,
                ),
                "until every recourse is exhausted",
            ),
        ]
    }

    /// What holds for all of them.
    pub fn principles() -> Vec<Fact> {
        use Verified::{Memory, Primary};
        vec![
            Fact::new(
                "what must be kept is kept and restricted, the person is told the ground, the period and the remedies, the erasure is planned for the day the duty ends, and everything else is erased now",
                "GDPR 17(3)(b)",
                Memory,
            ),
            Fact::new(
                "data in an archive is still within the right of access (CNIL), except where a national law such as BDSG 34(1) Nr. 2 takes data out that is kept for retention only",
                "GDPR 15",
                Memory,
            ),
            Fact::new(
                "active base: needed for the purpose, open to the staff who work with it",
                "CNIL",
                Primary,
            ),
            Fact::new(
                "intermediate archive: the purpose is reached but a dispute or a duty remains; apart from the base, consulted case by case, by those specially authorised",
                "CNIL",
                Primary,
            ),
            Fact::new(
                "final archive: kept for ever for its public archival value; otherwise the data is erased or anonymised",
                "CNIL",
                Primary,
            ),
            Fact::new(
                "ways to restrict: move to another system, make unavailable to users, take off a website; mark it clearly and let nothing change it",
                "GDPR recital 67",
                Memory,
            ),
        ]
    }
}
