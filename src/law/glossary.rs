//! Words: which right a law's own name means, and the French terms.

use crate::model::Right;

/// The neutral right that a law's own name for a right stands for, if it stands for one.
///
/// ```
/// use datarights::law::neutral_right;
/// use datarights::model::Right;
/// assert_eq!(neutral_right("know_specific_pieces"), Right::Access);
/// assert_eq!(neutral_right("amendment"), Right::Rectification);
/// assert_eq!(neutral_right("grievance"), Right::from("grievance"));
/// ```
pub fn neutral_right(name: &str) -> Right {
    match name {
        "confirm_access"
        | "confirmation"
        | "know"
        | "know_categories"
        | "know_specific_pieces"
        | "access_summary"
        | "access_copy"
        | "disclosure" => Right::Access,
        "correction" | "correct" | "amendment" => Right::Rectification,
        "delete" | "deletion" | "anonymise_block_delete" | "erase" => Right::Erasure,
        "portability" | "transmission" => Right::Export,
        "suspension" => Right::Restriction,
        "opposition" | "objection_direct_marketing" | "objection_research" => Right::Objection,
        "consent_revocation" => Right::ConsentWithdrawal,
        "adm_human_review" | "adm_review" | "adm" => Right::HumanReview,
        "opt_out_sale_sharing" | "opt_out_sale" | "opt_out_targeted_ads" | "opt_out_profiling" => {
            Right::OptOut
        }
        "limit" => Right::LimitSensitive,
        other => Right::from(other),
    }
}

/// A term in French, and where the texts use it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Term {
    /// Its name in this crate.
    pub id: &'static str,
    /// The French term.
    pub french: &'static str,
    /// The article of the GDPR, where there is one.
    pub gdpr: &'static str,
    /// The article of the Loi Informatique et Libertés, where there is one (read).
    pub lil: &'static str,
}

const fn term(
    id: &'static str,
    french: &'static str,
    gdpr: &'static str,
    lil: &'static str,
) -> Term {
    Term {
        id,
        french,
        gdpr,
        lil,
    }
}

/// The French terms. Beware of `jour ouvrable` (Monday to Saturday in French labour law)
/// and `jour ouvré` (Monday to Friday): the EDPB's French text writes `jour ouvrable` for
/// Regulation 1182/71's working day, which leaves Saturdays out.
pub const FRENCH: &[Term] = &[
    term("access", "droit d'accès", "15", "49"),
    term("rectification", "droit de rectification", "16", "50"),
    term(
        "erasure",
        "droit à l'effacement (droit à l'oubli)",
        "17",
        "51",
    ),
    term(
        "restriction",
        "droit à la limitation du traitement",
        "18",
        "53",
    ),
    term("portability", "droit à la portabilité", "20", "55"),
    term("objection", "droit d'opposition", "21", "56"),
    term("information", "droit à l'information", "13-14", "48"),
    term("consent_withdrawal", "retrait du consentement", "7(3)", ""),
    term(
        "adm",
        "droit de ne pas faire l'objet d'une décision entièrement automatisée (profilage)",
        "22",
        "47",
    ),
    term(
        "post_mortem_directives",
        "directives relatives au sort des données après le décès (générales ou particulières)",
        "",
        "85",
    ),
    term("complaint", "réclamation auprès de la CNIL", "77", ""),
    term("judicial_remedy", "recours juridictionnel", "79", ""),
    term("controller", "responsable de traitement", "", ""),
    term("processor", "sous-traitant", "", ""),
    term(
        "dpo",
        "délégué à la protection des données (DPD, DPO)",
        "",
        "",
    ),
    term("ropa", "registre des activités de traitement", "30", ""),
    term("retention_period", "durée de conservation", "", ""),
    term(
        "lifecycle",
        "base active, archivage intermédiaire, archivage définitif",
        "",
        "",
    ),
    term("breach", "violation de données", "33-34", ""),
    term("ack", "accusé de réception, avis de réception", "", ""),
    term("working_day_trap", "jour ouvrable, jour ouvré", "", ""),
];
