//! Reading with a cursor (PostgreSQL): the person's rows are found once, and come page after page,
//! without a temporary table. Of a table with wide columns, the cursor tells the places of rows and
//! how many bytes they have; as many as fit into a page are read then. Of other tables the server
//! makes the next page while the one before is worked on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::lock::Mutex;

use crate::ports::PortError;

use super::clue::Person;
use super::fault::SqlFault;
use super::found::Found;
use super::layout::{Laid, LaidLink};
use super::session::{Row, Scalar};

/// Its name.
const CURSOR: &str = "datarights_rows";

/// Where a row is: the table, for several may hang together, and the place in it.
pub(super) type Place = (i64, String);

/// Places of rows that were told and not read yet, each with its bytes; and whether more come.
#[derive(Default)]
pub(super) struct Cursor {
    told: VecDeque<(Place, u64)>,
    open: bool,
    ahead: Option<Ahead>,
}

/// Rows that are being fetched; nothing else is asked of the database meanwhile.
type Ahead = BoxFuture<'static, Result<Vec<Row>, PortError>>;

/// What a page may hold.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Of one row.
    pub(super) row_bytes: u64,
}

/// The rows of a table that are read.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) table: &'a Laid,
    pub(super) link: Option<&'a LaidLink>,
    /// What is read of each.
    pub(super) selected: &'a str,
    /// How many bytes a row has, if that must be known before; its place is told then.
    pub(super) bytes: Option<&'a str>,
}

impl Cursor {
    /// The next page, each row after its place; and whether it was the last.
    pub(super) async fn page(
        &mut self,
        shared: &Mutex<Found>,
        person: &Person,
        wanted: Wanted<'_>,
        room: Room,
    ) -> Result<(Vec<(Option<Place>, Row)>, bool), PortError> {
        let name = &wanted.table.name;
        let ahead = match self.ahead.take() {
            Some(ahead) => Some(ahead.await?),
            None => None,
        };
        let found = &mut *shared.lock().await;
        if !self.open && self.told.is_empty() {
            let places = wanted.bytes.map(|bytes| format!("{PLACE}, {bytes}"));
            let selected = places.as_deref().unwrap_or(wanted.selected);
            let mut sql = found.sql(format!("DECLARE {CURSOR} NO SCROLL CURSOR FOR "));
            let rows = found.rows_of(person, wanted.table, wanted.link, selected);
            let keys = wanted.table.key.under("t").join(", ");
            sql.push(&rows.text).push(&format!(" ORDER BY {keys}"));
            sql.params = rows.params;
            found.run(sql, name).await?;
            self.open = true;
        }
        if wanted.bytes.is_none() {
            let rows = self.next(found, name, room, ahead).await?;
            let rows = rows.into_iter().map(|row| (None, row)).collect();
            return Ok((rows, !self.open));
        }
        if self.told.is_empty() {
            for row in self.next(found, name, room, ahead).await? {
                let (place, mut rest) = placed(row);
                self.told
                    .push_back((place, rest.pop().map_or(0, |bytes| bytes.count())));
            }
        }
        let (mut here, mut bytes) = (Vec::new(), 0);
        while let Some((place, more)) = self.told.pop_front() {
            if more > room.row_bytes {
                return Err(SqlFault::TooLarge.at(name));
            }
            bytes += more;
            if bytes > room.bytes && !here.is_empty() {
                self.told.push_front((place, more));
                break;
            }
            here.push(place);
        }
        let rows = read(found, wanted, here).await?;
        Ok((rows, !self.open && self.told.is_empty()))
    }

    /// The next rows, unless they came ahead; behind the last one the cursor is closed.
    async fn next(
        &mut self,
        found: &mut Found,
        name: &str,
        room: Room,
        ahead: Option<Vec<Row>>,
    ) -> Result<Vec<Row>, PortError> {
        let rows = match ahead {
            Some(rows) => rows,
            None => fetch(found, name, room.rows).await?,
        };
        if (rows.len() as u64) < room.rows {
            let close = found.sql(format!("CLOSE {CURSOR}"));
            found.run(close, name).await?;
            self.open = false;
        }
        Ok(rows)
    }

    /// Asks for the next page of narrow rows, without waiting for it; nothing else may need the
    /// database before that is read.
    pub(super) fn look_ahead(&mut self, shared: &Arc<Mutex<Found>>, name: &str, room: Room) {
        let (shared, name) = (Arc::clone(shared), name.to_owned());
        let fetched = async move { fetch(&mut *shared.lock().await, &name, room.rows).await };
        let mut fetched = fetched.boxed();
        // Polled once, so that the question is sent.
        self.ahead = Some(match (&mut fetched).now_or_never() {
            Some(rows) => futures::future::ready(rows).boxed(),
            None => fetched,
        });
    }
}

/// The next rows.
async fn fetch(found: &mut Found, name: &str, rows: u64) -> Result<Vec<Row>, PortError> {
    let sql = found.sql(format!("FETCH {rows} FROM {CURSOR}"));
    found.session.fetch(sql, name).await
}

/// What tells the place of a row `t`.
const PLACE: &str = "CAST(t.tableoid AS bigint), CAST(t.ctid AS text)";

/// The condition for one place.
pub(super) fn at((table, place): &Place) -> String {
    format!("t.ctid = CAST('{place}' AS tid) AND t.tableoid = {table}")
}

/// The condition for places of one table.
fn all_at((table, places): (i64, Vec<&str>)) -> String {
    let places: Vec<String> = places.iter().map(|place| format!("\"{place}\"")).collect();
    let places = places.join(",");
    format!("t.tableoid = {table} AND t.ctid = ANY (CAST('{{{places}}}' AS tid[]))")
}

/// Takes the place off a row.
fn placed(row: Row) -> (Place, Row) {
    let mut cells = row.into_iter();
    let table = match cells.next() {
        Some(Scalar::Int(table)) => table,
        _ => 0,
    };
    let place = cells.next().and_then(|cell| cell.text());
    ((table, place.unwrap_or_default()), cells.collect())
}

/// Reads the rows at these places, in their order.
async fn read(
    found: &mut Found,
    wanted: Wanted<'_>,
    here: Vec<Place>,
) -> Result<Vec<(Option<Place>, Row)>, PortError> {
    if here.is_empty() {
        return Ok(Vec::new());
    }
    // Tables that hang together have rows at the same places: somebody else's.
    let mut places: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for (table, place) in &here {
        places.entry(*table).or_default().push(place);
    }
    let at: Vec<String> = places.into_iter().map(all_at).collect();
    let sql = found.sql(format!(
        "SELECT {PLACE}, {} FROM {} AS t WHERE {}",
        wanted.selected,
        wanted.table.quoted,
        at.join(" OR ")
    ));
    let rows = found.session.fetch(sql, &wanted.table.name).await?;
    let mut rows: BTreeMap<Place, Row> = rows.into_iter().map(placed).collect();
    // All of them are there, for the transaction sees one state of the database.
    let in_order = here.into_iter().map(|place| {
        let row = rows.remove(&place).map(|row| (Some(place), row));
        row.ok_or_else(|| SqlFault::Unreadable.at(&wanted.table.name))
    });
    in_order.collect()
}
