//! Reading: page after page of the sets, files piece after piece. Memory holds one page; where the next
//! one is asked for ahead, two.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::lock::Mutex;
use futures::stream;

use crate::datamap::{CatalogueColumn, Class, Column, Whose};
use crate::model::{self, Collection, Ground, Until, Value, WithheldRows};
use crate::ports::{ByteStream, Cancel, Cell, File, Item, PortError, Reading};

use super::clue::Person;
use super::cursor::{self, Cursor, Place, Room, Wanted};
use super::dialect::Dialect;
use super::fault::SqlFault;
use super::found::{Found, go_on, others};
use super::layout::{Laid, LaidLink, Layout};
use super::session::{Row, Scalar};

/// Rows of a page, at most.
const PAGE: u64 = 4000;
/// Characters of a column that is not measured before it is read.
const NARROW: u32 = 250;
/// Bytes of a page, if it has more than one row.
const PAGE_BYTES: u64 = 1024 * 1024;
/// Bytes of a row: the most that a package takes.
const ROW_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of a piece of a file.
const PIECE: usize = 256 * 1024;
/// On which ground a mention is not handed over, where the map names none.
const RIGHTS_OF_OTHERS: &str = "rights_of_others";

/// What is read, in this order.
#[derive(Clone, Copy)]
enum Part {
    /// The person's own rows of a table.
    Own(usize),
    /// What a link finds in a table.
    Link(usize, usize),
}

/// Where a reading stands.
struct Reader {
    found: Arc<Mutex<Found>>,
    cancel: Cancel,
    layout: Arc<Layout>,
    /// Whether contents of files are read between the rows.
    files: bool,
    parts: VecDeque<Part>,
    /// The number of the last row of the current part, once it began.
    after: Option<i64>,
    /// Whose rows are read with a cursor, and where it stands in the current part.
    person: Option<Person>,
    cursor: Option<Cursor>,
    ready: VecDeque<Item>,
}

/// Reads what is in the sets.
pub(super) fn reading(found: Found, person: Option<Person>) -> Reading {
    let layout = Arc::clone(&found.layout);
    let mut parts = VecDeque::new();
    // What refers to others comes after them: people first.
    for &number in layout.order.iter().rev() {
        let table = &layout.tables[number];
        if table.owned {
            parts.push_back(Part::Own(number));
        }
        for (nth, link) in table.links.iter().enumerate() {
            if link.link.whose != Whose::Owned {
                parts.push_back(Part::Link(number, nth));
            }
        }
    }
    let is_file = |(_, described): (&_, &Column)| described.file.is_some();
    let files = layout.tables.iter().flat_map(Laid::columns).any(is_file);
    let reader = Reader {
        files,
        cancel: found.cancel.clone(),
        found: Arc::new(Mutex::new(found)),
        layout,
        parts,
        after: None,
        person,
        cursor: None,
        ready: VecDeque::new(),
    };
    Box::pin(stream::try_unfold(reader, Reader::next))
}

impl Reader {
    async fn next(mut self) -> Result<Option<(Item, Self)>, PortError> {
        loop {
            go_on(&self.cancel)?;
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some((item, self)));
            }
            let Some(&part) = self.parts.front() else {
                self.found.lock().await.clear_what_stays().await?;
                return Ok(None);
            };
            let layout = Arc::clone(&self.layout);
            match part {
                Part::Own(number) => {
                    let table = &layout.tables[number];
                    self.page(table, None, &table.name, &table.set).await?;
                }
                Part::Link(number, nth) => {
                    let table = &layout.tables[number];
                    let link = &table.links[nth];
                    let collection = table.collection_of(link);
                    if link.link.whose == Whose::Shared {
                        self.page(table, Some(link), &collection, &link.set).await?;
                    } else {
                        let rows = {
                            let mut found = self.found.lock().await;
                            match &self.person {
                                Some(person) => {
                                    let mut sql = found.rows_of(person, table, Some(link), "1");
                                    sql.text = format!("SELECT count(*) FROM ({}) AS x", sql.text);
                                    found.session.count(sql, &table.name).await?
                                }
                                None => found.count(table, &link.set, None).await?,
                            }
                        };
                        let ground = link.link.ground.clone();
                        let ground = ground.unwrap_or_else(|| Ground::new(RIGHTS_OF_OTHERS));
                        if rows > 0 {
                            self.ready.push_back(Item::Withheld(WithheldRows {
                                collection,
                                rows,
                                ground,
                                until: Until::Always,
                                restricted: false,
                            }));
                        }
                        self.parts.pop_front();
                    }
                }
            }
        }
    }

    /// Makes the next page of a table ready.
    async fn page(
        &mut self,
        table: &Laid,
        link: Option<&LaidLink>,
        name: &str,
        set: &str,
    ) -> Result<(), PortError> {
        let columns = handed_over(table, self.layout.dialect);
        let first = self.after.is_none() && self.cursor.is_none();
        let (rows, last) = match self.person.clone() {
            Some(person) => self.told(table, link, &columns, &person).await?,
            None => self.numbered(table, set, &columns).await?,
        };
        if first && !rows.is_empty() {
            let shapes = columns.iter().map(|(column, described, _)| {
                let shape = model::Column::new(&column.name);
                match &described.category {
                    Some(category) => shape.holding(category.clone()),
                    None => shape,
                }
            });
            let mut collection = Collection::new(name, shapes);
            if let Some(title) = &table.described.title {
                collection = collection.titled(title);
            }
            collection.purposes.clone_from(&table.described.purposes);
            self.ready.push_back(Item::Collection(collection));
        }
        if last {
            self.parts.pop_front();
            (self.after, self.cursor) = (None, None);
        }
        for (here, row) in rows {
            let cells = self.cells(table, &here, &columns, row);
            self.ready.push_back(Item::Row(cells));
        }
        Ok(())
    }

    /// The next rows of a set with numbers, and whether they are the last.
    async fn numbered(
        &mut self,
        table: &Laid,
        set: &str,
        columns: &[Handed],
    ) -> Result<(Vec<(Here, Row)>, bool), PortError> {
        let after = self.after.unwrap_or(i64::MIN);
        let limit = fitting(&self.found, table, set, columns, after).await?;
        let rows = fetch(&self.found, table, set, columns, after, limit).await?;
        let number = |row: &Row| match row.first() {
            Some(Scalar::Int(number)) => Some(*number),
            _ => None,
        };
        let last = rows.last().and_then(number);
        self.after = last.filter(|_| rows.len() as u64 == limit && !table.key.loose);
        let here = |mut row: Row| {
            let number = number(&row).unwrap_or_default();
            row.drain(..1);
            (Here::Number(set.to_owned(), number), row)
        };
        Ok((rows.into_iter().map(here).collect(), self.after.is_none()))
    }

    /// The next rows that a cursor tells of, and whether they are the last.
    async fn told(
        &mut self,
        table: &Laid,
        link: Option<&LaidLink>,
        columns: &[Handed],
        person: &Person,
    ) -> Result<(Vec<(Here, Row)>, bool), PortError> {
        let dialect = self.layout.dialect;
        let files = columns.iter().any(|(_, told, _)| told.file.is_some());
        let bytes = measured(columns, dialect).or_else(|| files.then(|| "0".to_owned()));
        let wanted = Wanted {
            table,
            link,
            selected: &selected(table, columns, dialect),
            bytes: bytes.as_deref(),
        };
        let room = Room {
            rows: PAGE,
            bytes: PAGE_BYTES,
            row_bytes: ROW_BYTES,
        };
        let cursor = self.cursor.get_or_insert_default();
        let (rows, last) = cursor.page(&self.found, person, wanted, room).await?;
        if !last && bytes.is_none() && !self.files {
            cursor.look_ahead(&self.found, &table.name, room);
        }
        let here = |(place, row): (Option<Place>, Row)| (Here::Place(place), row);
        Ok((rows.into_iter().map(here).collect(), last))
    }

    fn cells(&self, table: &Laid, here: &Here, columns: &[Handed], row: Row) -> Vec<Cell> {
        let mut row = row.into_iter();
        let values: Vec<Scalar> = row.by_ref().take(columns.len()).collect();
        let mut cells = Vec::with_capacity(columns.len());
        for ((column, described, _), scalar) in columns.iter().zip(values) {
            let cell = match (&described.file, scalar) {
                _ if described.secret => Cell::Value(Value::Secret),
                (Some(_), scalar) => {
                    let mut text = || row.next().and_then(|scalar| scalar.text());
                    let (name, media_type) = (text().unwrap_or_default(), text());
                    match scalar {
                        Scalar::Null => Cell::Value(Value::Null),
                        _ => Cell::File(File {
                            name,
                            media_type,
                            content: self.content(table, here, column),
                        }),
                    }
                }
                (None, scalar) => Cell::Value(value(column.class, described.text, scalar)),
            };
            cells.push(cell);
        }
        cells
    }

    /// The content of one value, piece by piece.
    fn content(&self, table: &Laid, here: &Here, column: &CatalogueColumn) -> ByteStream {
        let dialect = self.layout.dialect;
        let name = format!("t.{}", dialect.quote(&column.name));
        let (class, place) = (column.class, table.place(&column.name));
        let rest = match here {
            Here::Number(set, number) => format!(
                " FROM {set} AS s {} {} AS t ON {} WHERE s.{} = {number}",
                dialect.join(),
                table.quoted,
                table.key.joins(dialect, "t", "s"),
                dialect.number()
            ),
            Here::Place(place) => {
                let at = place
                    .as_ref()
                    .map_or_else(|| "FALSE".to_owned(), cursor::at);
                format!(" FROM {} AS t WHERE {at}", table.quoted)
            }
        };
        let found = Arc::clone(&self.found);
        Box::pin(stream::try_unfold(0_u64, move |offset| {
            let piece = dialect.piece(&name, class, offset + 1, PIECE as u64);
            let text = format!("SELECT {piece}{rest}");
            let (found, place) = (Arc::clone(&found), place.clone());
            async move {
                let mut found = found.lock().await;
                go_on(&found.cancel)?;
                let sql = found.sql(text);
                let rows = found.session.fetch(sql, &place).await?;
                let piece = match rows
                    .into_iter()
                    .next()
                    .and_then(|row| row.into_iter().next())
                {
                    Some(Scalar::Bytes(bytes)) => bytes,
                    Some(Scalar::Text(text)) => text.into_bytes(),
                    _ => Vec::new(),
                };
                let next = offset + piece.len() as u64;
                Ok((!piece.is_empty()).then_some((piece, next)))
            }
        }))
    }
}

/// What tells a row again, to read what is in it.
enum Here {
    /// A set, and the number in it.
    Number(String, i64),
    /// Where the database has it, if anything is to be read again.
    Place(Option<Place>),
}

/// How many bytes a row `t` has in its wide columns, if there are any.
fn measured(columns: &[Handed], dialect: &dyn Dialect) -> Option<String> {
    let wide = |(column, described, _): &&Handed| {
        let wide = matches!(column.class, Class::Text | Class::Bytes | Class::Other);
        wide && column.length.is_none_or(|length| length > NARROW)
            && !described.secret
            && described.file.is_none()
    };
    let bytes: Vec<String> = columns
        .iter()
        .filter(wide)
        .map(|(column, _, from)| format!("coalesce({}, 0)", dialect.bytes(from, column.class)))
        .collect();
    (!bytes.is_empty()).then(|| bytes.join(" + "))
}

/// How many of the next rows fit into one page.
async fn fitting(
    found: &Mutex<Found>,
    table: &Laid,
    set: &str,
    columns: &[Handed],
    after: i64,
) -> Result<u64, PortError> {
    let mut found = found.lock().await;
    let dialect = found.layout.dialect;
    let Some(bytes) = measured(columns, dialect).filter(|_| !table.key.loose) else {
        return Ok(PAGE);
    };
    let mut rows = PAGE;
    loop {
        go_on(&found.cancel)?;
        let number = dialect.number();
        let sql = found.sql(format!(
            "SELECT coalesce(sum(x.b), 0) FROM (SELECT {} AS b FROM {set} AS s {} {} AS t ON {} WHERE \
             s.{number} > {after} ORDER BY s.{number} LIMIT {rows}) AS x",
            bytes,
            dialect.join(),
            table.quoted,
            table.key.joins(dialect, "t", "s"),
        ));
        let many = found.session.count(sql, &table.name).await?;
        if many <= PAGE_BYTES {
            return Ok(rows);
        }
        if rows == 1 && many > ROW_BYTES {
            return Err(SqlFault::TooLarge.at(&table.name));
        }
        if rows == 1 {
            return Ok(1);
        }
        rows = (rows / 2).min(rows * PAGE_BYTES / many).max(1);
    }
}

/// The columns of a row `t`, and after them names and types of files.
fn selected(table: &Laid, columns: &[Handed], dialect: &dyn Dialect) -> String {
    let value = |column: &CatalogueColumn| {
        let name = format!("t.{}", dialect.quote(&column.name));
        dialect.fetched(&name, column)
    };
    let mut selected: Vec<String> = Vec::new();
    for (column, described, from) in columns {
        selected.push(if described.secret {
            "NULL".to_owned() // not even fetched
        } else if described.file.is_some() {
            format!("CASE WHEN {from} IS NULL THEN NULL ELSE 1 END")
        } else {
            dialect.fetched(from, column)
        });
    }
    for (_, described, _) in columns {
        if let Some(file) = &described.file {
            let hidden = |name: &String| {
                let described = table.described.columns.get(name);
                described.is_some_and(|column| column.secret || column.others)
            };
            let text = |name: &String| match table.table.column(name) {
                Some(column) if !hidden(name) => value(column),
                _ => "NULL".to_owned(),
            };
            selected.push(text(&file.name));
            let media_type = file.media_type.as_ref();
            selected.push(media_type.map_or_else(|| "NULL".to_owned(), text));
        }
    }
    if selected.is_empty() {
        selected.push("NULL".to_owned()); // rows of which nothing but their being there is told
    }
    selected.join(", ")
}

/// The number of each row, and what is selected of it.
async fn fetch(
    found: &Mutex<Found>,
    table: &Laid,
    set: &str,
    columns: &[Handed],
    after: i64,
    limit: u64,
) -> Result<Vec<Row>, PortError> {
    let mut found = found.lock().await;
    let dialect = found.layout.dialect;
    let number = dialect.number();
    let on = table.key.joins(dialect, "t", "s");
    let selected = selected(table, columns, dialect);
    let text = if table.key.loose {
        format!(
            "SELECT 0, {selected} FROM {} AS t WHERE EXISTS (SELECT 1 FROM {set} AS s WHERE \
             {on})",
            table.quoted
        )
    } else {
        format!(
            "SELECT s.{number}, {selected} FROM {set} AS s {} {} AS t ON {on} WHERE \
             s.{number} > {after} ORDER BY s.{number} LIMIT {limit}",
            dialect.join(),
            table.quoted
        )
    };
    let sql = found.sql(text);
    found.session.fetch(sql, &table.name).await
}

/// A column that is handed over, or a part of one: under its name, and as SQL.
type Handed = (CatalogueColumn, Column, String);

/// The columns that are handed over. Of a table that only links, the links.
fn handed_over(table: &Laid, dialect: &dyn Dialect) -> Vec<Handed> {
    let name = |column: &CatalogueColumn| format!("t.{}", dialect.quote(&column.name));
    let mut columns: Vec<Handed> = Vec::new();
    for (column, described) in table.columns() {
        if described.others {
            let parts = described.paths.iter().filter(|part| !part.others);
            columns.extend(parts.map(|part| {
                let called = format!("{}.{}", column.name, part.path.join("."));
                let shown = CatalogueColumn::new(called, Class::Text, "");
                let mut described = Column::default();
                described.category.clone_from(&part.category);
                described.secret = part.secret;
                (shown, described, dialect.part(&name(column), &part.path))
            }));
            continue;
        }
        let hidden = described
            .paths
            .iter()
            .filter(|part| part.secret || part.others);
        let (here, mut hidden) = (name(column), hidden.peekable());
        let in_part = hidden.peek().is_some();
        let rest = hidden.fold(here.clone(), |document, part| {
            dialect.without_part(&document, &part.path, &here)
        });
        let rest = if in_part { dialect.text(&rest) } else { rest };
        columns.push((column.clone(), described.clone(), rest));
    }
    if columns.is_empty() {
        let others: Vec<&CatalogueColumn> = others(table).flat_map(|l| &l.columns).collect();
        for column in table.links.iter().flat_map(|link| &link.columns) {
            let seen = columns.iter().any(|(other, ..)| other == column);
            let described = table.described.columns.get(&column.name);
            let left_out = described.is_some_and(|described| described.others);
            if !seen && !left_out && !others.contains(&column) {
                columns.push((column.clone(), Column::default(), name(column)));
            }
        }
    }
    columns
}

/// A value as it is handed over.
pub(super) fn value(class: Class, is_text: bool, scalar: Scalar) -> Value {
    match (class, scalar) {
        (_, Scalar::Null) => Value::Null,
        (Class::Bool, Scalar::Int(number)) => Value::Bool(number != 0),
        (Class::Bool, Scalar::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Value::Bool(true),
            "f" | "false" | "n" | "no" | "off" | "0" => Value::Bool(false),
            _ => Value::Text(text),
        },
        (_, Scalar::Int(number)) => Value::Int(number),
        #[cfg(feature = "sql-sqlite")]
        (_, Scalar::Real(number)) => Value::Decimal(number.to_string()),
        (_, Scalar::Bytes(bytes)) if is_text => {
            Value::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        (_, Scalar::Bytes(bytes)) => Value::Bytes(bytes),
        (Class::Int, Scalar::Text(text)) => match text.parse() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Text(text),
        },
        (Class::Decimal, Scalar::Text(text)) => Value::Decimal(text),
        (Class::Date, Scalar::Text(text)) => match text.parse() {
            Ok(date) => Value::Date(date),
            Err(_) => Value::Text(text),
        },
        (_, Scalar::Text(text)) => Value::Text(text),
    }
}
