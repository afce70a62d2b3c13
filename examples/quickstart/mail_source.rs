//! The mail log as a source of its own: it knows nobody by number, only addresses.
//!
//! The smallest source there is: one table, nothing withheld. The addresses to search for come
//! from the person, and from the help desk, which knows those that the person did not think of.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use datarights::model::{
    Assurance, Category, Collection, Column, Correction, IdError, Identifier, IdentifierKind,
    RowCount, SourceId, Use, Value,
};
use datarights::ports::{
    Answer, CallContext, Cancel, Cell, Clock, Erased, ErrorKind, Item, Located, Locator,
    PersonalDataSource, PlannedAction, PlannedRows, PortError, Reading, Residue, SourceDescription,
    SourcePlan, Stopped, Work,
};
use futures::{StreamExt, TryStreamExt, stream};
use rusqlite::{Connection, Row, params};

use crate::db::{Db, at, not_cancelled, rows};

const TABLE: &str = "deliveries";
const COLUMNS: [&str; 5] = ["sent_on", "sender", "recipient", "subject", "bytes"];

/// Deliveries from or to one of the addresses in `?1`.
const THEIRS: &str = "(sender IN (SELECT value FROM json_each(?1))
                       OR recipient IN (SELECT value FROM json_each(?1)))";

/// How many rows are read at a time.
const PAGE: usize = 100;

/// The log keeps one year.
const HORIZON: TimeDelta = TimeDelta::days(365);

/// The mail log.
pub(crate) struct MailSource {
    description: SourceDescription,
    db: Db,
    clock: Arc<dyn Clock>,
}

impl MailSource {
    /// The name under which the engine knows it.
    pub(crate) const ID: &str = "mail-log";

    /// Serves the log.
    pub(crate) fn new(db: Db, clock: Arc<dyn Clock>) -> Result<Self, IdError> {
        let id = SourceId::new(Self::ID)?;
        let description = SourceDescription::new(id, "Mail log", [IdentifierKind::Mail]);
        Ok(Self {
            description,
            db,
            clock,
        })
    }

    async fn count(&self, addresses: String) -> Result<u64, PortError> {
        let count = move |log: &mut Connection| {
            let sql = format!("SELECT count(*) FROM deliveries WHERE {THEIRS}");
            log.query_row(&sql, [&addresses], |row| row.get(0))
                .map_err(at(TABLE))
        };
        self.db.call(count).await
    }
}

/// The addresses, as the JSON array that [`THEIRS`] takes.
fn addresses(locators: &[Locator]) -> String {
    let all: Vec<&str> = locators.iter().map(Locator::expose).collect();
    serde_json::json!(all).to_string()
}

#[async_trait]
impl PersonalDataSource for MailSource {
    fn describe(&self) -> SourceDescription {
        self.description.clone()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        not_cancelled(context)?;
        let normal = identifiers
            .iter()
            .filter_map(|identifier| identifier.normal().ok());
        let given: Vec<String> = normal.map(|form| form.expose().to_owned()).collect();
        let given = serde_json::json!(given).to_string();
        let known = move |log: &mut Connection| {
            let sql = "SELECT value FROM json_each(?1) WHERE EXISTS
                       (SELECT 1 FROM deliveries WHERE sender = value OR recipient = value)";
            rows(log, sql, [given], |row| row.get(0)).map_err(at(TABLE))
        };
        let known: Vec<String> = self.db.call(known).await?;
        let locators: Vec<Locator> = known.into_iter().map(Locator::new).collect();
        let rows = self.count(addresses(&locators)).await?;
        Ok(Answer::Done(Located {
            locators,
            rows: vec![RowCount::new(TABLE, rows)],
            identifiers: Vec::new(),
            horizon: Some(self.clock.now() - HORIZON),
        }))
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        not_cancelled(context)?;
        let lines = match work {
            Work::Erase => vec![PlannedRows {
                collection: TABLE.to_owned(),
                action: PlannedAction::Delete,
                rows: self.count(addresses(locators)).await?,
            }],
            // A log says what happened: nothing in it is corrected, and what a person wants
            // corrected stands elsewhere.
            _ => Vec::new(),
        };
        Ok(Answer::Done(SourcePlan::new(lines)))
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        not_cancelled(context)?;
        let columns = COLUMNS.map(|name| Column::new(name).holding(Category::Correspondence));
        let collection = Collection::new(TABLE, columns).titled("Mails between you and us");
        let beginning = stream::iter([Ok(Item::Collection(collection))]);
        let rows = deliveries(self.db.clone(), addresses(locators), context.cancel.clone());
        Ok(Answer::Done(beginning.chain(rows).boxed()))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        _: &[Locator],
        _: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        not_cancelled(context)?;
        Ok(Answer::Done(Vec::new()))
    }

    async fn restrict(
        &self,
        _: &CallContext,
        _: &[Locator],
        _: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        Ok(Answer::Unsupported)
    }

    async fn stop(
        &self,
        context: &CallContext,
        _: &[Identifier],
        _: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        not_cancelled(context)?;
        // A log of what was sent is used for nothing else.
        Ok(Answer::Done(Stopped::default()))
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        _: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let addresses = addresses(locators);
        let erased = self.db.once(context, TABLE, move |log| {
            let sql = format!("DELETE FROM deliveries WHERE {THEIRS}");
            let rows = log.execute(&sql, [&addresses]).map_err(at(TABLE))?;
            Ok(Erased {
                rows: vec![RowCount::new(TABLE, rows as u64)],
                withheld: Vec::new(),
                assurance: Assurance::Deleted,
            })
        });
        erased.await.map(Answer::Done)
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        not_cancelled(context)?;
        let rows = self.count(addresses(locators)).await?;
        Ok(Answer::Done(vec![RowCount::new(TABLE, rows)].into()))
    }
}

/// The person's deliveries, page after page.
fn deliveries(
    db: Db,
    addresses: String,
    cancel: Cancel,
) -> impl futures::Stream<Item = Result<Item, PortError>> + Send {
    stream::try_unfold(i64::MIN, move |after| {
        let (db, addresses, cancel) = (db.clone(), addresses.clone(), cancel.clone());
        async move {
            if cancel.is_cancelled() {
                return Err(PortError::new(ErrorKind::Cancelled, "cancelled"));
            }
            let page = db.call(move |log| page(log, &addresses, after)).await?;
            let Some((last, _)) = page.last() else {
                return Ok(None);
            };
            let last = *last;
            let items = page.into_iter().map(|(_, cells)| Ok(Item::Row(cells)));
            Ok::<_, PortError>(Some((stream::iter(items), last)))
        }
    })
    .try_flatten()
}

fn page(log: &Connection, addresses: &str, after: i64) -> Result<Vec<(i64, Vec<Cell>)>, PortError> {
    let sql = format!(
        "SELECT id, {} FROM deliveries WHERE id > ?2 AND {THEIRS} ORDER BY id LIMIT {PAGE}",
        COLUMNS.join(", ")
    );
    let delivery = |row: &Row<'_>| {
        let text = |column| {
            row.get(column)
                .map(|text: String| Cell::Value(Value::Text(text)))
        };
        let bytes = Cell::Value(Value::Int(row.get(5)?));
        Ok((
            row.get(0)?,
            vec![text(1)?, text(2)?, text(3)?, text(4)?, bytes],
        ))
    };
    rows(log, &sql, params![addresses, after], delivery).map_err(at(TABLE))
}
