//! A source over the help desk's tables: written once, used for what is found by number and for
//! what is found by address.

use std::collections::VecDeque;

use async_trait::async_trait;
use datarights::model::{
    Assurance, Collection, Column as Shape, Correction, Ground, IdError, Identifier,
    IdentifierKind, Personal, RowCount, SourceId, Until, Use, Value, WithheldRows,
};
use datarights::ports::{
    Answer, CallContext, Cancel, Cell, Erased, ErrorKind, File, Item, Located, Locator,
    PersonalDataSource, PlannedAction, PlannedRows, PortError, Reading, Residue, SourceDescription,
    SourcePlan, Stopped, Work,
};
use futures::stream;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, Row, params};

use crate::db::{Db, at, not_cancelled, rows};
use crate::tables::{ADDRESSES, Column, DESK, End, FREE_TEXT, Given, Shown, Table};

/// A login name, which need not be an address.
pub(crate) const LOGIN: &str = "login";
/// What stands where somebody was named.
const REMOVED: &str = "[removed]";

const PERSON: &str = "WITH me(id) AS (SELECT value FROM json_each(?1)),
                           mail(address) AS (SELECT value FROM json_each(?2)) ";
const PAGE: usize = 50;

/// The columns that a person can have corrected, and the copies that follow a change of address.
const CORRECTABLE: &[&str] = &["first_name", "last_name", "email", "phone_number", "mobile"];
/// Columns in which two people may not say the same.
const UNIQUE: &[&str] = &["email", "mobile"];

/// Some tables of the help desk.
pub(crate) struct TableSource {
    description: SourceDescription,
    tables: &'static [Table],
    db: Db,
}

impl TableSource {
    pub(crate) const DESK: &str = "desk";
    pub(crate) const ADDRESSES: &str = "addresses";

    /// What is found by number. Its accounts lead to the addresses: it is erased after them.
    pub(crate) fn desk(db: Db) -> Result<Self, IdError> {
        let accepts = [
            IdentifierKind::Mail,
            IdentifierKind::Account,
            IdentifierKind::Phone,
        ];
        let mut description =
            SourceDescription::new(SourceId::new(Self::DESK)?, "Help desk", accepts);
        description.erase_after = vec![SourceId::new(Self::ADDRESSES)?];
        Ok(Self {
            description,
            tables: DESK,
            db,
        })
    }

    /// What is found by address or login name.
    pub(crate) fn addresses(db: Db) -> Result<Self, IdError> {
        let accepts = [IdentifierKind::Mail, IdentifierKind::Custom(LOGIN.into())];
        let id = SourceId::new(Self::ADDRESSES)?;
        let description = SourceDescription::new(id, "Comments and logins", accepts);
        Ok(Self {
            description,
            tables: ADDRESSES,
            db,
        })
    }

    fn is_desk(&self) -> bool {
        self.description.id.as_str() == Self::DESK
    }
}

/// One person, as far as rows can be found by it.
#[derive(Clone, Default)]
struct Person {
    users: Vec<i64>,
    mails: Vec<String>,
    /// What names them in free text; empty of what namesakes share.
    marks: Vec<String>,
}

impl Person {
    fn of(locators: &[Locator]) -> Self {
        let mut person = Self::default();
        for locator in locators {
            match locator.expose().split_once(':') {
                Some(("user", id)) => person.users.extend(id.parse::<i64>()),
                Some(("mail", mail)) => person.mails.push(mail.to_owned()),
                Some(("mark", mark)) => person.marks.push(mark.to_owned()),
                _ => {}
            }
        }
        person
    }

    fn locators(&self) -> Vec<Locator> {
        let users = self.users.iter().map(|id| format!("user:{id}"));
        let mails = self.mails.iter().map(|mail| format!("mail:{mail}"));
        let marks = self.marks.iter().map(|mark| format!("mark:{mark}"));
        users.chain(mails).chain(marks).map(Locator::new).collect()
    }

    fn parameters(&self) -> [String; 2] {
        [
            serde_json::json!(self.users).to_string(),
            serde_json::json!(self.mails).to_string(),
        ]
    }
}

#[async_trait]
impl PersonalDataSource for TableSource {
    fn describe(&self) -> SourceDescription {
        self.description.clone()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        not_cancelled(context)?;
        let (mut given, mut phones) = (Person::default(), Vec::new());
        for form in identifiers
            .iter()
            .filter_map(|identifier| identifier.normal().ok())
        {
            match form.kind() {
                IdentifierKind::Account => given.users.extend(form.expose().parse::<i64>()),
                IdentifierKind::Phone => phones.push(form.expose().to_owned()),
                _ => given.mails.push(form.expose().to_lowercase()),
            }
        }
        let (desk, tables) = (self.is_desk(), self.tables);
        let find = move |connection: &mut Connection| {
            let mut located = Located::default();
            if desk {
                located.identifiers = accounts(connection, &mut given, &phones)?;
            } else {
                given.mails = known(connection, tables, &given)?;
            }
            located.rows = count_all(connection, tables, &given)?;
            if located.rows.iter().any(|count| count.rows > 0) {
                located.locators = given.locators();
            }
            Ok(located)
        };
        self.db.call(find).await.map(Answer::Done)
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        not_cancelled(context)?;
        let (person, tables, desk) = (Person::of(locators), self.tables, self.is_desk());
        let work = work.clone();
        let plan = move |connection: &mut Connection| match work {
            Work::Erase => plan_erasure(connection, tables, &person),
            Work::Rectify(wished) if desk => plan_corrections(connection, &person, &wished),
            _ => Ok(SourcePlan::new(Vec::new())),
        };
        self.db.call(plan).await.map(Answer::Done)
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
            tables: self.tables,
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
        not_cancelled(context)?;
        if !self.is_desk() {
            // The desk follows a change of address here too: it is one database.
            return Ok(Answer::Done(Vec::new()));
        }
        let (person, wished) = (Person::of(locators), corrections.to_vec());
        let work =
            move |connection: &rusqlite::Transaction<'_>| correct(connection, &person, &wished);
        self.db.once(context, "users", work).await.map(Answer::Done)
    }

    async fn restrict(
        &self,
        context: &CallContext,
        _: &[Locator],
        _: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        not_cancelled(context)?;
        // This help desk has no place to note it.
        Ok(Answer::Unsupported)
    }

    async fn stop(
        &self,
        context: &CallContext,
        _: &[Identifier],
        _: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        not_cancelled(context)?;
        // This help desk has no place to note it.
        Ok(Answer::Unsupported)
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        _: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let (person, tables) = (Person::of(locators), self.tables);
        let work = move |connection: &rusqlite::Transaction<'_>| erase(connection, tables, &person);
        self.db.once(context, "users", work).await.map(Answer::Done)
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        not_cancelled(context)?;
        let (person, tables) = (Person::of(locators), self.tables);
        let search = move |connection: &mut Connection| {
            let mut left = count_all(connection, tables, &person)?;
            left.retain(|count| {
                let kept = |t: &&Table| t.name == count.collection && matches!(t.end, End::Keep(_));
                count.rows > 0 && !tables.iter().any(|table| kept(&table))
            });
            let named = mentions(connection, &person)?.len();
            if named > 0 {
                left.push(RowCount::new("free_text", named as u64));
            }
            Ok(left.into())
        };
        self.db.call(search).await.map(Answer::Done)
    }
}

/// Those of the given addresses that stand somewhere in these tables.
fn known(
    connection: &Connection,
    tables: &[Table],
    given: &Person,
) -> Result<Vec<String>, PortError> {
    let mut known = Vec::new();
    for mail in &given.mails {
        let alone = Person {
            mails: vec![mail.clone()],
            ..Person::default()
        };
        let rows = count_all(connection, tables, &alone)?;
        if rows.iter().any(|count| count.rows > 0) {
            known.push(mail.clone());
        }
    }
    Ok(known)
}

/// The accounts behind what was given: completes the person, and says what else identifies them.
fn accounts(
    connection: &Connection,
    given: &mut Person,
    phones: &[String],
) -> Result<Vec<Identifier>, PortError> {
    let phones = serde_json::json!(phones).to_string();
    let [users, mails] = given.parameters();
    let sql = format!(
        "{PERSON} SELECT id, user_name, coalesce(email, ''), phone_number, coalesce(mobile, ''),
                trim(first_name || ' ' || last_name),
                (SELECT count(*) FROM users n WHERE n.first_name = u.first_name
                                                AND n.last_name = u.last_name)
         FROM users u
         WHERE id IN me OR lower(email) IN mail OR lower(user_name) IN mail
            OR replace(phone_number, ' ', '') IN (SELECT value FROM json_each(?3))
            OR replace(mobile, ' ', '') IN (SELECT value FROM json_each(?3))"
    );
    let account = |row: &Row<'_>| {
        let texts: rusqlite::Result<Vec<String>> = (1..6).map(|n| row.get(n)).collect();
        Ok((row.get::<_, i64>(0)?, texts?, row.get::<_, i64>(6)?))
    };
    let found =
        rows(connection, &sql, params![users, mails, phones], account).map_err(at("users"))?;
    // What was given and leads nowhere is left out.
    *given = Person::default();
    let mut identifiers = Vec::new();
    for (id, texts, namesakes) in found {
        let [user_name, email, phone, mobile, name] = texts.as_slice() else {
            continue;
        };
        given.users.push(id);
        for address in [user_name, email] {
            given.mails.push(address.to_lowercase());
            identifiers.extend(Identifier::mail(address.as_str()));
            identifiers.extend(Identifier::custom(LOGIN, address.to_lowercase()));
        }
        for number in [phone, mobile] {
            identifiers.extend(Identifier::phone(number.as_str()));
        }
        let addresses = [user_name, email]
            .into_iter()
            .filter(|text| text.contains('@'));
        given
            .marks
            .extend(addresses.chain([phone, mobile]).cloned());
        // A name that others have too names nobody.
        if namesakes == 1 && name.contains(' ') {
            given.marks.push(name.clone());
        }
    }
    for list in [&mut given.mails, &mut given.marks] {
        list.retain(|text| !text.is_empty());
        list.sort();
        list.dedup();
    }
    Ok(identifiers)
}

fn count(connection: &Connection, table: &Table, person: &Person) -> Result<u64, PortError> {
    let sql = format!(
        "{PERSON} SELECT count(*) FROM {} WHERE {}",
        table.table, table.theirs
    );
    connection
        .query_row(&sql, person.parameters(), |row| row.get(0))
        .map_err(at(table.table))
}

fn count_all(
    connection: &Connection,
    tables: &[Table],
    person: &Person,
) -> Result<Vec<RowCount>, PortError> {
    let count = |table: &Table| Ok(RowCount::new(table.name, count(connection, table, person)?));
    tables.iter().map(count).collect()
}

fn plan_erasure(
    connection: &Connection,
    tables: &[Table],
    person: &Person,
) -> Result<SourcePlan, PortError> {
    let mut plan = Vec::new();
    for table in tables {
        plan.push(PlannedRows {
            collection: table.name.to_owned(),
            action: match table.end {
                End::Delete => PlannedAction::Delete,
                End::Unlink(_) => PlannedAction::Anonymise,
                End::Keep(ground) => PlannedAction::Withhold {
                    ground: Ground::new(ground),
                    until: Until::Always,
                    restricted: false,
                },
            },
            rows: count(connection, table, person)?,
        });
    }
    plan.push(PlannedRows {
        collection: "free_text".to_owned(),
        action: PlannedAction::Anonymise,
        rows: mentions(connection, person)?.len() as u64,
    });
    plan.retain(|line| line.rows > 0);
    Ok(SourcePlan::new(plan))
}

fn erase(connection: &Connection, tables: &[Table], person: &Person) -> Result<Erased, PortError> {
    let mut erased = Erased {
        rows: Vec::new(),
        withheld: Vec::new(),
        assurance: Assurance::Anonymised,
    };
    for table in tables {
        if table.table == "users" {
            // What is still named elsewhere is taken out before what identifies the person goes.
            let removed = remove_mentions(connection, person)?;
            erased.rows.push(RowCount::new("free_text", removed));
        }
        let sql = match table.end {
            End::Delete => format!("DELETE FROM {} WHERE {}", table.table, table.theirs),
            End::Unlink(set) => format!("UPDATE {} SET {set} WHERE {}", table.table, table.theirs),
            End::Keep(ground) => {
                let rows = count(connection, table, person)?;
                if rows > 0 {
                    erased.withheld.push(WithheldRows {
                        collection: table.name.to_owned(),
                        rows,
                        ground: Ground::new(ground),
                        until: Until::Always,
                        restricted: false,
                    });
                }
                continue;
            }
        };
        let rows = connection
            .execute(&format!("{PERSON} {sql}"), person.parameters())
            .map_err(at(table.table))?;
        erased.rows.push(RowCount::new(table.name, rows as u64));
    }
    erased.rows.retain(|count| count.rows > 0);
    Ok(erased)
}

/// One cell of free text that names somebody.
struct Mention {
    table: &'static str,
    column: &'static str,
    row: i64,
    cell: Sql,
}

/// Where other people's rows name the person. Their own are dealt with table by table.
fn mentions(connection: &Connection, person: &Person) -> Result<Vec<Mention>, PortError> {
    let [users, mails] = person.parameters();
    let marks = serde_json::json!(person.marks).to_string();
    let mut mentions = Vec::new();
    for (table, column) in FREE_TEXT.iter().copied() {
        let deleted = |own: &&Table| own.table == table && matches!(own.end, End::Delete);
        let own: Vec<&str> = DESK
            .iter()
            .chain(ADDRESSES)
            .filter(deleted)
            .map(|own| own.theirs)
            .collect();
        let sql = format!(
            "{PERSON} SELECT rowid, {column} FROM {table} WHERE NOT ({}) AND EXISTS
             (SELECT 1 FROM json_each(?3) WHERE instr(CAST({column} AS TEXT), value) > 0)",
            if own.is_empty() {
                "FALSE".to_owned()
            } else {
                own.join(" OR ")
            }
        );
        let mention = |row: &Row<'_>| {
            Ok(Mention {
                table,
                column,
                row: row.get(0)?,
                cell: row.get(1)?,
            })
        };
        let found =
            rows(connection, &sql, params![users, mails, marks], mention).map_err(at(table))?;
        mentions.extend(
            found
                .into_iter()
                .filter(|m| clean(&m.cell, &person.marks).is_some()),
        );
    }
    Ok(mentions)
}

fn remove_mentions(connection: &Connection, person: &Person) -> Result<u64, PortError> {
    let mentions = mentions(connection, person)?;
    for mention in &mentions {
        let Some(cleaned) = clean(&mention.cell, &person.marks) else {
            continue;
        };
        let sql = format!(
            "UPDATE {} SET {} = ?1 WHERE rowid = ?2",
            mention.table, mention.column
        );
        connection
            .execute(&sql, params![cleaned, mention.row])
            .map_err(at(mention.table))?;
    }
    Ok(mentions.len() as u64)
}

/// The cell without the person, in the type it had; `None` when it does not name them.
fn clean(cell: &Sql, marks: &[String]) -> Option<Sql> {
    let (text, blob) = match cell {
        Sql::Text(text) => (text.clone(), false),
        Sql::Blob(bytes) => (String::from_utf8(bytes.clone()).ok()?, true),
        _ => return None,
    };
    let cleaned = marks
        .iter()
        .fold(text.clone(), |text, mark| without(&text, mark));
    (cleaned != text).then(|| {
        if blob {
            Sql::Blob(cleaned.into_bytes())
        } else {
            Sql::Text(cleaned)
        }
    })
}

/// Replaces a mark where it stands as a word: `anna@…` is not part of `joanna@…`.
fn without(text: &str, mark: &str) -> String {
    let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let mut cleaned = String::new();
    let mut rest = text;
    while let Some(place) = rest.find(mark) {
        let (before, after) = (&rest[..place], &rest[place + mark.len()..]);
        let begins = !before
            .chars()
            .next_back()
            .or(cleaned.chars().next_back())
            .is_some_and(part_of_word);
        let ends = !after.chars().next().is_some_and(char::is_alphanumeric);
        cleaned.push_str(before);
        cleaned.push_str(if begins && ends { REMOVED } else { mark });
        rest = after;
    }
    cleaned + rest
}

fn correctable(wished: &[Correction]) -> Result<Vec<(&'static str, &str)>, PortError> {
    let ours = wished
        .iter()
        .filter(|wish| DESK.iter().any(|table| table.name == wish.collection));
    ours.map(|wish| {
        let refused = |code| PortError::refused(code).at(format!("users.{}", wish.field));
        let field = CORRECTABLE
            .iter()
            .find(|field| wish.collection == "users" && **field == wish.field);
        let value = wish.value.expose().trim();
        match (field, wish.field.as_str()) {
            (None, _) => Err(PortError::refused("not_correctable").at(&wish.collection)),
            (_, "email") if Identifier::mail(value).is_err() => Err(refused("not_an_address")),
            _ if value.is_empty() => Err(refused("empty")),
            (Some(field), _) => Ok((*field, value)),
        }
    })
    .collect()
}

fn plan_corrections(
    connection: &Connection,
    person: &Person,
    wished: &[Correction],
) -> Result<SourcePlan, PortError> {
    let [users, mails] = person.parameters();
    let mut plan = SourcePlan::new(Vec::new());
    let mut lines = Vec::new();
    for (field, value) in correctable(wished)? {
        if UNIQUE.contains(&field) {
            let sql =
                format!("{PERSON} SELECT count(*) FROM users WHERE {field} = ?3 AND id NOT IN me");
            let taken: u64 = connection
                .query_row(&sql, params![users, mails, value], |row| row.get(0))
                .map_err(at("users"))?;
            if taken > 0 {
                return Err(PortError::refused("not_unique").at(format!("users.{field}")));
            }
        }
        lines.push(PlannedRows {
            collection: "users".to_owned(),
            action: PlannedAction::Correct {
                field: field.to_owned(),
            },
            rows: person.users.len() as u64,
        });
        let sql = format!("{PERSON} SELECT coalesce({field}, '') FROM users WHERE id IN me");
        let now: Vec<String> =
            rows(connection, &sql, [&users, &mails], |row| row.get(0)).map_err(at("users"))?;
        plan.current.extend(now.into_iter().map(|now| Correction {
            collection: "users".to_owned(),
            field: field.to_owned(),
            value: Personal::new(now),
        }));
    }
    Ok(SourcePlan {
        current: plan.current,
        ..SourcePlan::new(lines)
    })
}

fn correct(
    connection: &Connection,
    person: &Person,
    wished: &[Correction],
) -> Result<Vec<RowCount>, PortError> {
    let [users, mails] = person.parameters();
    let mut changed: Vec<RowCount> = Vec::new();
    for (field, value) in correctable(wished)? {
        // Where the login name is the address, it follows; so does what knows only the address.
        let copies: &[(&str, &str, &str)] = match field {
            "email" => &[
                ("users", "user_name", "id IN me AND instr(user_name, '@')"),
                ("users", "email", "id IN me"),
                ("kb_comment", "email", "lower(email) IN mail"),
                (
                    "login_attempts",
                    "User",
                    "lower(User) IN mail AND instr(User, '@')",
                ),
                ("password_resets", "email", "lower(email) IN mail"),
            ],
            _ => &[("users", field, "id IN me")],
        };
        for (table, column, theirs) in copies {
            let sql = format!("{PERSON} UPDATE {table} SET {column} = ?3 WHERE {theirs}");
            let rows = connection
                .execute(&sql, params![users, mails, value])
                .map_err(at("users"))?;
            match changed.iter_mut().find(|count| count.collection == *table) {
                Some(count) => count.rows = count.rows.max(rows as u64),
                None => changed.push(RowCount::new(*table, rows as u64)),
            }
        }
    }
    Ok(changed)
}

struct Reader {
    db: Db,
    person: Person,
    cancel: Cancel,
    tables: &'static [Table],
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
            let Some(table) = self.tables.get(self.table) else {
                return Ok(None);
            };
            match table.given {
                Given::Yes => self.page(table).await?,
                Given::Withheld(ground) => self.withhold(table, ground).await?,
                Given::Link => self.table += 1,
            }
        }
    }

    async fn withhold(
        &mut self,
        table: &'static Table,
        ground: &'static str,
    ) -> Result<(), PortError> {
        let person = self.person.clone();
        let rows = self
            .db
            .call(move |connection| count(connection, table, &person))
            .await?;
        if rows > 0 {
            self.ready.push_back(Item::Withheld(WithheldRows {
                collection: table.name.to_owned(),
                rows,
                ground: Ground::new(ground),
                until: Until::Always,
                restricted: false,
            }));
        }
        self.table += 1;
        Ok(())
    }

    async fn page(&mut self, table: &'static Table) -> Result<(), PortError> {
        if self.after == i64::MIN {
            let columns = table
                .columns
                .iter()
                .map(|Column(name, holds, _)| Shape::new(*name).holding(holds.clone()));
            self.ready
                .push_back(Item::Collection(Collection::new(table.name, columns)));
        }
        let (db, person, after) = (self.db.clone(), self.person.clone(), self.after);
        let read = move |connection: &mut Connection| page(connection, &db, table, &person, after);
        let rows = self.db.call(read).await?;
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

fn page(
    connection: &Connection,
    db: &Db,
    table: &'static Table,
    person: &Person,
    after: i64,
) -> Result<Vec<(i64, Vec<Cell>)>, PortError> {
    let sql = format!(
        "{PERSON} SELECT rowid AS place, * FROM {} WHERE rowid > ?3 AND ({}) ORDER BY rowid LIMIT {PAGE}",
        table.table, table.theirs
    );
    let [users, mails] = person.parameters();
    let read = |row: &Row<'_>| {
        let place = row.get("place")?;
        let cells = table
            .columns
            .iter()
            .map(|column| cell(db, table, column, row, place));
        Ok((place, cells.collect::<rusqlite::Result<Vec<_>>>()?))
    };
    rows(connection, &sql, params![users, mails, after], read).map_err(at(table.table))
}

fn cell(
    db: &Db,
    table: &'static Table,
    Column(name, _, shown): &'static Column,
    row: &Row<'_>,
    place: i64,
) -> rusqlite::Result<Cell> {
    Ok(match (shown, row.get_ref(*name)?) {
        (Shown::Secret, _) => Cell::Value(Value::Secret),
        (Shown::File(_, _), ValueRef::Null) => Cell::Value(Value::Null),
        (Shown::File(name_in, type_in), _) => Cell::File(File {
            name: row.get(*name_in)?,
            media_type: row.get(*type_in)?,
            content: db.blob(table.table, name, place),
        }),
        (Shown::Text, ValueRef::Blob(bytes)) => {
            Cell::Value(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
        }
        (_, ValueRef::Null) => Cell::Value(Value::Null),
        (_, ValueRef::Integer(number)) => Cell::Value(Value::Int(number)),
        (_, ValueRef::Real(number)) => Cell::Value(Value::Decimal(number.to_string())),
        (_, ValueRef::Text(text)) => {
            Cell::Value(Value::Text(String::from_utf8_lossy(text).into_owned()))
        }
        (_, ValueRef::Blob(bytes)) => Cell::Value(Value::Bytes(bytes.to_vec())),
    })
}
