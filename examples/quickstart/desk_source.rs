//! The help desk's database as a source of personal data: what a host writes by hand.
//!
//! Each table is described once, in [`TABLES`]: what a person calls it, what its columns hold, and
//! which of its rows are theirs. Searching, planning, reading, erasing and looking for what is left
//! all follow from that one description, so none of them can forget a table that another knows.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{Datelike, NaiveDate};
use datarights::law::{RetentionDuty, RetentionFacts};
use datarights::model::{
    Assurance, Category, Collection, Column, Correction, Ground, IdError, Identifier,
    IdentifierKind, Personal, RowCount, SourceId, Until, Use, Value, WithheldRows,
};
use datarights::ports::{
    Answer, CallContext, Cancel, Cell, Clock, Erased, ErrorKind, File, Item, Located, Locator,
    PersonalDataSource, PlannedAction, PlannedRows, PortError, Reading, Residue, SourceDescription,
    SourcePlan, Stopped, Work,
};
use futures::stream;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use crate::db::{Db, at, not_cancelled, rows};

/// A table with rows of a person.
struct Table {
    name: &'static str,
    title: &'static str,
    columns: &'static [Field],
    /// Which rows are theirs: SQL over `me` (their client numbers) and `mail` (their addresses).
    theirs: &'static str,
}

/// A column, and how it is handed over.
struct Field {
    name: &'static str,
    holds: Category,
    shown: Shown,
}

#[derive(Clone, Copy)]
enum Shown {
    AsItIs,
    /// Named, but not handed over.
    Secret,
    /// A BLOB, handed over as a file; its name and media type stand in these columns.
    File(&'static str, &'static str),
}

const fn field(name: &'static str, holds: Category) -> Field {
    Field {
        name,
        holds,
        shown: Shown::AsItIs,
    }
}

/// In the order in which rows are erased: first what refers, then what it refers to, and last of
/// all the row that identifies the person. Whatever happens half-way, they can be found again.
const TABLES: &[Table] = &[
    Table {
        name: "attachments",
        title: "Files you sent us",
        columns: &[
            field("file_name", Category::Correspondence),
            Field {
                name: "content",
                holds: Category::Correspondence,
                shown: Shown::File("file_name", "media_type"),
            },
        ],
        theirs: "message_id IN (SELECT id FROM messages WHERE ticket_id IN
                 (SELECT id FROM tickets WHERE client_id IN me))",
    },
    Table {
        name: "messages",
        title: "Messages in your tickets",
        columns: &[
            field("ticket_id", Category::Correspondence),
            field("body", Category::Correspondence),
            field("sent_on", Category::Correspondence),
        ],
        theirs: "ticket_id IN (SELECT id FROM tickets WHERE client_id IN me)",
    },
    Table {
        name: "tickets",
        title: "Your tickets",
        columns: &[
            field("id", Category::Correspondence),
            field("subject", Category::Correspondence),
            field("opened_on", Category::Correspondence),
        ],
        theirs: "client_id IN me",
    },
    Table {
        name: "comments",
        title: "Your comments in the knowledge base",
        columns: &[
            field("article", Category::Correspondence),
            field("name", Category::Identity),
            field("email", Category::Contact),
            field("body", Category::Correspondence),
        ],
        theirs: "email IN mail",
    },
    Table {
        name: INVOICES,
        title: "Your invoices",
        columns: &[
            field("number", Category::Financial),
            field("billed_to", Category::Identity),
            field("cents", Category::Financial),
            field("issued_on", Category::Financial),
        ],
        theirs: "client_id IN me",
    },
    Table {
        name: "addresses",
        title: "Your earlier mail addresses",
        columns: &[
            field("email", Category::Contact),
            field("until", Category::Contact),
        ],
        theirs: "client_id IN me",
    },
    Table {
        name: "clients",
        title: "Your account",
        columns: &[
            field("full_name", Category::Identity),
            field("email", Category::Contact),
            field("phone", Category::Contact),
            field("city", Category::Contact),
            Field {
                name: "password_hash",
                holds: Category::Credentials,
                shown: Shown::Secret,
            },
            field("created_on", Category::Account),
        ],
        theirs: "id IN me",
    },
];

const INVOICES: &str = "invoices";

/// Tables and columns that say the same of a person.
type Copies = &'static [(&'static str, &'static str)];

/// The fields a person can have corrected, and every copy of them. What stands on an issued
/// invoice stays: it says what was true then.
const CORRECTABLE: &[(&str, Copies)] = &[
    (
        "full_name",
        &[("clients", "full_name"), ("comments", "name")],
    ),
    ("phone", &[("clients", "phone")]),
    ("city", &[("clients", "city")]),
];

/// Puts the person's numbers and addresses before a statement, as tables `me` and `mail`.
const PERSON: &str = "WITH me(id) AS (SELECT value FROM json_each(?1)),
                           mail(address) AS (SELECT value FROM json_each(?2)) ";

/// How many rows are read at a time.
const PAGE: usize = 100;

/// The ground on which invoices are kept: the words of the GDPR for "the law obliges us".
pub(crate) const TAX_DUTY: &str = "erasure_exception_legal_obligation";

/// The help desk's database.
pub(crate) struct DeskSource {
    description: SourceDescription,
    db: Db,
    clock: Arc<dyn Clock>,
    duty: Arc<RetentionDuty>,
}

impl DeskSource {
    /// The name under which the engine knows it.
    pub(crate) const ID: &str = "help-desk";

    /// Serves the database. The addresses in it lead to other sources, which must be erased first:
    /// once they are gone from here, nobody could find the rest.
    pub(crate) fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        duty: RetentionDuty,
        leads_to: Vec<SourceId>,
    ) -> Result<Self, IdError> {
        let accepts = [IdentifierKind::Mail, IdentifierKind::Account];
        let mut description =
            SourceDescription::new(SourceId::new(Self::ID)?, "Help desk", accepts);
        description.erase_after = leads_to;
        Ok(Self {
            description,
            db,
            clock,
            duty: Arc::new(duty),
        })
    }

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }
}

/// Whose rows: the client numbers and the mail addresses of one person.
#[derive(Clone, Default)]
struct Person {
    clients: Vec<i64>,
    mails: Vec<String>,
}

impl Person {
    /// What `locate` answered, taken apart again.
    fn of(locators: &[Locator]) -> Self {
        let mut person = Self::default();
        for locator in locators {
            match locator.expose().split_once(':') {
                Some(("client", id)) => person.clients.extend(id.parse::<i64>()),
                Some(("mail", mail)) => person.mails.push(mail.to_owned()),
                _ => {}
            }
        }
        person
    }

    fn locators(&self) -> Vec<Locator> {
        let clients = self
            .clients
            .iter()
            .map(|id| Locator::new(format!("client:{id}")));
        let mails = self
            .mails
            .iter()
            .map(|mail| Locator::new(format!("mail:{mail}")));
        clients.chain(mails).collect()
    }

    /// The parameters that [`PERSON`] takes.
    fn parameters(&self) -> [String; 2] {
        let json = |value| serde_json::Value::to_string(&value);
        [
            json(self.clients.clone().into()),
            json(self.mails.clone().into()),
        ]
    }
}

#[async_trait]
impl PersonalDataSource for DeskSource {
    fn describe(&self) -> SourceDescription {
        self.description.clone()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        not_cancelled(context)?;
        let mut given = Person::default();
        for identifier in identifiers {
            // An identifier that leads nowhere is no error.
            let Ok(normal) = identifier.normal() else {
                continue;
            };
            match normal.kind() {
                IdentifierKind::Mail => given.mails.push(normal.expose().to_owned()),
                IdentifierKind::Account => given.clients.extend(normal.expose().parse::<i64>()),
                _ => {}
            }
        }
        self.db
            .call(move |desk| locate(desk, &given))
            .await
            .map(Answer::Done)
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        not_cancelled(context)?;
        let (person, today, duty) = (Person::of(locators), self.today(), Arc::clone(&self.duty));
        let work = work.clone();
        self.db
            .call(move |desk| match work {
                Work::Erase => plan_erasure(desk, &person, &duty, today),
                Work::Rectify(wished) => plan_corrections(desk, &person, &wished),
                _ => Err(PortError::refused("unknown_work")),
            })
            .await
            .map(Answer::Done)
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        not_cancelled(context)?;
        let reader = Reader {
            db: self.db.clone(),
            person: Person::of(locators),
            cancel: context.cancel.clone(),
            table: 0,
            after: i64::MIN,
            ready: VecDeque::new(),
        };
        Ok(Answer::Done(Box::pin(stream::try_unfold(
            reader,
            Reader::next,
        ))))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let (person, wished) = (Person::of(locators), corrections.to_vec());
        self.db
            .once(context, "clients", move |desk| {
                correct(desk, &person, &wished)
            })
            .await
            .map(Answer::Done)
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let [clients, mails] = Person::of(locators).parameters();
        // Each request lifts its own: a correction that is over must not lift what somebody asked
        // to have restricted.
        let request = context.request.to_string();
        self.db
            .once(context, "restrictions", move |desk| {
                let sql = match restricted {
                    true => {
                        "INSERT OR IGNORE INTO restrictions SELECT id, ?3 FROM clients
                             WHERE id IN me"
                    }
                    false => "DELETE FROM restrictions WHERE client_id IN me AND request = ?3",
                };
                let rows = desk
                    .execute(&format!("{PERSON} {sql}"), params![clients, mails, request])
                    .map_err(at("restrictions"))?;
                Ok(vec![RowCount::new("clients", rows as u64)])
            })
            .await
            .map(Answer::Done)
    }

    async fn stop(
        &self,
        context: &CallContext,
        _: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        not_cancelled(context)?;
        Ok(match uses {
            // This help desk advertises nothing and sells nothing: there is nothing to end.
            [Use::DirectMarketing] | [Use::SaleOrSharing] => Answer::Done(Stopped::default()),
            _ => Answer::Unsupported,
        })
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        _: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let (person, today, duty) = (Person::of(locators), self.today(), Arc::clone(&self.duty));
        self.db
            .once(context, "clients", move |desk| {
                erase(desk, &person, &duty, today)
            })
            .await
            .map(Answer::Done)
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        not_cancelled(context)?;
        let (person, today, duty) = (Person::of(locators), self.today(), Arc::clone(&self.duty));
        self.db
            .call(move |desk| residue(desk, &person, &duty, today))
            .await
            .map(|left| Answer::Done(left.into()))
    }
}

/// Finds the accounts behind what was given, and every address that those accounts had.
fn locate(desk: &Connection, given: &Person) -> Result<Located, PortError> {
    let accounts = strings(
        desk,
        "SELECT id FROM clients WHERE id IN me OR email IN mail
         UNION SELECT client_id FROM addresses WHERE email IN mail",
        given,
    )?;
    let mut person = Person {
        clients: accounts.iter().filter_map(|id| id.parse().ok()).collect(),
        mails: given.mails.clone(),
    };
    // What was given and leads nowhere is left out: it is not known to be the person's.
    person.mails = strings(
        desk,
        "SELECT lower(email) FROM clients WHERE id IN me
         UNION SELECT lower(email) FROM addresses WHERE client_id IN me
         UNION SELECT lower(email) FROM comments WHERE email IN mail",
        &person,
    )?;
    let rows = count_all(desk, &person)?;
    if rows.iter().all(|count| count.rows == 0) {
        return Ok(Located::default());
    }
    // The mail log knows nobody by number: these addresses lead there.
    let addresses = person
        .mails
        .iter()
        .map(|mail| Identifier::mail(mail.as_str()));
    Ok(Located {
        locators: person.locators(),
        rows,
        identifiers: addresses.flatten().collect(),
        horizon: None,
    })
}

fn strings(desk: &Connection, select: &str, person: &Person) -> Result<Vec<String>, PortError> {
    let sql = format!("{PERSON} {select}");
    let text = |row: &Row<'_>| match row.get_ref(0)? {
        ValueRef::Integer(number) => Ok(number.to_string()),
        _ => row.get(0),
    };
    rows(desk, &sql, person.parameters(), text).map_err(at("clients"))
}

fn count(desk: &Connection, table: &Table, person: &Person) -> Result<u64, PortError> {
    let sql = format!(
        "{PERSON} SELECT count(*) FROM {} WHERE {}",
        table.name, table.theirs
    );
    desk.query_row(&sql, person.parameters(), |row| row.get(0))
        .map_err(at(table.name))
}

fn count_all(desk: &Connection, person: &Person) -> Result<Vec<RowCount>, PortError> {
    let counts = TABLES.iter().map(|table| {
        let rows = count(desk, table, person)?;
        Ok(RowCount::new(table.name, rows))
    });
    counts.collect()
}

/// The person's invoices: how many may go, and how many stay until when.
fn invoices(
    desk: &Connection,
    person: &Person,
    duty: &RetentionDuty,
    today: NaiveDate,
) -> Result<(u64, Vec<WithheldRows>), PortError> {
    let sql = format!(
        "{PERSON} SELECT CAST(substr(issued_on, 1, 4) AS INTEGER), count(*)
         FROM invoices WHERE client_id IN me GROUP BY 1 ORDER BY 1"
    );
    let years: Vec<(i32, u64)> = rows(desk, &sql, person.parameters(), |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .map_err(at("invoices.issued_on"))?;
    let mut free = 0;
    let mut withheld = Vec::new();
    for (year, rows) in years {
        let until = kept_until(duty, year)?;
        if until < today {
            free += rows;
        } else {
            withheld.push(WithheldRows {
                collection: INVOICES.to_owned(),
                rows,
                ground: Ground::new(TAX_DUTY),
                until: Until::Date(until),
                restricted: true,
            });
        }
    }
    Ok((free, withheld))
}

/// The last day on which the law keeps the invoices of a year: ours closes with the calendar's.
fn kept_until(duty: &RetentionDuty, year: i32) -> Result<NaiveDate, PortError> {
    let wrong = || PortError::refused("not_a_year").at("invoices.issued_on");
    let close = NaiveDate::from_ymd_opt(year, 12, 31).ok_or_else(wrong)?;
    let mut facts = RetentionFacts::on(close);
    facts.fiscal_year_close = Some(close);
    duty.until(facts).map_err(|_| wrong())
}

/// The invoices that no duty keeps any more, as SQL that the year `?3` completes.
const FREE: &str = "client_id IN me AND CAST(substr(issued_on, 1, 4) AS INTEGER) < ?3";

/// The first year whose invoices are still kept.
fn first_kept_year(duty: &RetentionDuty, today: NaiveDate) -> Result<i32, PortError> {
    let mut year = today.year();
    while kept_until(duty, year - 1)? >= today {
        year -= 1;
    }
    Ok(year)
}

fn plan_erasure(
    desk: &Connection,
    person: &Person,
    duty: &RetentionDuty,
    today: NaiveDate,
) -> Result<SourcePlan, PortError> {
    let (free, withheld) = invoices(desk, person, duty, today)?;
    let mut plan = Vec::new();
    for table in TABLES {
        let rows = if table.name == INVOICES {
            free
        } else {
            count(desk, table, person)?
        };
        plan.push(PlannedRows {
            collection: table.name.to_owned(),
            action: PlannedAction::Delete,
            rows,
        });
    }
    plan.extend(withheld.into_iter().map(|kept| PlannedRows {
        collection: kept.collection,
        action: PlannedAction::Withhold {
            ground: kept.ground,
            until: kept.until,
            restricted: kept.restricted,
        },
        rows: kept.rows,
    }));
    plan.retain(|line| line.rows > 0);
    Ok(SourcePlan::new(plan))
}

/// Erases in one transaction: another process sees all of the person, or nothing but what is kept.
fn erase(
    desk: &Connection,
    person: &Person,
    duty: &RetentionDuty,
    today: NaiveDate,
) -> Result<Erased, PortError> {
    let year = first_kept_year(duty, today)?;
    let [clients, mails] = person.parameters();
    let mut rows = Vec::new();
    for table in TABLES {
        let deleted = if table.name == INVOICES {
            let sql = format!("{PERSON} DELETE FROM invoices WHERE {FREE}");
            desk.execute(&sql, params![clients, mails, year])
        } else {
            let sql = format!("{PERSON} DELETE FROM {} WHERE {}", table.name, table.theirs);
            desk.execute(&sql, params![clients, mails])
        };
        let deleted = deleted.map_err(at(table.name))?;
        if deleted > 0 {
            rows.push(RowCount::new(table.name, deleted as u64));
        }
    }
    // What the law keeps is kept for the law alone.
    let restrict = format!("{PERSON} UPDATE invoices SET restricted = 1 WHERE client_id IN me");
    desk.execute(&restrict, params![clients, mails])
        .map_err(at("invoices.restricted"))?;
    let (_, withheld) = invoices(desk, person, duty, today)?;
    Ok(Erased {
        rows,
        withheld,
        assurance: Assurance::Deleted,
    })
}

/// What is still there and should not be.
fn residue(
    desk: &Connection,
    person: &Person,
    duty: &RetentionDuty,
    today: NaiveDate,
) -> Result<Vec<RowCount>, PortError> {
    let (free, _) = invoices(desk, person, duty, today)?;
    let mut left = count_all(desk, person)?;
    for count in left.iter_mut().filter(|count| count.collection == INVOICES) {
        count.rows = free;
    }
    left.retain(|count| count.rows > 0);
    Ok(left)
}

/// The corrections that concern this source, each with the copies it has.
fn correctable(wished: &[Correction]) -> Result<Vec<(&Correction, Copies)>, PortError> {
    let ours = wished
        .iter()
        .filter(|wish| TABLES.iter().any(|table| table.name == wish.collection));
    ours.map(|wish| {
        let copies = CORRECTABLE
            .iter()
            .find(|(field, _)| wish.collection == "clients" && *field == wish.field)
            .map(|(_, copies)| *copies)
            .ok_or_else(|| PortError::refused("not_correctable").at(&wish.collection))?;
        if wish.value.expose().trim().is_empty() {
            return Err(PortError::refused("empty").at(format!("clients.{}", wish.field)));
        }
        Ok((wish, copies))
    })
    .collect()
}

fn plan_corrections(
    desk: &Connection,
    person: &Person,
    wished: &[Correction],
) -> Result<SourcePlan, PortError> {
    let mut rows = Vec::new();
    let mut current = Vec::new();
    for (wish, copies) in correctable(wished)? {
        for (name, field) in copies {
            let Some(table) = TABLES.iter().find(|table| table.name == *name) else {
                continue;
            };
            rows.push(PlannedRows {
                collection: table.name.to_owned(),
                action: PlannedAction::Correct {
                    field: (*field).to_owned(),
                },
                rows: count(desk, table, person)?,
            });
        }
        let now = strings(
            desk,
            &format!(
                "SELECT coalesce({}, '') FROM clients WHERE id IN me",
                wish.field
            ),
            person,
        )?;
        current.extend(now.into_iter().map(|value| Correction {
            collection: wish.collection.clone(),
            field: wish.field.clone(),
            value: Personal::new(value),
        }));
    }
    let mut plan = SourcePlan::new(rows);
    plan.current = current;
    Ok(plan)
}

fn correct(
    desk: &Connection,
    person: &Person,
    wished: &[Correction],
) -> Result<Vec<RowCount>, PortError> {
    let [clients, mails] = person.parameters();
    let mut changed: Vec<RowCount> = Vec::new();
    for (wish, copies) in correctable(wished)? {
        for (name, field) in copies {
            let Some(table) = TABLES.iter().find(|table| table.name == *name) else {
                continue;
            };
            let sql = format!(
                "{PERSON} UPDATE {name} SET {field} = ?3 WHERE {}",
                table.theirs
            );
            let rows = desk
                .execute(&sql, params![clients, mails, wish.value.expose()])
                .map_err(at(table.name))?;
            match changed.iter_mut().find(|count| count.collection == *name) {
                // The same rows, another field of them.
                Some(count) => count.rows = count.rows.max(rows as u64),
                None => changed.push(RowCount::new(*name, rows as u64)),
            }
        }
    }
    Ok(changed)
}

/// Reads table after table, page after page, each page after the last row of the one before. It
/// owns all it needs, and holds one page at most.
struct Reader {
    db: Db,
    person: Person,
    cancel: Cancel,
    table: usize,
    after: i64,
    ready: VecDeque<Item>,
}

impl Reader {
    async fn next(mut self) -> Result<Option<(Item, Self)>, PortError> {
        loop {
            if self.cancel.is_cancelled() {
                return Err(PortError::new(ErrorKind::Cancelled, "cancelled"));
            }
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some((item, self)));
            }
            let Some(table) = TABLES.get(self.table) else {
                return Ok(None);
            };
            self.page(table).await?;
        }
    }

    async fn page(&mut self, table: &'static Table) -> Result<(), PortError> {
        if self.after == i64::MIN {
            self.ready.push_back(Item::Collection(collection(table)));
        }
        let (db, person, after) = (self.db.clone(), self.person.clone(), self.after);
        let rows = self
            .db
            .call(move |desk| page(desk, &db, table, &person, after))
            .await?;
        match rows.last() {
            Some((id, _)) if rows.len() == PAGE => self.after = *id,
            _ => {
                self.table += 1;
                self.after = i64::MIN;
            }
        }
        self.ready
            .extend(rows.into_iter().map(|(_, cells)| Item::Row(cells)));
        Ok(())
    }
}

fn collection(table: &Table) -> Collection {
    let columns = table
        .columns
        .iter()
        .map(|field| Column::new(field.name).holding(field.holds.clone()));
    Collection::new(table.name, columns).titled(table.title)
}

type Cells = (i64, Vec<Cell>);

fn page(
    desk: &Connection,
    db: &Db,
    table: &'static Table,
    person: &Person,
    after: i64,
) -> Result<Vec<Cells>, PortError> {
    let sql = format!(
        "{PERSON} SELECT * FROM {} WHERE id > ?3 AND ({}) ORDER BY id LIMIT {PAGE}",
        table.name, table.theirs
    );
    let [clients, mails] = person.parameters();
    rows(desk, &sql, params![clients, mails, after], |row| {
        cells(db, table, row)
    })
    .map_err(at(table.name))
}

fn cells(db: &Db, table: &'static Table, row: &Row<'_>) -> rusqlite::Result<Cells> {
    let id = row.get("id")?;
    let cell = |field: &'static Field| {
        Ok(match field.shown {
            Shown::AsItIs => Cell::Value(value(row.get_ref(field.name)?)),
            Shown::Secret => Cell::Value(Value::Secret),
            Shown::File(name, media_type) => Cell::File(File {
                name: row.get(name)?,
                media_type: row.get(media_type)?,
                // Read when it is wanted, not now.
                content: db.blob(table.name, field.name, id),
            }),
        })
    };
    let cells: rusqlite::Result<Vec<Cell>> = table.columns.iter().map(cell).collect();
    Ok((id, cells?))
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Decimal(number.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}
