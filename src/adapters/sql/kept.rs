//! What must be kept, row by row, with the reason. What a kept row refers to is kept with it.
//!
//! A reason is text: until when, a blank, the ground. What ends at no date sorts behind every date,
//! in any collation, so that the greatest reason is the one that holds longest.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};

use crate::datamap::{CatalogueColumn, Class, KeptWhile, Retention, RowErasure, SoftDelete};
use crate::model::{Ground, RowCount, Until, WithheldRows};
use crate::ports::PortError;

use super::clue::Person;
use super::dialect::SET;
use super::fault::SqlFault;
use super::found::Found;
use super::holds::Stored;
use super::layout::{Laid, LaidLink, LaidTarget};
use super::session::Scalar;
use super::statement::Sql;

/// Until nobody knows when: a condition.
const HELD: &str = "held";
const ALWAYS: &str = "kept";
/// Until a legal hold is lifted. The greatest of all: what else keeps a row is told when it is.
pub(super) const ON_HOLD: &str = "onhold";
/// The ground of rows that are hidden and can be brought back.
pub(super) const RESTORABLE: &str = "restorable";
/// The last year that sorts as text.
const LAST_YEAR: i32 = 9999;
/// Of the reasons to keep a row, the one for which it stays as it is, or nothing.
pub(super) fn spared() -> String {
    format!(
        "max(CASE WHEN why LIKE '{ON_HOLD} %' OR why LIKE '% {RESTORABLE}' THEN why ELSE '' END)"
    )
}

/// How many ends one table is reported with; beyond, those of a year become its last.
const MANY: usize = 24;
/// Values bound by one statement.
const BATCH: usize = 100;

impl Found {
    /// Takes what must be kept out of the sets of own rows. Answers what is kept. For an erasure,
    /// what goes later is hidden now, but nothing under a hold.
    pub(super) async fn keep(
        &mut self,
        person: &Person,
        today: NaiveDate,
        hidden_at: Option<DateTime<Utc>>,
    ) -> Result<Vec<WithheldRows>, PortError> {
        let layout = Arc::clone(&self.layout);
        let holds = self.holds().await?;
        if holds.is_empty() && !layout.tables.iter().any(Laid::keeps) {
            return Ok(Vec::new());
        }
        let mut texts = Vec::new();
        for table in layout.tables.iter().filter(|table| table.owned) {
            let (kept, quoted) = (&table.kept, &table.quoted);
            let made = layout.dialect.create_kept(kept, &table.key, quoted);
            texts.extend(self.unmade(&table.kept));
            texts.extend(made);
        }
        self.run_all(&texts).await?;
        if let Some(now) = hidden_at {
            self.hide(person, &holds, now).await?;
        }
        for table in layout.tables.iter().filter(|t| t.owned && t.keeps()) {
            let described = &table.described;
            if let RowErasure::Keep { ground } = &described.erase {
                self.keep_all(table, ALWAYS, ground, None).await?;
            }
            if let Some(retention) = &described.retention {
                self.keep_dated(table, retention, today).await?;
            }
            if let Some(soft) = &described.soft_delete {
                self.keep_hidden(table, soft, today).await?;
            }
            for condition in &described.kept_while {
                self.keep_while(table, condition).await?;
            }
        }
        self.keep_held(person, &holds).await?;
        // Up to what kept rows refer to and down to what is kept with them, until nothing is new.
        while self.keep_targets().await? + self.keep_with().await? > 0 {}
        let mut withheld = self.release_kept().await?;
        withheld.extend(self.release_held(person).await?);
        Ok(withheld)
    }

    /// Keeps the rows of a set, or those of them that satisfy a condition on `t`.
    pub(super) async fn keep_all(
        &mut self,
        table: &Laid,
        until: &str,
        ground: &Ground,
        condition: Option<Sql>,
    ) -> Result<(), PortError> {
        let on = table.key.joins(self.layout.dialect, "t", "s");
        let mut sql = self.sql(format!(
            "INSERT INTO {} ({}, why) SELECT {}, '' FROM {} AS s {} {} AS t ON {on}",
            table.kept,
            table.key.in_set(""),
            table.key.in_set("s."),
            table.set,
            self.layout.dialect.join(),
            table.quoted
        ));
        if let Some(condition) = condition {
            sql.append(" WHERE ", condition, "");
        }
        let rows = self.run(sql, &table.name).await?;
        self.note_kept(table, rows);
        self.give_reason(table, until, ground).await
    }

    /// Gives a reason to what was kept without one.
    pub(super) async fn give_reason(
        &mut self,
        table: &Laid,
        until: &str,
        ground: &Ground,
    ) -> Result<(), PortError> {
        let mut sql = self.sql(format!("UPDATE {} SET why = ", table.kept));
        sql.bind_text(format!("{until} {}", ground.id()));
        sql.push(" WHERE why = ''");
        self.run(sql, &table.name).await.map(drop)
    }

    /// Keeps the rows for which a condition holds.
    async fn keep_while(&mut self, table: &Laid, kept: &KeptWhile) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut condition = self.sql("");
        let Some(via) = &kept.of else {
            let Some(column) = table.table.column(&kept.column) else {
                return Ok(());
            };
            condition.equals_plain("t", column, &kept.equals);
            return self
                .keep_all(table, HELD, &kept.ground, Some(condition))
                .await;
        };
        let Some(way) = layout.via(via) else {
            return Ok(());
        };
        let Some(column) = way.0.table.column(&kept.column) else {
            return Ok(());
        };
        let from = format!("EXISTS (SELECT 1 FROM {} AS o WHERE ", way.0.quoted);
        condition.push(&from);
        self.leads_here(&mut condition, way);
        condition.push(" AND ");
        condition.equals_plain("o", column, &kept.equals);
        condition.push(")");
        self.keep_all(table, HELD, &kept.ground, Some(condition))
            .await?;
        self.keep_deciding(table, way, |_, sql| {
            sql.equals_plain("o", column, &kept.equals);
        })
        .await
    }

    /// Keeps the person's rows by which others are kept: without them, nobody could tell any more
    /// how long. `decides` says of a row `o` that it is one.
    async fn keep_deciding(
        &mut self,
        table: &Laid,
        way: (&Laid, &LaidLink, &[CatalogueColumn]),
        decides: impl FnOnce(&Self, &mut Sql),
    ) -> Result<(), PortError> {
        let there = way.0;
        if !there.owned {
            return Ok(()); // somebody else's: it stays
        }
        let dialect = self.layout.dialect;
        let keys = there.key.under("o").join(", ");
        let mut sql = self.sql(format!(
            "SELECT {keys}, max(x.why) FROM {} AS o JOIN {} AS s ON {} JOIN {} AS t ON ",
            there.quoted,
            there.set,
            there.key.joins(dialect, "o", "s"),
            table.quoted,
        ));
        self.leads_here(&mut sql, way);
        let kept = table.key.joins(dialect, "t", "x");
        sql.push(&format!(" JOIN {} AS x ON {kept} WHERE ", table.kept));
        decides(self, &mut sql);
        sql.push(&format!(" GROUP BY {keys}"));
        self.keep_more(there, sql, Reasons::All).await.map(drop)
    }

    /// Keeps hidden rows as long as they can be brought back.
    async fn keep_hidden(
        &mut self,
        table: &Laid,
        soft: &SoftDelete,
        today: NaiveDate,
    ) -> Result<(), PortError> {
        let day = self.day("t", &soft.column);
        let until = |day: &str| {
            if day.is_empty() {
                return Ok(None);
            }
            // Nobody can tell whether it may be brought back still.
            let from: NaiveDate = day
                .parse()
                .map_err(|_| SqlFault::Unreadable.at(table.place(&soft.column)))?;
            let last = from.checked_add_days(Days::new(soft.days.into()));
            let last = last.filter(|last| last.year() <= LAST_YEAR);
            match last {
                Some(last) if last < today => Ok(None),
                Some(last) => Ok(Some(format!("{last} {RESTORABLE}"))),
                None => Ok(Some(format!("{LAST_YEAR}-12-31 {RESTORABLE}"))),
            }
        };
        self.keep_by_day(table, self.sql(day), until).await
    }

    /// Hides the rows that go later, unless they are hidden already, or kept because of a hold.
    async fn hide(
        &mut self,
        person: &Person,
        holds: &[Stored],
        now: DateTime<Utc>,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let hides = layout
            .tables
            .iter()
            .any(|t| t.described.soft_delete.is_some());
        let held = hides && !holds.is_empty();
        if held {
            self.keep_held(person, holds).await?;
            while self.keep_targets().await? + self.keep_with().await? > 0 {}
        }
        for table in layout.tables.iter().filter(|table| table.is_deleted()) {
            if let Some((mut sql, column, after)) = self.set_hidden(table) {
                let form = match column.class {
                    Class::Date => "%Y-%m-%d",
                    _ => "%Y-%m-%d %H:%M:%S",
                };
                sql.bind_for(&column, now.format(form).to_string());
                let name = layout.dialect.quote(&column.name);
                sql.push(&after).push(&format!(" AND t.{name} IS NULL"));
                if held {
                    let kept = table.key.joins(layout.dialect, "t", "y");
                    let exists = format!("EXISTS (SELECT 1 FROM {} AS y WHERE {kept})", table.kept);
                    sql.push(" AND NOT ").push(&exists);
                }
                self.run(sql, &table.name).await?;
            }
        }
        if held {
            // What else is kept, and why, is told without regard to this.
            let owned = layout.tables.iter().filter(|table| table.owned);
            let texts: Vec<String> = owned.map(|t| format!("DELETE FROM {}", t.kept)).collect();
            self.run_all(&texts).await?;
            self.kept_in.clear();
        }
        Ok(())
    }

    /// Shows what is hidden again; answers how many rows.
    pub(super) async fn show(&mut self) -> Result<Vec<RowCount>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut shown = Vec::new();
        for table in layout.tables.iter().filter(|table| table.is_deleted()) {
            if let Some((mut sql, column, after)) = self.set_hidden(table) {
                let name = layout.dialect.quote(&column.name);
                sql.push("NULL").push(&after);
                sql.push(&format!(" AND t.{name} IS NOT NULL"));
                let rows = self.run(sql, &table.name).await?;
                shown.push(RowCount::new(&table.name, rows));
            }
        }
        shown.retain(|count| count.rows > 0);
        Ok(shown)
    }

    /// An update of the column that hides the rows of a set, up to its value, and what follows.
    fn set_hidden(&self, table: &Laid) -> Option<(Sql, CatalogueColumn, String)> {
        let soft = table.described.soft_delete.as_ref()?;
        let column = table.table.column(&soft.column)?.clone();
        let (sql, after) = self.set_in(table, &column);
        Some((sql, column, after))
    }

    /// The day in a column, or nothing as empty text.
    fn day(&self, alias: &str, column: &str) -> String {
        let dialect = self.layout.dialect;
        let column = format!("{alias}.{}", dialect.quote(column));
        format!("coalesce(substr({}, 1, 10), '')", dialect.text(&column))
    }

    /// Keeps the rows whose duty has not ended, and those without a date.
    async fn keep_dated(
        &mut self,
        table: &Laid,
        retention: &Retention,
        today: NaiveDate,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut day = self.sql("");
        let way = retention.of.as_ref().and_then(|via| layout.via(via));
        match way {
            None if retention.of.is_some() => return Ok(()),
            None => drop(day.push(&self.day("t", &retention.from))),
            Some(way) => self.latest(&mut day, way, &retention.from),
        }
        if let Some(or) = &retention.or {
            let own = self.day("t", or);
            day.text = format!("coalesce(nullif({}, ''), {own})", day.text);
        }
        let ground = retention
            .duty()
            .map_or_else(|_| String::new(), |duty| duty.id.clone().into_owned());
        let until = |day: &str| {
            let from = day.parse().ok();
            Ok(match from.and_then(|from| retention.until(from)) {
                Some(until) if until < today => None,
                Some(until) if until.year() > LAST_YEAR => {
                    Some(format!("{LAST_YEAR}-12-31 {ground}"))
                }
                Some(until) => Some(format!("{until} {ground}")),
                None => Some(format!("{ALWAYS} {ground}")),
            })
        };
        self.keep_by_day(table, day, until).await?;
        let Some(way) = way else { return Ok(()) };
        let this = self.day("o", &retention.from);
        self.keep_deciding(table, way, |found, sql| {
            sql.push(&format!("{this} <> '' AND {this} = "));
            found.latest(sql, way, &retention.from);
        })
        .await
    }

    /// Writes the latest day in the rows `o` that lead to `t`, or nothing as empty text.
    fn latest(&self, sql: &mut Sql, way: (&Laid, &LaidLink, &[CatalogueColumn]), column: &str) {
        let day = self.day("o", column);
        let from = &way.0.quoted;
        sql.push(&format!(
            "coalesce((SELECT max({day}) FROM {from} AS o WHERE "
        ));
        self.leads_here(sql, way);
        sql.push("), '')");
    }

    /// Keeps rows by a day that is told of `t`, for the reason that `why` gives for it.
    async fn keep_by_day(
        &mut self,
        table: &Laid,
        day: Sql,
        why: impl Fn(&str) -> Result<Option<String>, PortError>,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let on = table.key.joins(dialect, "t", "s");
        let mut sql = self.sql("SELECT DISTINCT ");
        let from = format!(
            " FROM {} AS s {} {} AS t ON {on}",
            table.set,
            dialect.join(),
            table.quoted
        );
        sql.append("", day.clone(), &from);
        let days = self.session.fetch(sql, &table.name).await?;
        let mut reasons = Vec::new();
        for day in days.iter().filter_map(|row| row.first()?.text()) {
            if let Some(why) = why(&day)? {
                reasons.push((day, why));
            }
        }
        let days = format!("{SET}days");
        self.run(self.sql(dialect.drop_set(&days)), &table.name)
            .await?;
        let create = "CREATE TEMPORARY TABLE";
        let made = self.sql(format!(
            "{create} {days} (day VARCHAR(32), why VARCHAR(255))"
        ));
        self.run(made, &table.name).await?;
        for batch in reasons.chunks(BATCH) {
            let mut sql = self.sql(format!("INSERT INTO {days} (day, why) VALUES "));
            for (n, (day, why)) in batch.iter().enumerate() {
                sql.push(if n > 0 { ", (" } else { "(" });
                sql.bind_text(day).push(", ").bind_text(why).push(")");
            }
            self.run(sql, &table.name).await?;
        }
        let mut sql = self.sql(format!(
            "INSERT INTO {} ({}, why) SELECT {}, d.why FROM {} AS s {join} {} AS t ON {on} {join} \
             {days} AS d ON d.day = ",
            table.kept,
            table.key.in_set(""),
            table.key.in_set("s."),
            table.set,
            table.quoted,
            join = dialect.join(),
        ));
        sql.append("", day, "");
        let rows = self.run(sql, &table.name).await?;
        self.note_kept(table, rows);
        self.run(self.sql(dialect.drop_set(&days)), &table.name)
            .await
            .map(drop)
    }

    /// A row that stays keeps the rows of the person that it refers to: they could not go without
    /// it, and it could not be found again without them.
    async fn keep_targets(&mut self) -> Result<u64, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut all = 0;
        loop {
            let mut rows = 0;
            for &number in &layout.order {
                let table = &layout.tables[number];
                if !self.kept_in.contains(&table.name) {
                    continue;
                }
                for link in &table.links {
                    let LaidTarget::Rows(to, references) = &link.to else {
                        continue;
                    };
                    let there = &layout.tables[*to];
                    let keys = there.key.in_set("s.");
                    for of in self.handed_on() {
                        let mut sql = self.sql(format!(
                            "SELECT {keys}, max(x.why) FROM {} AS x {} {} AS t ON {}{} WHERE {}",
                            table.kept,
                            layout.dialect.join(),
                            table.quoted,
                            table.key.joins(layout.dialect, "t", "x"),
                            self.join_target(link, there, references, &there.set, "s"),
                            of.of("x"),
                        ));
                        self.only_when(&mut sql, table, link, "t");
                        sql.push(&format!(" GROUP BY {keys}"));
                        rows += self.keep_more(there, sql, of).await?;
                    }
                }
            }
            if rows == 0 {
                return Ok(all);
            }
            all += rows;
        }
    }

    /// Keeps the rows that are kept with others.
    async fn keep_with(&mut self) -> Result<u64, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut rows = 0;
        for table in layout.tables.iter().filter(|table| table.owned) {
            let with = table.described.kept_with.as_ref();
            let link = table.links.iter().find(|link| Some(&link.name) == with);
            let Some((link, LaidTarget::Rows(to, references))) = link.map(|link| (link, &link.to))
            else {
                continue;
            };
            let there = &layout.tables[*to];
            if !self.kept_in.contains(&there.name) {
                continue;
            }
            let keys = table.key.in_set("o.");
            for of in self.handed_on() {
                let mut sql = self.sql(format!(
                    "SELECT {keys}, max(x.why) FROM {} AS o {} {} AS t ON {}{} WHERE {}",
                    table.set,
                    layout.dialect.join(),
                    table.quoted,
                    table.key.joins(layout.dialect, "t", "o"),
                    self.join_target(link, there, references, &there.kept, "x"),
                    of.of("x"),
                ));
                self.only_when(&mut sql, table, link, "t");
                sql.push(&format!(" GROUP BY {keys}"));
                rows += self.keep_more(table, sql, of).await?;
            }
        }
        Ok(rows)
    }

    /// Which reasons are handed on from row to row.
    fn handed_on(&self) -> impl Iterator<Item = Reasons> + use<> {
        let mut tables = self.layout.tables.iter();
        let hides = tables.any(|table| table.described.soft_delete.is_some());
        let restorable = hides.then_some(Reasons::Restorable);
        std::iter::once(Reasons::All).chain(restorable)
    }

    /// Keeps the rows of a table that a query gives with a reason, unless a better one is known;
    /// answers how many. They stand apart first: what is asked may look at the kept rows, too.
    pub(super) async fn keep_more(
        &mut self,
        table: &Laid,
        asked: Sql,
        of: Reasons,
    ) -> Result<u64, PortError> {
        let (keys, kept) = (table.key.in_set(""), &table.kept);
        let more = format!("{kept}_more");
        let dialect = self.layout.dialect;
        let made = dialect.create_kept(&more, &table.key, &table.quoted);
        let made = self.made_empty(&more, made);
        self.run_all(&made).await?;
        let mut sql = self.sql(format!("INSERT INTO {more} ({keys}, why) "));
        sql.append("", asked, "");
        if self.run(sql, &table.name).await? == 0 {
            return Ok(0);
        }
        let known = format!(
            "DELETE FROM {more} WHERE EXISTS (SELECT 1 FROM {kept} AS y WHERE {} AND {} AND y.why >= \
             {more}.why)",
            table.key.same_in(dialect, "y", &more),
            of.of("y")
        );
        let added = format!("INSERT INTO {kept} ({keys}, why) SELECT {keys}, why FROM {more}");
        let place = table.name.as_str();
        let rows = self.run_each(&[(known, place), (added, place)]).await?;
        let rows = rows.last().copied().unwrap_or(0);
        self.note_kept(table, rows);
        Ok(rows)
    }

    pub(super) fn note_kept(&mut self, table: &Laid, rows: u64) {
        if rows > 0 {
            self.kept_in.insert(table.name.clone());
        }
    }

    /// Takes the kept rows out of the sets, and counts them by reason.
    async fn release_kept(&mut self) -> Result<Vec<WithheldRows>, PortError> {
        let layout = Arc::clone(&self.layout);
        let restricts = layout.restricted();
        let mut withheld = Vec::new();
        for (number, table) in layout.tables.iter().enumerate() {
            if !self.kept_in.contains(&table.name) {
                continue;
            }
            // What hangs on rows that a hold spares is not restricted with them.
            let marked = table.described.restrict.is_some() || self.frozen.is_empty();
            let restricted = restricts.contains(&number) && marked;
            let keys = table.key.in_set("");
            let count = self.sql(format!(
                "SELECT g.why, count(*) FROM (SELECT {keys}, max(why) AS why FROM {} GROUP BY \
                 {keys}) AS g GROUP BY g.why ORDER BY g.why",
                table.kept
            ));
            let reasons = self.session.fetch(count, &table.name).await?;
            if reasons.is_empty() {
                continue;
            }
            let release = self.sql(format!(
                "DELETE FROM {} WHERE EXISTS (SELECT 1 FROM {} AS y WHERE {})",
                table.set,
                table.kept,
                table.key.same_in(layout.dialect, "y", &table.set)
            ));
            self.run(release, &table.name).await?;
            let reasons = reasons.iter().filter_map(|row| {
                Some((row.first()?.text()?, row.get(1).map_or(0, Scalar::count)))
            });
            withheld.extend(reported(&table.name, restricted, reasons.collect()));
        }
        Ok(withheld)
    }
}

/// Reasons that are handed on from a kept row to what is kept with it: the greatest, and beside it
/// the one for which both stay as they are.
#[derive(Clone, Copy)]
pub(super) enum Reasons {
    All,
    Restorable,
}

impl Reasons {
    /// The condition on kept rows under an alias.
    fn of(self, alias: &str) -> String {
        match self {
            Self::All => "1 = 1".to_owned(),
            Self::Restorable => format!("{alias}.why LIKE '% {RESTORABLE}'"),
        }
    }
}

/// Reasons as rows withheld. Where there are very many ends, each year has its last.
fn reported(collection: &str, restricted: bool, reasons: Vec<(String, u64)>) -> Vec<WithheldRows> {
    let mut ends: BTreeMap<(String, String), (String, u64)> = BTreeMap::new();
    let many = reasons.len() > MANY;
    for (why, rows) in reasons {
        let (until, ground) = why.split_once(' ').unwrap_or((&why, ""));
        let group = if many {
            until.get(..4).unwrap_or(until)
        } else {
            until
        };
        let end = ends
            .entry((ground.to_owned(), group.to_owned()))
            .or_insert_with(|| (until.to_owned(), 0));
        end.0 = end.0.clone().max(until.to_owned());
        end.1 += rows;
    }
    ends.into_iter()
        .map(|((ground, _), (until, rows))| WithheldRows {
            collection: collection.to_owned(),
            rows,
            restricted: restricted && ground != RESTORABLE && until != ON_HOLD,
            ground: Ground::new(ground),
            until: until_of(&until),
        })
        .collect()
}

/// Until when a reason keeps a row.
pub(super) fn until_of(text: &str) -> Until {
    match text {
        HELD | ON_HOLD => Until::HoldLifted,
        date => date.parse().map_or(Until::Always, Until::Date),
    }
}
