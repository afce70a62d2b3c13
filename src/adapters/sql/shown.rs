//! A plan as somebody reads it: a table for people, JSON for machines. No value of a person is in
//! it: collections, counts, grounds, dates, names of fields.

use std::fmt;

use serde::Serialize;

use crate::model::Until;
use crate::ports::{PlannedAction, PlannedRows, SourcePlan};

/// A plan to be shown. `Display` is a table; `Serialize` gives the same lines.
///
/// ```
/// use datarights::adapters::ShownPlan;
/// use datarights::ports::{PlannedAction, PlannedRows, SourcePlan};
/// let delete = PlannedRows { collection: "orders".into(), action: PlannedAction::Delete, rows: 2 };
/// let shown = ShownPlan::new(&SourcePlan::new(vec![delete]));
/// assert_eq!(shown.to_string(), "rows  collection  what\n   2  orders      delete\n");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct ShownPlan {
    /// The lines, in the order in which they happen.
    pub lines: Vec<ShownLine>,
    /// The digest that an approval names.
    pub digest: String,
}

/// What happens to the rows of a collection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct ShownLine {
    /// The collection: a table, or a link or a column of one.
    pub collection: String,
    /// How many rows.
    pub rows: u64,
    /// `delete`, `anonymise`, `minimise`, `keep` or `correct`.
    pub what: &'static str,
    /// On which ground they are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
    /// Until when: a date, `hold_lifted` or `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether they are restricted meanwhile.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
    /// Which field is corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl ShownPlan {
    /// Of a plan.
    pub fn new(plan: &SourcePlan) -> Self {
        Self {
            lines: plan.rows.iter().map(shown).collect(),
            digest: plan.digest.to_string(),
        }
    }
}

fn shown(line: &PlannedRows) -> ShownLine {
    let mut shown = ShownLine {
        collection: line.collection.clone(),
        rows: line.rows,
        what: "delete",
        ground: None,
        until: None,
        restricted: false,
        field: None,
    };
    match &line.action {
        PlannedAction::Delete => {}
        PlannedAction::Anonymise => shown.what = "anonymise",
        PlannedAction::Minimise => shown.what = "minimise",
        PlannedAction::Withhold {
            ground,
            until,
            restricted,
        } => {
            shown.what = "keep";
            shown.restricted = *restricted;
            shown.ground = Some(ground.id().to_owned());
            shown.until = Some(match until {
                Until::Date(day) => day.to_string(),
                Until::HoldLifted => "hold_lifted".to_owned(),
                Until::Always => "always".to_owned(),
            });
        }
        PlannedAction::Correct { field } => {
            shown.what = "correct";
            shown.field = Some(field.clone());
        }
    }
    shown
}

impl fmt::Display for ShownPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .lines
            .iter()
            .map(|line| line.collection.chars().count());
        let wide = names.max().unwrap_or(0).max("collection".len());
        let counts = self.lines.iter().map(|line| line.rows.to_string().len());
        let many = counts.max().unwrap_or(0).max("rows".len());
        writeln!(f, "{:>many$}  {:<wide$}  what", "rows", "collection")?;
        for line in &self.lines {
            write!(
                f,
                "{:>many$}  {:<wide$}  {}",
                line.rows, line.collection, line.what
            )?;
            if line.restricted {
                f.write_str(" restricted")?;
            }
            if let Some(field) = &line.field {
                write!(f, " {field}")?;
            }
            if let Some(ground) = &line.ground {
                write!(f, ": {ground}")?;
            }
            match line.until.as_deref() {
                Some("always") => f.write_str(", for good")?,
                Some("hold_lifted") => f.write_str(", until the hold is lifted")?,
                Some(day) => write!(f, ", until {day}")?,
                None => {}
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
