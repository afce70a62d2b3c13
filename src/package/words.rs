//! The words of the page, in English and French; a host may change any of them or bring its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use crate::model::{Failure, Ground, Purpose, Right, Until};

/// The words of `index.html`. In braces stands what is filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // each field is named after the place where its words stand
pub struct Words {
    pub skip: Cow<'static, str>,
    pub request: Cow<'static, str>,
    pub right: Cow<'static, str>,
    pub created: Cow<'static, str>,
    pub intro: Cow<'static, str>,
    pub nothing_found: Cow<'static, str>,
    pub summary: Cow<'static, str>,
    pub sources: Cow<'static, str>,
    pub collections: Cow<'static, str>,
    pub rows: Cow<'static, str>,
    pub files: Cow<'static, str>,
    pub contents: Cow<'static, str>,
    pub contents_caption: Cow<'static, str>,
    pub collection: Cow<'static, str>,
    pub open: Cow<'static, str>,
    pub missing: Cow<'static, str>,
    pub missing_intro: Cow<'static, str>,
    pub withheld: Cow<'static, str>,
    pub withheld_intro: Cow<'static, str>,
    pub reason: Cow<'static, str>,
    pub reason_until: Cow<'static, str>,
    pub until_date: Cow<'static, str>,
    pub until_hold: Cow<'static, str>,
    pub until_never: Cow<'static, str>,
    pub restricted: Cow<'static, str>,
    pub unknown: Cow<'static, str>,
    pub everything: Cow<'static, str>,
    pub used_for: Cow<'static, str>,
    pub all_rows: Cow<'static, str>,
    pub first_rows: Cow<'static, str>,
    pub no_rows: Cow<'static, str>,
    pub rows_in_files: Cow<'static, str>,
    pub more_columns: Cow<'static, str>,
    pub no_value: Cow<'static, str>,
    pub yes: Cow<'static, str>,
    pub no: Cow<'static, str>,
    pub secret: Cow<'static, str>,
    pub bytes: Cow<'static, str>,
    pub reading: Cow<'static, str>,
    pub reading_files: Cow<'static, str>,
    pub reading_care: Cow<'static, str>,
    pub reading_check: Cow<'static, str>,
    /// The twelve months.
    pub months: [Cow<'static, str>; 12],
    /// A date from `{day}`, `{month}` and `{year}`.
    pub date: Cow<'static, str>,
    /// What stands between thousands.
    pub thousands: Cow<'static, str>,
    /// What stands before decimals.
    pub decimal: Cow<'static, str>,
    /// Units of size, a thousand times larger each (ISO/IEC 80000-13): bytes, kilobytes, …
    pub units: [Cow<'static, str>; 5],
    /// What codes are called: `right.<name>`, `failure.<code>`, `ground.<id>`, `purpose.<name>`;
    /// also `title`, and `title.<right>` for rights whose package has a heading of its own.
    pub names: BTreeMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Words {
    /// The words for a language (BCP 47): French for `fr` and its regions, else English.
    pub fn of(language: &str) -> Self {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("fr") {
            Self::french()
        } else {
            Self::english()
        }
    }

    /// Says what a code is called, e.g. `ground.tax_records`.
    pub fn name(&mut self, code: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>) {
        self.names.insert(code.into(), name.into());
    }

    fn english() -> Self {
        Self {
            skip: "Skip to the content".into(),
            request: "Request".into(),
            right: "Right".into(),
            created: "Prepared on".into(),
            intro: "This package holds the data we found about you. It can be read without a \
                    connection: nothing in it is loaded from the network."
                .into(),
            nothing_found: "We searched, and found nothing about you.".into(),
            summary: "Summary".into(),
            sources: "Systems".into(),
            collections: "Collections".into(),
            rows: "Rows".into(),
            files: "Files".into(),
            contents: "What is in here".into(),
            contents_caption: "Every collection, with its complete data".into(),
            collection: "Collection".into(),
            open: "Complete data".into(),
            missing: "What is missing".into(),
            missing_intro: "This package is not complete. The following could not be read out."
                .into(),
            withheld: "What we keep back".into(),
            withheld_intro: "The following is not in the package. Beside it stands why, and until \
                             when."
                .into(),
            reason: "Reason".into(),
            reason_until: "Reason, and until when".into(),
            until_date: "Until {date}.".into(),
            until_hold: "Until a legal hold is lifted.".into(),
            until_never: "For good.".into(),
            restricted: "It is restricted: we keep it and use it for nothing else.".into(),
            unknown: "not known".into(),
            everything: "everything".into(),
            used_for: "Used for: {purposes}.".into(),
            all_rows: "{title}: all rows ({rows})".into(),
            first_rows: "{title}: the first {shown} of {rows} rows".into(),
            no_rows: "There are no rows.".into(),
            rows_in_files: "The rows stand in the files only.".into(),
            more_columns: "{count} more columns stand in the files.".into(),
            no_value: "no value".into(),
            yes: "yes".into(),
            no: "no".into(),
            secret: "secret, not shown".into(),
            bytes: "binary data, {size}".into(),
            reading: "How to read the files".into(),
            reading_files: "CSV files open in any spreadsheet. JSON files hold the same rows for \
                            software, exactly as they are stored. Attachments and images lie in \
                            the folder “files”."
                .into(),
            reading_care: "Attachments are as others sent them. Open only what you trust.".into(),
            reading_check: "lists every file with its size and its SHA-256 checksum, so that \
                            anybody can check that nothing is lacking or was changed."
                .into(),
            months: [
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ]
            .map(Cow::Borrowed),
            date: "{day} {month} {year}".into(),
            thousands: ",".into(),
            decimal: ".".into(),
            units: ["B", "kB", "MB", "GB", "TB"].map(Cow::Borrowed),
            names: names(&[
                ("title", "Your data"),
                ("title.export", "Your data, to take along"),
                ("right.access", "Access to my data"),
                ("right.rectification", "Correction of my data"),
                ("right.erasure", "Erasure of my data"),
                ("right.export", "Copy of my data to take along"),
                ("failure.unsupported", "this system cannot hand data over"),
                ("failure.unavailable", "the system did not answer in time"),
                ("failure.refused", "the system refused"),
                ("failure.nonsense", "the system answered what cannot be"),
                (
                    "failure.broke",
                    "the system stopped in the middle of its work",
                ),
                (
                    "failure.no_identifier",
                    "nothing we know of you can be searched for there",
                ),
                ("failure.blocked", "something that must come first failed"),
                ("failure.residue", "data was still there after the erasure"),
            ]),
        }
    }

    fn french() -> Self {
        Self {
            skip: "Aller au contenu".into(),
            request: "Demande".into(),
            right: "Droit".into(),
            created: "Préparé le".into(),
            intro: "Ce dossier contient les données que nous avons trouvées à votre sujet. Il se \
                    lit sans connexion : rien n’y est chargé depuis le réseau."
                .into(),
            nothing_found: "Nous avons cherché et n’avons rien trouvé à votre sujet.".into(),
            summary: "Résumé".into(),
            sources: "Systèmes".into(),
            collections: "Collections".into(),
            rows: "Lignes".into(),
            files: "Fichiers".into(),
            contents: "Ce qui s’y trouve".into(),
            contents_caption: "Chaque collection, avec ses données complètes".into(),
            collection: "Collection".into(),
            open: "Données complètes".into(),
            missing: "Ce qui manque".into(),
            missing_intro: "Ce dossier n’est pas complet. Ce qui suit n’a pas pu être lu.".into(),
            withheld: "Ce que nous retenons".into(),
            withheld_intro: "Ce qui suit n’est pas dans le dossier ; à côté figurent la raison et \
                             l’échéance."
                .into(),
            reason: "Raison".into(),
            reason_until: "Raison et échéance".into(),
            until_date: "Jusqu’au {date}.".into(),
            until_hold: "Jusqu’à la levée d’une obligation de conservation.".into(),
            until_never: "Définitivement.".into(),
            restricted: "Son traitement est limité : nous le conservons et n’en \
                         faisons aucun autre usage."
                .into(),
            unknown: "inconnu".into(),
            everything: "tout".into(),
            used_for: "Finalités : {purposes}.".into(),
            all_rows: "{title} : toutes les lignes ({rows})".into(),
            first_rows: "{title} : les {shown} premières lignes sur {rows}".into(),
            no_rows: "Il n’y a aucune ligne.".into(),
            rows_in_files: "Les lignes ne se trouvent que dans les fichiers.".into(),
            more_columns: "{count} autres colonnes se trouvent dans les fichiers.".into(),
            no_value: "aucune valeur".into(),
            yes: "oui".into(),
            no: "non".into(),
            secret: "secret, non affiché".into(),
            bytes: "données binaires, {size}".into(),
            reading: "Comment lire les fichiers".into(),
            reading_files: "Les fichiers CSV s’ouvrent dans tout tableur. Les fichiers JSON \
                            contiennent les mêmes lignes pour les logiciels, exactement comme \
                            elles sont enregistrées. Les pièces jointes et les images sont dans le \
                            dossier « files »."
                .into(),
            reading_care: "Les pièces jointes sont telles que d’autres les ont envoyées. N’ouvrez \
                           que celles en qui vous avez confiance."
                .into(),
            reading_check:
                "énumère chaque fichier avec sa taille et sa somme de contrôle SHA-256 ; \
                            chacun peut vérifier que rien ne manque et que rien n’a été modifié."
                    .into(),
            months: [
                "janvier",
                "février",
                "mars",
                "avril",
                "mai",
                "juin",
                "juillet",
                "août",
                "septembre",
                "octobre",
                "novembre",
                "décembre",
            ]
            .map(Cow::Borrowed),
            date: "{day} {month} {year}".into(),
            thousands: "\u{202f}".into(),
            decimal: ",".into(),
            units: ["o", "ko", "Mo", "Go", "To"].map(Cow::Borrowed),
            names: names(&[
                ("title", "Vos données"),
                ("title.export", "Vos données, à emporter"),
                ("right.access", "Accès à mes données"),
                ("right.rectification", "Rectification de mes données"),
                ("right.erasure", "Effacement de mes données"),
                ("right.export", "Copie de mes données à emporter"),
                (
                    "failure.unsupported",
                    "ce système ne peut pas remettre de données",
                ),
                ("failure.unavailable", "le système n’a pas répondu à temps"),
                ("failure.refused", "le système a refusé"),
                (
                    "failure.nonsense",
                    "le système a donné une réponse impossible",
                ),
                (
                    "failure.broke",
                    "le système s’est arrêté au milieu de son travail",
                ),
                (
                    "failure.no_identifier",
                    "ce que nous savons de vous ne permet pas d’y chercher",
                ),
                ("failure.blocked", "une étape préalable a échoué"),
                (
                    "failure.residue",
                    "des données subsistaient après l’effacement",
                ),
            ]),
        }
    }

    /// A whole number with its thousands apart.
    pub(super) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push_str(&self.thousands);
            }
            text.push(digit);
        }
        text
    }

    /// A size with its unit and at most one decimal.
    pub(super) fn size(&self, bytes: u64) -> String {
        let mut tenths = u128::from(bytes) * 10;
        let mut unit = 0;
        while tenths >= 9_995 && unit + 1 < self.units.len() {
            tenths = (tenths + 500) / 1000;
            unit += 1;
        }
        let whole = self.number(u64::try_from(tenths / 10).unwrap_or(u64::MAX));
        let (decimal, unit) = (&self.decimal, &self.units[unit]);
        match tenths % 10 {
            0 => format!("{whole}\u{a0}{unit}"),
            tenth => format!("{whole}{decimal}{tenth}\u{a0}{unit}"),
        }
    }

    /// A calendar date.
    pub(super) fn day(&self, date: NaiveDate) -> String {
        let month = &self.months[date.month0() as usize % 12];
        fill(
            &self.date,
            &[
                ("day", &date.day().to_string()),
                ("month", month),
                ("year", &date.year().to_string()),
            ],
        )
    }

    /// The day of an instant, in UTC.
    pub(super) fn instant(&self, instant: DateTime<Utc>) -> String {
        self.day(instant.date_naive())
    }

    pub(super) fn until(&self, until: Until) -> String {
        match until {
            Until::Date(date) => fill(&self.until_date, &[("date", &self.day(date))]),
            Until::HoldLifted => self.until_hold.clone().into_owned(),
            Until::Always => self.until_never.clone().into_owned(),
        }
    }

    pub(super) fn right(&self, right: &Right) -> String {
        self.called("right", right.name())
    }

    pub(super) fn ground(&self, ground: &Ground) -> String {
        self.called("ground", ground.id())
    }

    pub(super) fn purpose(&self, purpose: &Purpose) -> String {
        self.called("purpose", &purpose.0)
    }

    pub(super) fn failure(&self, failure: &Failure) -> String {
        self.called("failure", failure.code())
    }

    /// What a code is called, or the code itself in words.
    fn called(&self, kind: &str, code: &str) -> String {
        let name = self.names.get(format!("{kind}.{code}").as_str());
        name.map_or_else(|| code.replace('_', " "), |name| name.clone().into_owned())
    }
}

/// The heading of a package that answers this right, in this language (BCP 47).
///
/// ```
/// use datarights::{model::Right, package};
/// assert_eq!(package::title(&Right::Access, "fr"), "Vos données");
/// ```
pub fn title(right: &Right, language: &str) -> String {
    let words = Words::of(language);
    let own = words.names.get(format!("title.{}", right.name()).as_str());
    let title = own.or_else(|| words.names.get("title"));
    title.map_or_else(|| words.right(right), |title| title.clone().into_owned())
}

/// Fills `{name}` places in one pass, so that what is filled in is never itself filled.
pub(super) fn fill(pattern: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let place = after.split_once('}');
        let value = place.and_then(|(name, _)| values.iter().find(|(key, _)| *key == name));
        match (place, value) {
            (Some((_, behind)), Some((_, value))) => {
                text.push_str(value);
                rest = behind;
            }
            _ => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

fn names(pairs: &[(&'static str, &'static str)]) -> BTreeMap<Cow<'static, str>, Cow<'static, str>> {
    pairs
        .iter()
        .map(|(code, name)| ((*code).into(), (*name).into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_dates_follow_the_language() {
        let (en, fr) = (Words::of("en-GB"), Words::of("fr_CA"));
        assert_eq!(en.number(20_001), "20,001");
        assert_eq!(fr.number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(en.number(7), "7");
        assert_eq!(en.size(0), "0\u{a0}B");
        assert_eq!(en.size(999), "999\u{a0}B");
        assert_eq!(en.size(1_000), "1\u{a0}kB");
        assert_eq!(en.size(999_960), "1\u{a0}MB");
        assert_eq!(fr.size(1_260_000), "1,3\u{a0}Mo");
        let day = NaiveDate::from_ymd_opt(2033, 12, 31).expect("a day");
        assert_eq!(en.day(day), "31 December 2033");
        assert_eq!(fr.day(day), "31 décembre 2033");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(fill("{a}, {b} {", &[("a", "{b}"), ("b", "2")]), "{b}, 2 {");
    }
}
