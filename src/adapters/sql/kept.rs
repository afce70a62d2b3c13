//! What must be kept, row by row, with the reason. What a kept row refers to is kept with it.
//!
//! A reason is text: until when, a blank, the ground. `always` sorts behind every date, so that the
//! greatest reason is the one that holds longest.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::datamap::{Retention, RowErasure};
use crate::model::{Ground, Until, WithheldRows};
use crate::ports::PortError;

use super::dialect::SET;
use super::found::Found;
use super::layout::{Laid, LaidTarget};
use super::session::Scalar;

const ALWAYS: &str = "always";
/// How many ends one table is reported with; beyond, those of a year become its last.
const MANY: usize = 24;
/// Values bound by one statement.
const BATCH: usize = 100;

impl Found {
    /// Takes what must be kept out of the sets of own rows. Answers what is kept.
    pub(super) async fn keep(&mut self, today: NaiveDate) -> Result<Vec<WithheldRows>, PortError> {
        let layout = Arc::clone(&self.layout);
        let keeps = |table: &&Laid| {
            table.described.retention.is_some()
                || matches!(table.described.erase, RowErasure::Keep { .. })
        };
        let keeping = layout.tables.iter().filter(keeps);
        if !layout.keeps() {
            return Ok(Vec::new());
        }
        let mut texts = Vec::new();
        for table in layout.tables.iter().filter(|table| table.owned) {
            let keys = table.key.under("t");
            let made = layout
                .dialect
                .create_kept(&table.kept, &keys, &table.quoted);
            texts.push(layout.dialect.drop_set(&table.kept));
            texts.extend(made);
        }
        self.run_all(&texts).await?;
        for table in keeping {
            match (&table.described.erase, &table.described.retention) {
                (RowErasure::Keep { ground }, _) => {
                    let why = format!("{ALWAYS} {}", ground.id());
                    self.keep_all(table, &why).await?;
                }
                (_, Some(retention)) => self.keep_dated(table, retention, today).await?,
                _ => {}
            }
        }
        // Up to what kept rows refer to and down to what is kept with them, until nothing is new.
        while self.keep_targets().await? + self.keep_with().await? > 0 {}
        self.release_kept().await
    }

    async fn keep_all(&mut self, table: &Laid, why: &str) -> Result<(), PortError> {
        let on = table.key.joins(self.layout.dialect, "t", "s");
        let mut sql = self.sql(format!(
            "INSERT INTO {} ({}, why) SELECT {}, ",
            table.kept,
            table.key.in_set(""),
            table.key.in_set("s.")
        ));
        sql.bind_text(why).push(&format!(
            " FROM {} AS s {} {} AS t ON {on}",
            table.set,
            self.layout.dialect.join(),
            table.quoted
        ));
        self.run(sql, &table.name).await.map(drop)
    }

    /// Keeps the rows whose duty has not ended, and those without a date.
    async fn keep_dated(
        &mut self,
        table: &Laid,
        retention: &Retention,
        today: NaiveDate,
    ) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        let column = format!("t.{}", dialect.quote(&retention.from));
        let day = format!("coalesce(substr({}, 1, 10), '')", dialect.text(&column));
        let on = table.key.joins(dialect, "t", "s");
        let sql = self.sql(format!(
            "SELECT DISTINCT {day} FROM {} AS s {} {} AS t ON {on}",
            table.set,
            dialect.join(),
            table.quoted
        ));
        let ground = retention
            .duty()
            .map_or_else(|_| String::new(), |duty| duty.id.clone().into_owned());
        let days = self
            .session
            .fetch(sql, &table.place(&retention.from))
            .await?;
        let reasons: Vec<(String, String)> = days
            .iter()
            .filter_map(|row| row.first()?.text())
            .filter_map(|day| {
                let from: Option<NaiveDate> = day.parse().ok();
                let until = from.and_then(|from| retention.until(from));
                match until {
                    Some(until) if until < today => None,
                    Some(until) => Some((day, format!("{until} {ground}"))),
                    None => Some((day, format!("{ALWAYS} {ground}"))),
                }
            })
            .collect();
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
        let sql = self.sql(format!(
            "INSERT INTO {} ({}, why) SELECT {}, d.why FROM {} AS s {join} {} AS t ON {on} {join} \
             {days} AS d ON d.day = {day}",
            table.kept,
            table.key.in_set(""),
            table.key.in_set("s."),
            table.set,
            table.quoted,
            join = dialect.join(),
        ));
        self.run(sql, &table.name).await?;
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
                if !table.owned || table.key.loose {
                    continue;
                }
                for link in &table.links {
                    let LaidTarget::Rows(to, references) = &link.to else {
                        continue;
                    };
                    let there = &layout.tables[*to];
                    let keys = there.key.in_set("s.");
                    let same: Vec<String> = (0..there.key.len())
                        .map(|n| format!("y.k{n} = s.k{n}"))
                        .collect();
                    let sql = self.sql(format!(
                        "INSERT INTO {} ({}, why) SELECT {keys}, max(x.why) FROM {} AS x {} {} \
                         AS t ON {}{} WHERE NOT EXISTS (SELECT 1 FROM {} AS y WHERE {} AND y.why \
                         >= x.why) GROUP BY {keys}",
                        there.kept,
                        there.key.in_set(""),
                        table.kept,
                        layout.dialect.join(),
                        table.quoted,
                        table.key.joins(layout.dialect, "t", "x"),
                        self.join_target(link, there, references, &there.set, "s"),
                        there.kept,
                        same.join(" AND "),
                    ));
                    rows += self.run(sql, &there.name).await?;
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
            if !there.owned || table.key.loose {
                continue;
            }
            let keys = table.key.in_set("o.");
            let same: Vec<String> = (0..table.key.len())
                .map(|n| format!("y.k{n} = o.k{n}"))
                .collect();
            let sql = self.sql(format!(
                "INSERT INTO {} ({}, why) SELECT {keys}, max(x.why) FROM {} AS o {} {} AS t ON \
                 {}{} WHERE NOT EXISTS (SELECT 1 FROM {} AS y WHERE {} AND y.why >= x.why) GROUP \
                 BY {keys}",
                table.kept,
                table.key.in_set(""),
                table.set,
                layout.dialect.join(),
                table.quoted,
                table.key.joins(layout.dialect, "t", "o"),
                self.join_target(link, there, references, &there.kept, "x"),
                table.kept,
                same.join(" AND "),
            ));
            rows += self.run(sql, &table.name).await?;
        }
        Ok(rows)
    }

    /// Takes the kept rows out of the sets, and counts them by reason.
    async fn release_kept(&mut self) -> Result<Vec<WithheldRows>, PortError> {
        let layout = Arc::clone(&self.layout);
        let mut withheld = Vec::new();
        for table in layout.tables.iter().filter(|table| table.owned) {
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
            let same: Vec<String> = (0..table.key.len())
                .map(|n| {
                    let (one, other) = (format!("y.k{n}"), format!("{}.k{n}", table.set));
                    layout.dialect.same(&one, &other, table.key.class(n))
                })
                .collect();
            let release = self.sql(format!(
                "DELETE FROM {} WHERE EXISTS (SELECT 1 FROM {} AS y WHERE {})",
                table.set,
                table.kept,
                same.join(" AND ")
            ));
            self.run(release, &table.name).await?;
            let reasons = reasons.iter().filter_map(|row| {
                Some((row.first()?.text()?, row.get(1).map_or(0, Scalar::count)))
            });
            withheld.extend(reported(&table.name, reasons.collect()));
        }
        Ok(withheld)
    }
}

/// Reasons as rows withheld. Where there are very many ends, each year has its last.
fn reported(collection: &str, reasons: Vec<(String, u64)>) -> Vec<WithheldRows> {
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
            ground: Ground::new(ground),
            until: until.parse().map_or(Until::Always, Until::Date),
        })
        .collect()
}
