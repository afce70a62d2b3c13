//! The source: the contract of the port, on sets of rows.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::datamap::{Catalogue, DataMap, Strategy};
use crate::model::{
    Assurance, ControllerId, Correction, Digest, Failure, Identifier, IdentifierKind, MissingRows,
    RowCount, Use, WithheldRows,
};
use crate::ports::{
    Answer, CallContext, Clock, Erased, Located, Locator, PersonalDataSource, PortError, Reading,
    Residue, SourceDescription, SourcePlan, Stopped, Work,
};

use super::again::{inside_or_not, persistently};
use super::clue::Person;
use super::dialect::{EFFECTS, RESTRICTIONS, STOPS};
use super::erase::{Performed, PseudonymKey};
use super::fault::SqlFault;
use super::found::{Found, others};
use super::holds::HOLDS;
use super::layout::{LaidTarget, Layout};
use super::options::{SqlOpenError, SqlSourceOptions};
use super::read::reading;
use super::schema::Schema;
use super::session::{Purpose, SqlPool};
use super::statement::{Param, Sql};

impl SqlPool {
    /// Reads what the database says of itself, for [`DataMap::check`] and drafts.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn catalogue(&self) -> Result<Catalogue, PortError> {
        let mut session = self.begin(Purpose::Read).await?;
        let schema = Schema::read(self.dialect(), &mut session).await?;
        session.rollback().await?;
        Ok(schema.catalogue().clone())
    }
}

/// A source over the tables that a data map describes.
///
/// It keeps tables of its own: `datarights_effects` (which effects were done, and the counts that
/// they answered), `datarights_holds`, and where the map restricts rows or ends uses also
/// `datarights_restrictions` and `datarights_stops`. They are made when the source is opened, if
/// they are not there.
pub struct SqlSource {
    pub(super) pool: SqlPool,
    pub(super) layout: Arc<Layout>,
    schema: Schema,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: SqlSourceOptions,
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
        let mut session = pool.begin(Purpose::Read).await?;
        let schema = Schema::read(pool.dialect(), &mut session).await?;
        session.rollback().await?;
        map.check(schema.catalogue())?;
        let layout = Layout::new(map, schema.catalogue(), pool.dialect())?;
        for strategy in strategies(&layout) {
            if let Strategy::Own(name) = strategy
                && !options.strategies.contains_key(name)
            {
                return Err(SqlOpenError::UnknownStrategy(name.clone()));
            }
        }
        let pseudonyms = strategies(&layout).any(|s| *s == Strategy::Pseudonym);
        let needs_key = pseudonyms || layout.stops();
        if options.pseudonym_key.is_none() && needs_key {
            return Err(SqlOpenError::NoPseudonymKey);
        }
        make_tables(&pool, &layout).await?;
        Ok(Self {
            accepts: accepted(&layout),
            pool,
            layout: Arc::new(layout),
            schema,
            clock,
            options,
        })
    }

    fn purges(&self) -> bool {
        self.options.purge && self.pool.purges()
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    pub(super) async fn begin(
        &self,
        context: &CallContext,
        purpose: Purpose,
    ) -> Result<Found, PortError> {
        let mut found = Found::begin(&self.pool, &self.layout, context, purpose).await?;
        found.strategies = Arc::clone(&self.options.strategies);
        found.by_value = self.options.by_value;
        Ok(found)
    }

    /// All rows of a person, the kept ones too, to be read.
    async fn found(mut found: Found, person: &Person) -> Result<Found, PortError> {
        found.numbered = true;
        found.make_sets().await?;
        found.fill(person).await?;
        found.find_others(person).await?;
        Ok(found)
    }

    /// The schema is the one that the map was checked beside. Answers whether anything is held.
    pub(super) async fn same_schema(&self, found: &mut Found) -> Result<bool, PortError> {
        let dialect = self.pool.dialect();
        let (guarded, held) = self.schema.same(dialect, &mut found.session).await?;
        found.guarded = guarded;
        Ok(held)
    }

    /// Erases, or rehearses it; `inside` says that sets may stand inside statements.
    pub(super) async fn perform(
        &self,
        found: &mut Found,
        context: &CallContext,
        person: &Person,
        rehearsal: bool,
        inside: bool,
    ) -> Result<Performed, PortError> {
        let held = self.same_schema(found).await?;
        if inside && !held && self.goes_inside(found, person) {
            return found.erase_inside(person, rehearsal).await;
        }
        let withheld = self.find_all(found, person).await?;
        self.erase_found(found, context, person, withheld, rehearsal)
            .await
    }

    /// Whether sets may stand inside the statements of this erasure, where nothing is held.
    pub(super) fn goes_inside(&self, found: &Found, person: &Person) -> bool {
        // What was restricted while it was kept is freed step by step.
        !self.layout.restricts() && found.erases_inside(person)
    }

    /// Fills the sets for an erasure. Answers what is kept, and not in them.
    pub(super) async fn find_all(
        &self,
        found: &mut Found,
        person: &Person,
    ) -> Result<Vec<WithheldRows>, PortError> {
        found.find_held(person).await?;
        found.make_sets().await?;
        found.fill(person).await?;
        found.find_others(person).await?;
        let now = self.clock.now();
        found.keep(person, self.today(), Some(now)).await
    }

    /// Erases what stands in the sets, or rehearses it.
    pub(super) async fn erase_found(
        &self,
        found: &mut Found,
        context: &CallContext,
        person: &Person,
        withheld: Vec<WithheldRows>,
        rehearsal: bool,
    ) -> Result<Performed, PortError> {
        found.restrict_kept(&request_mark(context)).await?;
        let key: Option<&PseudonymKey> = self.options.pseudonym_key.as_ref();
        found.erase(person, withheld, key, rehearsal).await
    }

    /// Begins an effect. One that was done answers what it answered then.
    pub(super) async fn once<T: DeserializeOwned>(
        &self,
        context: &CallContext,
    ) -> Result<Result<T, (Found, String)>, PortError> {
        let name = format!("{}\0{}", context.controller, context.key);
        let effect = Digest::of(name.as_bytes()).to_string();
        let mut found = self.begin(context, Purpose::Write).await?;
        let mut note = found.sql(self.pool.dialect().note_effect());
        note.params = vec![Param::Text(effect.clone()), Param::Text(String::new())];
        note.kept = true;
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
            .ok_or_else(|| SqlFault::UnreadableNote.at(EFFECTS))
    }

    /// Ends an effect: its answer and all it did become true together.
    pub(super) async fn done<T: Serialize>(
        &self,
        mut found: Found,
        effect: String,
        answer: &T,
    ) -> Result<(), PortError> {
        let unreadable = |_| SqlFault::UnreadableNote.at(EFFECTS);
        let answer = serde_json::to_string(answer).map_err(unreadable)?;
        let mut sql = found.sql(format!("UPDATE {EFFECTS} SET answer = "));
        sql.bind_text(answer)
            .push(" WHERE effect = ")
            .bind_text(effect);
        found.run(sql.kept(), EFFECTS).await?;
        found.clear().await?;
        super::found::go_on(&found.cancel)?;
        found.session.commit().await
    }

    async fn erase_once(
        &self,
        context: &CallContext,
        person: &Person,
        plan: &SourcePlan,
        inside: bool,
    ) -> Result<Erased, PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(erased) => return Ok(erased),
            Err(begun) => begun,
        };
        let done = self
            .perform(&mut found, context, person, false, inside)
            .await?;
        super::plan::covers(plan, &done)?;
        let erased = done.erased();
        self.done(found, effect, &erased).await?;
        Ok(erased)
    }

    async fn restrict_once(
        &self,
        context: &CallContext,
        person: &Person,
        restricted: bool,
    ) -> Result<(Vec<RowCount>, Vec<MissingRows>), PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(done) => return Ok(done),
            Err(begun) => begun,
        };
        found.numbered = true;
        self.same_schema(&mut found).await?;
        found.make_sets().await?;
        found.fill(person).await?;
        found.find_others(person).await?;
        let done = found.restrict(&request_mark(context), restricted).await?;
        self.done(found, effect, &done).await?;
        Ok(done)
    }

    async fn stop_once(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Vec<RowCount>, PortError> {
        let (mut found, effect) = match self.once(context).await? {
            Ok(rows) => return Ok(rows),
            Err(begun) => begun,
        };
        self.same_schema(&mut found).await?;
        found.make_sets().await?;
        let (person, more) = found.identify(identifiers).await?;
        found.make_sets().await?;
        found.fill(&person).await?;
        let rows = found.end_uses(uses).await?;
        if let Some(key) = self
            .options
            .pseudonym_key
            .as_ref()
            .filter(|_| self.layout.stops())
        {
            let all: Vec<Identifier> = identifiers.iter().cloned().chain(more).collect();
            found
                .note_stops(key, &context.controller, &all, uses)
                .await?;
        }
        self.done(found, effect, &rows).await?;
        Ok(rows)
    }

    /// Whether a use was ended for whoever has this identifier. A host asks before such a use of
    /// data that came after the use was ended; rows that were there tell it by themselves. `false`
    /// for a source whose map has no `ends`, or to which no key was given.
    ///
    /// # Errors
    /// `malformed_identifier` for what has no normal form; those of the database.
    pub async fn is_stopped(
        &self,
        controller: &ControllerId,
        identifier: &Identifier,
        what: &Use,
    ) -> Result<bool, PortError> {
        let key = self.options.pseudonym_key.as_ref();
        let Some(key) = key.filter(|_| self.layout.stops()) else {
            return Ok(false);
        };
        let mut found = Found::new(&self.pool, &self.layout, Purpose::Read).await?;
        let stopped = found.is_stopped(key, controller, identifier, what).await?;
        found.session.rollback().await?;
        Ok(stopped)
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
        if self.purges() {
            description.assurance = Assurance::Purged;
        }
        description
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        let mut found = self.begin(context, Purpose::Read).await?;
        self.same_schema(&mut found).await?;
        found.make_sets().await?;
        let given = identifiers.iter();
        let given = given.filter(|one| self.accepts.contains(&one.kind()));
        let given: Vec<Identifier> = given.cloned().collect();
        let (mut person, identifiers) = found.identify(&given).await?;
        if let Some(table) = person.several().filter(|_| self.options.one_row_each) {
            return Err(SqlFault::SeveralPeople.at(table));
        }
        found.make_sets().await?;
        found.fill(&person).await?;
        found.find_others(&person).await?;
        found.remember_parents(&mut person).await?;
        let mut located = Located::default();
        for table in &self.layout.tables {
            if table.owned {
                let rows = found.count(table, &table.set, None).await?;
                // Somebody who was found, and not again by the key: nothing could be done for them.
                if table.described.person && rows < person.rows(&table.name).count() as u64 {
                    return Err(SqlFault::Unreadable.at(&table.name));
                }
                located.rows.push(RowCount::new(&table.name, rows));
            }
            for link in others(table) {
                let rows = found.count(table, &link.set, None).await?;
                let name = table.collection_of(link);
                located.rows.push(RowCount::new(name, rows));
            }
        }
        located.rows.retain(|count| count.rows > 0);
        let named = found.find_in_texts(&given, &mut person).await?;
        if located.rows.is_empty() {
            located.rows = named; // somebody who stands in texts alone
        }
        found.take_back().await?;
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
        let plan = async |inside| {
            // A rehearsal: what the database refuses, it refuses now.
            let mut found = self.begin(context, Purpose::Write).await?;
            let plan = match work {
                Work::Erase => {
                    let done = self.rehearse(&mut found, context, &person, inside).await?;
                    super::plan::plan(done)
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
            found.take_back().await?;
            Ok::<SourcePlan, PortError>(plan)
        };
        persistently!(inside_or_not!(plan)).map(Answer::Done)
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        let person = Person::of(locators);
        let mut found = self.begin(context, Purpose::Read).await?;
        // What came since the map was checked would be missing in the answer.
        self.same_schema(&mut found).await?;
        if found.reads_inside(&person) {
            return Ok(Answer::Done(reading(found, Some(person))));
        }
        let found = Self::found(found, &person).await?;
        Ok(Answer::Done(reading(found, None)))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let person = Person::of(locators);
        persistently!(self.rectify_once(context, &person, corrections).await).map(Answer::Done)
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        super::found::go_on(&context.cancel)?;
        if !self.layout.restricts() {
            return Ok(Answer::Unsupported);
        }
        let person = Person::of(locators);
        let (done, missing) =
            persistently!(self.restrict_once(context, &person, restricted).await)?;
        Ok(answer(done, missing))
    }

    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        super::found::go_on(&context.cancel)?;
        let told = self.layout.uses();
        let (told, untold): (Vec<Use>, Vec<Use>) =
            uses.iter().cloned().partition(|what| told.contains(what));
        if told.is_empty() {
            return Ok(Answer::Unsupported);
        }
        let rows = persistently!(self.stop_once(context, identifiers, &told).await)?;
        // Not kept with the effect: it is personal.
        let mut found = self.begin(context, Purpose::Read).await?;
        found.make_sets().await?;
        let (_, identifiers) = found.identify(identifiers).await?;
        let done = Stopped { rows, identifiers };
        found.take_back().await?;
        let missing = untold.iter().map(|_| MissingRows {
            collection: None,
            rows: None,
            failure: Failure::Unsupported,
        });
        Ok(answer(done, missing.take(1).collect()))
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let person = Person::of(locators);
        let erased = match self.options.chunk {
            Some(most) => {
                let most = most.get();
                self.erase_in_chunks(context, &person, plan, most).await?
            }
            None => {
                let erase = async |inside| self.erase_once(context, &person, plan, inside).await;
                Answer::Done(persistently!(inside_or_not!(erase))?)
            }
        };
        let Answer::Done(mut erased) = erased else {
            return Ok(erased);
        };
        // It was done by a commit; what becomes of the files is looked after now.
        let purged = self.purges() && self.pool.is_purged().await?;
        if purged && erased.assurance == Assurance::Deleted {
            erased.assurance = Assurance::Purged;
        }
        Ok(Answer::Done(erased))
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        let person = Person::of(locators);
        let residue = async |inside| {
            let mut found = self.begin(context, Purpose::Read).await?;
            let held = self.same_schema(&mut found).await?;
            let left = if inside && !held && found.finds_inside(&person) {
                found.left_inside(&person).await?
            } else {
                found.find_held(&person).await?;
                found.make_sets().await?;
                found.fill(&person).await?;
                found.find_others(&person).await?;
                found.keep(&person, self.today(), None).await?;
                found.left(&person).await?
            };
            let left = self.residue_of(&mut found, &person, left).await?;
            found.take_back().await?;
            Ok::<Residue, PortError>(left)
        };
        inside_or_not!(residue).map(Answer::Done)
    }
}

/// By what a request's restrictions are known.
pub(super) fn request_mark(context: &CallContext) -> String {
    let request = format!("{}\0{}", context.controller, context.request);
    Digest::of(request.as_bytes()).to_string()
}

fn answer<T>(done: T, missing: Vec<MissingRows>) -> Answer<T> {
    match missing.is_empty() {
        true => Answer::Done(done),
        false => Answer::Partly { done, missing },
    }
}

/// Makes the source's own tables, unless they are there: a host may make them in a migration, and
/// keep the right to make tables to itself.
async fn make_tables(pool: &SqlPool, layout: &Layout) -> Result<(), PortError> {
    let dialect = pool.dialect();
    let tables = [
        (true, EFFECTS, "effect", dialect.create_effects()),
        (
            layout.restricts(),
            RESTRICTIONS,
            "request",
            dialect.create_restrictions(),
        ),
        (layout.stops(), STOPS, "form", dialect.create_stops()),
        (true, HOLDS, "hold", super::holds::CREATE),
    ];
    for (_, name, column, create) in tables.into_iter().filter(|(needed, ..)| *needed) {
        if is_there(pool, name, column).await? {
            continue;
        }
        let made = async {
            let mut session = pool.begin(Purpose::Write).await?;
            session.execute(Sql::new(dialect, create), name).await?;
            session.commit().await
        };
        // PostgreSQL refuses one of two that make a table at once, also where it may be there.
        if let Err(error) = made.await
            && !is_there(pool, name, column).await?
        {
            return Err(error);
        }
    }
    Ok(())
}

/// Whether a table of the source's own can be read.
async fn is_there(pool: &SqlPool, name: &str, column: &str) -> Result<bool, PortError> {
    let mut session = pool.begin(Purpose::Read).await?;
    let look = format!("SELECT {column} FROM {name} WHERE 1 = 0");
    let there = session.fetch(Sql::new(pool.dialect(), look), name).await;
    session.rollback().await?;
    Ok(there.is_ok())
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

fn strategies(layout: &Layout) -> impl Iterator<Item = &Strategy> {
    layout.tables.iter().flat_map(|table| {
        let columns = table.described.columns.values();
        let columns = columns.flat_map(|column| column.erase.iter().chain(&column.minimise));
        let links = table.links.iter().flat_map(|link| link.link.erase.values());
        columns.chain(links)
    })
}
