//! The source: the contract of the port, on sets of rows.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::datamap::{Catalogue, CatalogueColumn, DataMap, MapProblems, Strategy};
use crate::model::{
    Assurance, Correction, Digest, Identifier, IdentifierKind, Personal, RowCount, SourceId, Use,
};
use crate::ports::{
    Answer, CallContext, Clock, Erased, ErrorKind, Located, Locator, MAX_LOCATORS,
    PersonalDataSource, PortError, Reading, SourceDescription, SourcePlan, Stopped, Work,
};

use super::clue::{Clue, Person};
use super::dialect::EFFECTS;
use super::erase::{Performed, PseudonymKey};
use super::found::{Found, others, own};
use super::layout::{Keyless, Laid, LaidTarget, Layout};
use super::read::reading;
use super::rectify::normal;
use super::session::{Purpose, Scalar, SqlPool};
use super::statement::Param;

/// How often a write is begun anew when another one was in its way.
const ATTEMPTS: usize = 5;

/// What a source is besides its map and its database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqlSourceOptions {
    /// How the host calls it.
    pub id: SourceId,
    /// What a person would call it.
    pub title: String,
    /// Sources that must be erased before this one: it holds what leads to them.
    pub erase_after: Vec<SourceId>,
    /// The key of pseudonyms: any bytes, 32 of them from a source of randomness for choice. The
    /// same key gives the same pseudonyms; lost, nobody can tell any more which they were.
    pub pseudonym_key: Option<Personal<Vec<u8>>>,
}

impl SqlSourceOptions {
    /// A source that depends on no other, without a key of pseudonyms.
    pub fn new(id: SourceId, title: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            erase_after: Vec::new(),
            pseudonym_key: None,
        }
    }

    /// Erased after those.
    #[must_use]
    pub fn erased_after(mut self, sources: impl IntoIterator<Item = SourceId>) -> Self {
        self.erase_after = sources.into_iter().collect();
        self
    }

    /// With a key of pseudonyms.
    #[must_use]
    pub fn with_pseudonym_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.pseudonym_key = Some(Personal::new(key.into()));
        self
    }
}

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlOpenError {
    /// Map and database do not agree.
    #[error(transparent)]
    Map(#[from] MapProblems),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] PortError),
    /// A table without a primary key that needs one: people, free text and files are written row
    /// by row.
    #[error("the table `{0}` has no primary key, and what the map says of it needs one")]
    Keyless(String),
    /// The map has pseudonyms, and no key was given.
    #[error("the map has pseudonyms: give a key with `with_pseudonym_key`")]
    NoPseudonymKey,
}

impl From<Keyless> for SqlOpenError {
    fn from(keyless: Keyless) -> Self {
        Self::Keyless(keyless.0)
    }
}

impl SqlPool {
    /// Reads what the database says of itself, for [`DataMap::check`] and drafts.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn catalogue(&self) -> Result<Catalogue, PortError> {
        let mut session = self.begin(Purpose::Read).await?;
        let catalogue = self.dialect().catalogue(&mut session).await?;
        session.rollback().await?;
        Ok(catalogue)
    }
}

/// A source over the tables that a data map describes.
///
/// It keeps one table of its own, `datarights_effects`: which effects were done, and the counts
/// that they answered. It is made when the source is opened, if it is not there.
pub struct SqlSource {
    pool: SqlPool,
    layout: Arc<Layout>,
    catalogue: Catalogue,
    clock: Arc<dyn Clock>,
    options: SqlSourceOptions,
    accepts: Vec<IdentifierKind>,
}

impl std::fmt::Debug for SqlSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqlSource({})", self.options.id)
    }
}

impl SqlSource {
    /// Checks the map beside the database, and opens the source. The clock tells until when rows
    /// are retained.
    ///
    /// # Errors
    /// [`SqlOpenError`].
    pub async fn open(
        pool: impl Into<SqlPool>,
        map: &DataMap,
        clock: Arc<dyn Clock>,
        options: SqlSourceOptions,
    ) -> Result<Self, SqlOpenError> {
        let pool = pool.into();
        let catalogue = pool.catalogue().await?;
        map.check(&catalogue)?;
        let layout = Layout::new(map, &catalogue, pool.dialect())?;
        if options.pseudonym_key.is_none() && has_pseudonyms(&layout) {
            return Err(SqlOpenError::NoPseudonymKey);
        }
        let mut session = pool.begin(Purpose::Write).await?;
        let create = super::statement::Sql::new(pool.dialect(), pool.dialect().create_effects());
        session.execute(create, EFFECTS).await?;
        session.commit().await?;
        Ok(Self {
            accepts: accepted(&layout),
            pool,
            layout: Arc::new(layout),
            catalogue,
            clock,
            options,
        })
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    async fn begin(&self, context: &CallContext, purpose: Purpose) -> Result<Found, PortError> {
        Found::begin(&self.pool, &self.layout, context, purpose).await
    }

    /// A transaction with all rows of a person, the kept ones too.
    async fn found(
        &self,
        context: &CallContext,
        person: &Person,
        purpose: Purpose,
    ) -> Result<Found, PortError> {
        let mut found = self.begin(context, purpose).await?;
        found.make_sets().await?;
        found.fill(person).await?;
        found.find_others(person).await?;
        Ok(found)
    }

    /// The schema is the one that the map was checked beside.
    async fn same_schema(&self, found: &mut Found) -> Result<(), PortError> {
        let now = self.pool.dialect().catalogue(&mut found.session).await?;
        if now == self.catalogue {
            return Ok(());
        }
        let names = now.tables.keys().chain(self.catalogue.tables.keys());
        let changed = names
            .into_iter()
            .find(|name| now.tables.get(*name) != self.catalogue.tables.get(*name));
        let error = PortError::refused("schema_changed");
        Err(match changed {
            Some(table) => error.at(table),
            None => error,
        })
    }

    async fn perform(&self, found: &mut Found, person: &Person) -> Result<Performed, PortError> {
        self.same_schema(found).await?;
        found.make_sets().await?;
        found.fill(person).await?;
        found.find_others(person).await?;
        let withheld = found.keep(self.today()).await?;
        let key: Option<&PseudonymKey> = self.options.pseudonym_key.as_ref();
        found.erase(person, withheld, key).await
    }

    /// Begins an effect. One that was done answers what it answered then.
    async fn once<T: DeserializeOwned>(
        &self,
        context: &CallContext,
    ) -> Result<Result<T, (Found, String)>, PortError> {
        let name = format!("{}\0{}", context.controller, context.key);
        let effect = Digest::of(name.as_bytes()).to_string();
        let mut found = self.begin(context, Purpose::Write).await?;
        let mut note = found.sql(self.pool.dialect().note_effect());
        note.params = vec![Param::Text(effect.clone()), Param::Text(String::new())];
        if found.run(note, EFFECTS).await? > 0 {
            return Ok(Err((found, effect)));
        }
        let mut sql = found.sql(format!("SELECT answer FROM {EFFECTS} WHERE effect = "));
        sql.bind_text(effect);
        let rows = found.session.fetch(sql, EFFECTS).await?;
        found.session.rollback().await?;
        let answer = rows.first().and_then(|row| row.first()?.text());
        let answer = answer.and_then(|text| serde_json::from_str(&text).ok());
        answer
            .map(Ok)
            .ok_or_else(|| PortError::new(ErrorKind::Nonsense, "unreadable").at(EFFECTS))
    }

    /// Ends an effect: its answer and all it did become true together.
    async fn done<T: Serialize>(
        &self,
        mut found: Found,
        effect: String,
        answer: &T,
    ) -> Result<(), PortError> {
        let unreadable = |_| PortError::new(ErrorKind::Nonsense, "unwritable").at(EFFECTS);
        let answer = serde_json::to_string(answer).map_err(unreadable)?;
        let mut sql = found.sql(format!("UPDATE {EFFECTS} SET answer = "));
        sql.bind_text(answer)
            .push(" WHERE effect = ")
            .bind_text(effect);
        found.run(sql, EFFECTS).await?;
        found.clear().await?;
        super::found::go_on(&found.cancel)?;
        found.session.commit().await
    }

    async fn erase_once(
        &self,
        context: &CallContext,
        person: &Person,
    ) -> Result<Erased, PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(erased) => return Ok(erased),
            Err(begun) => begun,
        };
        let done = self.perform(&mut found, person).await?;
        let erased = Erased {
            rows: done.rows(),
            assurance: if done.anonymised() {
                Assurance::Anonymised
            } else {
                Assurance::Deleted
            },
            withheld: done.withheld,
        };
        self.done(found, effect, &erased).await?;
        Ok(erased)
    }

    async fn rectify_once(
        &self,
        context: &CallContext,
        person: &Person,
        corrections: &[Correction],
    ) -> Result<Vec<RowCount>, PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(counts) => return Ok(counts),
            Err(begun) => begun,
        };
        self.same_schema(&mut found).await?;
        found.make_sets().await?;
        found.fill(person).await?;
        let counts = found.correct(corrections).await?;
        self.done(found, effect, &counts).await?;
        Ok(counts)
    }

    /// Who is meant by these identifiers, and what else identifies them.
    async fn identify(
        &self,
        found: &mut Found,
        identifiers: &[Identifier],
    ) -> Result<(Person, Vec<Identifier>), PortError> {
        let given: Vec<(IdentifierKind, String)> = identifiers
            .iter()
            .filter_map(|identifier| identifier.normal().ok())
            .map(|form| (form.kind().clone(), form.expose().to_owned()))
            .collect();
        let of_kind = |kind: &IdentifierKind| -> Vec<&str> {
            let same = given.iter().filter(|(other, _)| other == kind);
            same.map(|(_, value)| value.as_str()).collect()
        };
        let (mut person, mut identifiers) = (Person::default(), Vec::new());
        let layout = Arc::clone(&self.layout);
        for table in layout.tables.iter().filter(|table| table.described.person) {
            let mut rows = 0;
            for (column, described) in table.columns() {
                for kind in &described.identifiers {
                    let values = of_kind(kind);
                    rows += found.seed_by_column(table, column, kind, &values).await?;
                }
            }
            if rows > 0 {
                self.know(found, table, &mut person, &mut identifiers)
                    .await?;
            }
        }
        // What stands nowhere is no part of the person: it would be sealed and kept for nothing.
        for table in &layout.tables {
            for link in &table.links {
                let LaidTarget::Identifier(kind, _) = &link.to else {
                    continue;
                };
                for value in of_kind(kind) {
                    let set = format!("{}value", super::dialect::SET);
                    found.make_set(table, &set).await?;
                    if let Some(sql) = found.by_value(table, link, &set, vec![value])
                        && found.run(sql, &table.name).await? > 0
                    {
                        person.add(Clue::Value(kind.clone(), value.to_owned()));
                    }
                    let dropped = found.sql(layout.dialect.drop_set(&set));
                    found.run(dropped, &table.name).await?;
                }
            }
        }
        Ok((person, identifiers))
    }

    /// Reads keys, identifiers and names of the people in a set.
    async fn know(
        &self,
        found: &mut Found,
        table: &Laid,
        person: &mut Person,
        identifiers: &mut Vec<Identifier>,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let named: Vec<(&CatalogueColumn, &[IdentifierKind])> = table
            .columns()
            .filter(|(_, described)| !described.identifiers.is_empty())
            .map(|(column, described)| (column, described.identifiers.as_slice()))
            .collect();
        let names = table.described.names.iter().flatten();
        let names = names.filter_map(|name| table.table.column(name));
        let columns: Vec<&CatalogueColumn> = table
            .key
            .columns
            .iter()
            .chain(named.iter().map(|(column, _)| *column))
            .chain(names)
            .collect();
        let text =
            |column: &&CatalogueColumn| dialect.text(&format!("t.{}", dialect.quote(&column.name)));
        let selected: Vec<String> = columns.iter().map(text).collect();
        let sql = found.sql(format!(
            "SELECT {} FROM {} AS t JOIN {} AS s ON {} LIMIT {}",
            selected.join(", "),
            table.quoted,
            table.set,
            table.key.joins(dialect, "t", "s"),
            MAX_LOCATORS + 1
        ));
        let rows = found.session.fetch(sql, &table.name).await?;
        if rows.len() > MAX_LOCATORS {
            return Err(PortError::refused("too_many_people").at(&table.name));
        }
        let free_text = |table: &Laid| table.described.columns.values().any(|c| c.free_text);
        let marks = self.layout.tables.iter().any(free_text);
        for row in rows {
            let mut cells = row.iter().map(Scalar::text);
            let key: Vec<String> = cells.by_ref().take(table.key.len()).flatten().collect();
            person.add(Clue::Row(table.name.clone(), key));
            for (_, kinds) in &named {
                let Some(stored) = cells.next().flatten() else {
                    continue;
                };
                for kind in *kinds {
                    let Some(value) = normal(kind, &stored) else {
                        continue; // a login name is not always an address
                    };
                    identifiers.extend(identifier(kind, &stored));
                    if marks && matches!(kind, IdentifierKind::Mail | IdentifierKind::Phone) {
                        person.add(Clue::Mark(stored.trim().to_owned()));
                    }
                    person.add(Clue::Value(kind.clone(), value));
                }
            }
            for parts in &table.described.names {
                let name: Option<Vec<String>> = cells.by_ref().take(parts.len()).collect();
                let Some(name) = name.filter(|_| marks) else {
                    continue;
                };
                if self.is_theirs_alone(found, table, parts, &name).await? {
                    person.add(Clue::Mark(name.join(" ").trim().to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Whether nobody else has this name, and it is more than one word.
    async fn is_theirs_alone(
        &self,
        found: &mut Found,
        table: &Laid,
        columns: &[String],
        name: &[String],
    ) -> Result<bool, PortError> {
        if !name.join(" ").trim().contains(' ') {
            return Ok(false);
        }
        let dialect = self.layout.dialect;
        let mut sql = found.sql(format!("SELECT count(*) FROM {} AS t WHERE ", table.quoted));
        for (n, (column, part)) in columns.iter().zip(name).enumerate() {
            let text = dialect.text(&format!("t.{}", dialect.quote(column)));
            sql.push(if n > 0 { " AND " } else { "" });
            sql.push(&format!("{text} = ")).bind_text(part);
        }
        Ok(found.session.count(sql, &table.name).await? == 1)
    }

    /// Adds the keys of rows that others hang on without a declared key: if those rows were lost,
    /// nothing else would lead to the others. As far as there is room for locators.
    async fn remember_parents(
        &self,
        found: &mut Found,
        person: &mut Person,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        for (number, parent) in layout.tables.iter().enumerate() {
            if !parent.owned || parent.described.person || parent.key.columns.is_empty() {
                continue;
            }
            let loosely = |table: &Laid| {
                own(table).chain(others(table)).any(|link| {
                    let declared =
                        table.table.foreign_keys.iter().any(|key| {
                            key.table == parent.name && key.columns == link.link.columns
                        });
                    matches!(link.to, LaidTarget::Rows(to, _) if to == number) && !declared
                })
            };
            if parent.key.loose || !layout.tables.iter().any(loosely) {
                continue;
            }
            let room = MAX_LOCATORS.saturating_sub(person.len());
            let dialect = layout.dialect;
            let parts: Vec<String> = (0..parent.key.len())
                .map(|n| dialect.text(&format!("s.k{n}")))
                .collect();
            let sql = found.sql(format!(
                "SELECT {} FROM {} AS s LIMIT {}",
                parts.join(", "),
                parent.set,
                room + 1
            ));
            let rows = found.session.fetch(sql, &parent.name).await?;
            if rows.len() <= room {
                for row in rows {
                    let key: Vec<String> = row.iter().filter_map(Scalar::text).collect();
                    person.add(Clue::Row(parent.name.clone(), key));
                }
            }
        }
        Ok(())
    }
}

/// Tries again what stood in another one's way.
macro_rules! persistently {
    ($work:expr) => {{
        let mut attempt = 1;
        loop {
            match $work.await {
                Err(error) if error.kind == ErrorKind::Busy && attempt < ATTEMPTS => attempt += 1,
                result => break result,
            }
        }
    }};
}

#[async_trait]
impl PersonalDataSource for SqlSource {
    fn describe(&self) -> SourceDescription {
        let mut description = SourceDescription::new(
            self.options.id.clone(),
            self.options.title.clone(),
            self.accepts.clone(),
        );
        description
            .erase_after
            .clone_from(&self.options.erase_after);
        description
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        let mut found = self.begin(context, Purpose::Read).await?;
        found.make_sets().await?;
        let (mut person, identifiers) = self.identify(&mut found, identifiers).await?;
        found.make_sets().await?;
        found.fill(&person).await?;
        found.find_others(&person).await?;
        self.remember_parents(&mut found, &mut person).await?;
        let mut located = Located::default();
        for table in &self.layout.tables {
            if table.owned {
                let rows = found.count(table, &table.set, None).await?;
                located.rows.push(RowCount::new(&table.name, rows));
            }
            for link in others(table) {
                let rows = found.count(table, &link.set, None).await?;
                let name = table.collection_of(link);
                located.rows.push(RowCount::new(name, rows));
            }
        }
        located.rows.retain(|count| count.rows > 0);
        found.clear().await?;
        found.session.rollback().await?;
        if !located.rows.is_empty() {
            located.locators = person.locators();
            located.identifiers = identifiers;
        }
        Ok(Answer::Done(located))
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        let person = Person::of(locators);
        let plan = async || {
            // A rehearsal: what the database refuses, it refuses now.
            let mut found = self.begin(context, Purpose::Write).await?;
            let plan =
                match work {
                    Work::Erase => {
                        let done = self.perform(&mut found, &person).await?;
                        let mut lines = done.lines;
                        lines.extend(done.withheld.into_iter().map(|kept| {
                            crate::ports::PlannedRows {
                                collection: kept.collection,
                                action: crate::ports::PlannedAction::Withhold {
                                    ground: kept.ground,
                                    until: kept.until,
                                },
                                rows: kept.rows,
                            }
                        }));
                        SourcePlan::new(lines)
                    }
                    Work::Rectify(corrections) => {
                        self.same_schema(&mut found).await?;
                        found.make_sets().await?;
                        found.fill(&person).await?;
                        let plan = found.plan_corrections(corrections).await?;
                        found.correct(corrections).await?;
                        plan
                    }
                };
            found.clear().await?;
            found.session.rollback().await?;
            Ok::<SourcePlan, PortError>(plan)
        };
        persistently!(plan()).map(Answer::Done)
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        let person = Person::of(locators);
        let found = self.found(context, &person, Purpose::Read).await?;
        Ok(Answer::Done(reading(found)))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let person = Person::of(locators);
        persistently!(self.rectify_once(context, &person, corrections)).map(Answer::Done)
    }

    /// No map says yet how a row is restricted.
    async fn restrict(
        &self,
        context: &CallContext,
        _: &[Locator],
        _: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        super::found::go_on(&context.cancel)?;
        Ok(Answer::Unsupported)
    }

    /// No map says yet what rows are used for, and how a use of them ends.
    async fn stop(
        &self,
        context: &CallContext,
        _: &[Identifier],
        _: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        super::found::go_on(&context.cancel)?;
        Ok(Answer::Unsupported)
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        _: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let person = Person::of(locators);
        persistently!(self.erase_once(context, &person)).map(Answer::Done)
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let person = Person::of(locators);
        let mut found = self.found(context, &person, Purpose::Read).await?;
        found.keep(self.today()).await?;
        let left = found.left(&person).await?;
        found.clear().await?;
        found.session.rollback().await?;
        Ok(Answer::Done(left))
    }
}

fn identifier(kind: &IdentifierKind, value: &str) -> Option<Identifier> {
    match kind {
        IdentifierKind::Mail => Identifier::mail(value).ok(),
        IdentifierKind::Phone => Identifier::phone(value).ok(),
        IdentifierKind::Account => Identifier::account(value).ok(),
        IdentifierKind::Device => Identifier::device(value).ok(),
        IdentifierKind::Custom(name) => Identifier::custom(name.clone(), value).ok(),
        _ => None,
    }
}

fn accepted(layout: &Layout) -> Vec<IdentifierKind> {
    let mut accepted = std::collections::BTreeSet::new();
    for table in &layout.tables {
        for column in table.described.columns.values() {
            accepted.extend(column.identifiers.iter().cloned());
        }
        for link in &table.links {
            if let LaidTarget::Identifier(kind, _) = &link.to {
                accepted.insert(kind.clone());
            }
        }
    }
    accepted.into_iter().collect()
}

fn has_pseudonyms(layout: &Layout) -> bool {
    layout.tables.iter().any(|table| {
        let columns = table.described.columns.values();
        let columns = columns.filter_map(|column| column.erase.as_ref());
        let links = table.links.iter().flat_map(|link| link.link.erase.values());
        columns.chain(links).any(|s| *s == Strategy::Pseudonym)
    })
}
