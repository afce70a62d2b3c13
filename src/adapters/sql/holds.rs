//! Legal holds: rows that must stay until somebody lifts the hold. They live in a table of the
//! host's database, so that a plan and an erasure ask for them in their own transaction.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Ground, Identifier, Personal, RowCount};
use crate::ports::{CallContext, ErrorKind, Locator, PortError};

use super::clue::Person;
use super::fault::SqlFault;
use super::fill::fits;
use super::found::Found;
use super::kept::ON_HOLD;
use super::layout::Laid;
use super::session::Purpose;
use super::source::SqlSource;

/// The table of holds.
pub(super) const HOLDS: &str = "datarights_holds";
/// Longest name of a hold, in characters.
const LONGEST: usize = 64;

/// What a legal hold is on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldRows {
    /// Every row of a described table.
    Table(String),
    /// These rows of a described table, by their keys as text.
    Rows {
        /// The table.
        table: String,
        /// The parts of each key, in the order of the primary key.
        keys: Vec<Personal<Vec<String>>>,
    },
    /// All that is found of a person, and all that names them.
    Person(Vec<Identifier>),
}

impl fmt::Debug for HeldRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => write!(f, "Table({table})"),
            Self::Rows { table, keys } => write!(f, "Rows({table}, {})", keys.len()),
            Self::Person(_) => f.write_str("Person(..)"),
        }
    }
}

/// A legal hold.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Hold {
    /// How the host calls it, e.g. a file number: 1 to 64 characters, nothing personal.
    pub name: String,
    /// On which ground it holds.
    pub ground: Ground,
    /// What it is on.
    pub on: HeldRows,
}

impl Hold {
    /// A hold on every row of a described table.
    pub fn on_table(name: impl Into<String>, ground: Ground, table: impl Into<String>) -> Self {
        Self::new(name, ground, HeldRows::Table(table.into()))
    }

    /// A hold on some rows of a described table, each by the parts of its primary key as text: numbers
    /// in digits, dates as 2026-11-28, bytes in hexadecimal digits. They stay as they are whoever is
    /// erased, with what they refer to.
    pub fn on_rows(
        name: impl Into<String>,
        ground: Ground,
        table: impl Into<String>,
        keys: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        let (table, keys) = (table.into(), keys.into_iter().map(Personal::new).collect());
        Self::new(name, ground, HeldRows::Rows { table, keys })
    }

    /// A hold on all that is found of a person; also while others are erased that are named there.
    pub fn on_person(
        name: impl Into<String>,
        ground: Ground,
        identifiers: impl IntoIterator<Item = Identifier>,
    ) -> Self {
        let identifiers = identifiers.into_iter().collect();
        Self::new(name, ground, HeldRows::Person(identifiers))
    }

    fn new(name: impl Into<String>, ground: Ground, on: HeldRows) -> Self {
        Self {
            name: name.into(),
            ground,
            on,
        }
    }
}

/// A hold as it is stored: keys and what leads to a person, as in locators.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) ground: String,
    #[serde(default)]
    pub(super) table: Option<String>,
    #[serde(default)]
    pub(super) rows: Vec<Vec<String>>,
    #[serde(default)]
    person: Vec<String>,
}

impl Stored {
    pub(super) fn person(&self) -> Person {
        let locators: Vec<Locator> = self.person.iter().map(Locator::new).collect();
        Person::of(&locators)
    }
}

impl SqlSource {
    /// Places a legal hold, in place of one of the same name. It is in force for every plan and
    /// erasure that begins afterwards; what an erasure finds under it is withheld
    /// ([`Until::HoldLifted`](crate::model::Until)), and nothing in it is changed. A hold on a
    /// person is on the account that is found now, so that it outlasts a changed address.
    ///
    /// # Errors
    /// `malformed_name`; `unknown_table`, with the table; `malformed_key` for no rows, for rows of a
    /// table without a primary key, and for keys that the database cannot read as such;
    /// `nobody_found` for a person of whom nothing is here, `too_many_people` for one who is found in
    /// more rows than can be named; those of the database.
    pub async fn place_hold(&self, context: &CallContext, hold: &Hold) -> Result<(), PortError> {
        if hold.name.is_empty() || hold.name.chars().count() > LONGEST {
            return Err(SqlFault::MalformedName.at(HOLDS));
        }
        let mut stored = Stored {
            ground: hold.ground.id().to_owned(),
            table: None,
            rows: Vec::new(),
            person: Vec::new(),
        };
        let mut found = self.begin(context, Purpose::Write).await?;
        match &hold.on {
            HeldRows::Table(table) => stored.table = Some(self.known(table)?.name.clone()),
            HeldRows::Rows { table, keys } => {
                let known = self.known(table)?;
                let columns = &known.key.columns;
                let whole = |key: &Personal<Vec<String>>| fits(columns, key.expose());
                if columns.is_empty() || keys.is_empty() || !keys.iter().all(whole) {
                    return Err(SqlFault::MalformedKey.at(&known.name));
                }
                stored.table = Some(known.name.clone());
                stored.rows = keys.iter().map(|key| key.expose().clone()).collect();
                found.try_keys(known, &stored.rows).await?;
            }
            HeldRows::Person(identifiers) => {
                found.make_sets().await?;
                let (person, _) = found.identify(identifiers).await?;
                let locators = person.essence().locators();
                if locators.is_empty() {
                    return Err(SqlFault::NobodyFound.at(HOLDS));
                }
                stored.person = locators.iter().map(|l| l.expose().to_owned()).collect();
            }
        }
        let unwritable = |_| SqlFault::UnreadableNote.at(HOLDS);
        let text = serde_json::to_string(&stored).map_err(unwritable)?;
        let mut gone = found.sql(format!("DELETE FROM {HOLDS} WHERE hold = "));
        gone.bind_text(&hold.name);
        found.run(gone, HOLDS).await?;
        let mut sql = found.sql(format!("INSERT INTO {HOLDS} (hold, held) VALUES ("));
        sql.bind_text(&hold.name)
            .push(", ")
            .bind_text(text)
            .push(")");
        found.run(sql, HOLDS).await?;
        found.clear().await?;
        found.session.commit().await
    }

    /// Lifts a hold; `false` where none has that name. What it alone kept goes when the erasure is
    /// taken up again: at the engine's next look (`Policy::look_at_held`), or at once with
    /// `Engine::holds_lifted`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn lift_hold(&self, context: &CallContext, name: &str) -> Result<bool, PortError> {
        let mut found = self.begin(context, Purpose::Write).await?;
        let mut sql = found.sql(format!("DELETE FROM {HOLDS} WHERE hold = "));
        sql.bind_text(name);
        let lifted = found.run(sql, HOLDS).await? > 0;
        found.session.commit().await?;
        Ok(lifted)
    }

    /// The holds in force, by name, each with its ground.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn holds(&self, context: &CallContext) -> Result<Vec<(String, Ground)>, PortError> {
        let mut found = self.begin(context, Purpose::Read).await?;
        let sql = found.sql(format!("SELECT hold, held FROM {HOLDS} ORDER BY hold"));
        let rows = found.session.fetch(sql, HOLDS).await?;
        found.session.rollback().await?;
        let read = |row: &Vec<super::session::Scalar>| {
            let name = row.first().and_then(super::session::Scalar::text)?;
            let held: Stored = serde_json::from_str(&row.get(1)?.text()?).ok()?;
            Some((name, Ground::new(held.ground)))
        };
        let unreadable = || SqlFault::UnreadableNote.at(HOLDS);
        let holds: Option<Vec<_>> = rows.iter().map(read).collect();
        holds.ok_or_else(unreadable)
    }

    /// Brings back what is only hidden: all rows of the person in tables with `soft_delete`, whoever
    /// hid them, also where they came under a hold since. What was deleted when the days were over does
    /// not come back. The request that hid them should be withdrawn first, or its next look deletes
    /// them. Done once for each `context.key`; a second call answers the same.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn restore(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Vec<RowCount>, PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(shown) => return Ok(shown),
            Err(begun) => begun,
        };
        found.make_sets().await?;
        found.fill(&Person::of(locators)).await?;
        let shown = found.show().await?;
        self.done(found, effect, &shown).await?;
        Ok(shown)
    }

    fn known(&self, table: &str) -> Result<&Laid, PortError> {
        let known = self.layout.tables.iter().find(|known| known.name == table);
        known.ok_or_else(|| SqlFault::UnknownTable.at(table))
    }
}

impl Found {
    /// The holds in force. One that cannot be read stops the work: it may be on any row.
    pub(super) async fn holds(&mut self) -> Result<Vec<Stored>, PortError> {
        let sql = self.sql(format!("SELECT held FROM {HOLDS} ORDER BY hold"));
        let rows = self.session.fetch(sql, HOLDS).await?;
        let read =
            |row: &Vec<super::session::Scalar>| serde_json::from_str(&row.first()?.text()?).ok();
        let holds: Option<Vec<Stored>> = rows.iter().map(read).collect();
        holds.ok_or_else(|| SqlFault::UnreadableNote.at(HOLDS))
    }

    /// Keeps the person's rows that are under a hold, and freezes what else is in the tables.
    pub(super) async fn keep_held(
        &mut self,
        person: &Person,
        holds: &[Stored],
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        for hold in holds {
            let ground = Ground::new(hold.ground.clone());
            let whole = hold.person().meets(person);
            for table in &layout.tables {
                let named = hold.table.as_ref() == Some(&table.name) && hold.rows.is_empty();
                if !named && !whole {
                    continue;
                }
                self.frozen.insert(table.name.clone(), ground.clone());
                if table.owned {
                    self.keep_all(table, ON_HOLD, &ground, None).await?;
                }
            }
        }
        self.keep_beside().await
    }

    /// Asks for rows by these keys: what the database cannot read as one, it says now, and not to
    /// each erasure.
    async fn try_keys(&mut self, table: &Laid, keys: &[Vec<String>]) -> Result<(), PortError> {
        for key in keys {
            let mut sql = self.sql(format!("SELECT count(*) FROM {} AS t WHERE ", table.quoted));
            let names = table.key.under("t");
            for (n, (column, part)) in table.key.columns.iter().zip(key).enumerate() {
                sql.push(if n > 0 { " AND " } else { "" });
                sql.push(&format!("{} = ", names[n]));
                sql.bind_key(column, part);
            }
            let asked = self.session.count(sql, &table.name).await;
            asked.map_err(|error| match error.kind {
                ErrorKind::Refused => SqlFault::MalformedKey.at(&table.name),
                _ => error,
            })?;
        }
        Ok(())
    }
}

/// Makes the table of holds, on every database.
pub(super) const CREATE: &str = "CREATE TABLE IF NOT EXISTS datarights_holds (hold VARCHAR(64) PRIMARY KEY, held TEXT NOT NULL)";
