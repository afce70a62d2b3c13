//! Writing what leads to rows: a value in a column, or what they refer to.

use std::net::IpAddr;

use uuid::Uuid;

use crate::datamap::{CatalogueColumn, Class, Target};
use crate::model::IdentifierKind;

use super::dialect::spellings;
use super::found::Found;
use super::json;
use super::layout::{Laid, LaidLink, LaidTarget};
use super::statement::{Param, Sql};

impl Found {
    /// Writes that a column of `t` holds one of these values; not, if it can hold none of them.
    pub(super) fn one_of(
        &self,
        sql: &mut Sql,
        column: &CatalogueColumn,
        kind: &IdentifierKind,
        normal: bool,
        values: &[&str],
    ) -> bool {
        let dialect = self.layout.dialect;
        let name = format!("t.{}", dialect.quote(&column.name));
        let numbers_or_texts = dialect.numbers_may_be_texts() && column.class == Class::Decimal;
        if column.class == Class::Int || numbers_or_texts {
            return self.one_number(sql, &name, kind, values);
        }
        if column.declared == "uuid" {
            let known = values.iter().filter_map(|value| value.parse::<Uuid>().ok());
            return sql.one_for(&name, column, known.map(|uuid| uuid.to_string()));
        }
        let params: Vec<Param> = spelt(kind, normal, values).collect();
        // The index serves what it calls equal, and of that counts what is.
        if let Some(exact) = dialect.exactly(&name, column).filter(|_| normal) {
            sql.push("(");
            let any = sql.one_of(&name, params.clone());
            sql.push(if any { " AND " } else { "1 = 0" });
            sql.one_of(&exact, params);
            sql.push(")");
            return any;
        }
        let readable = dialect.readable(&name, column);
        let left = match column.class {
            _ if normal => readable,
            Class::Text => dialect.normal(&readable, kind),
            _ => dialect.normal(&dialect.text(&readable), kind),
        };
        sql.one_of(&left, params)
    }

    /// Writes that a column of numbers holds one of these values: they are compared as numbers, so that
    /// an index serves. What is none may stand there as text.
    fn one_number(
        &self,
        sql: &mut Sql,
        name: &str,
        kind: &IdentifierKind,
        values: &[&str],
    ) -> bool {
        let dialect = self.layout.dialect;
        let numbers = values.iter().filter_map(|value| value.parse::<i128>().ok());
        let (small, large): (Vec<i128>, Vec<i128>) =
            numbers.partition(|number| i64::try_from(*number).is_ok());
        let small = small
            .iter()
            .filter_map(|number| i64::try_from(*number).ok());
        sql.push("(");
        let mut any = sql.one_of(name, small.map(Param::Int));
        // Written out, because no driver binds them: digits are no danger.
        for number in large {
            let or = if std::mem::replace(&mut any, true) {
                " OR "
            } else {
                ""
            };
            sql.push(&format!("{or}{name} = {number}"));
        }
        let phone = *kind == IdentifierKind::Phone;
        let texts = values
            .iter()
            .filter(|value| phone || value.parse::<i64>().is_err());
        let texts: Vec<Param> = match dialect.numbers_may_be_texts() {
            true => texts
                .map(|value| Param::Text((*value).to_owned()))
                .collect(),
            false => Vec::new(),
        };
        if !texts.is_empty() {
            sql.push(if std::mem::replace(&mut any, true) {
                " OR "
            } else {
                ""
            });
            sql.one_of(&dialect.normal(&dialect.text(name), kind), texts);
        }
        sql.push(if any { ")" } else { "1 = 0)" });
        any
    }

    /// Writes that a column holds one of these values while it was the person's.
    fn one_in_window(
        &self,
        sql: &mut Sql,
        link: &LaidLink,
        column: &CatalogueColumn,
        at: &CatalogueColumn,
        values: &[&str],
    ) -> bool {
        let dialect = self.layout.dialect;
        let LaidTarget::Identifier(kind, normal) = &link.to else {
            return false;
        };
        let name = format!("t.{}", dialect.quote(&column.name));
        let value = match link.link.path.is_empty() {
            true => dialect.address(&name, column),
            false => json::value_at(dialect, column, &link.link.path),
        };
        let value = match normal {
            true => value,
            false => dialect.normal(&value, kind),
        };
        let at_name = format!("t.{}", dialect.quote(&at.name));
        let mut any = false;
        for (held, from, to) in values.iter().filter_map(|value| window(value)) {
            sql.push(if std::mem::replace(&mut any, true) {
                " OR "
            } else {
                "("
            });
            let written = match *kind {
                IdentifierKind::IpDuring => addresses(held),
                _ => vec![held.to_owned()],
            };
            sql.push("(");
            sql.one_of(&value, written.into_iter().map(Param::Text));
            for (sign, instant) in [(">=", from), ("<", to)] {
                let place = sql.hold(Param::Text(instant));
                let (left, right) = dialect.instant(&at_name, &place, at);
                sql.push(&format!(" AND {left} {sign} {right}"));
            }
            sql.push(")");
        }
        sql.push(if any { ")" } else { "" });
        any
    }

    /// Finds rows by an identifier that stands in them.
    pub(super) fn by_value(
        &self,
        table: &Laid,
        link: &LaidLink,
        set: &str,
        values: Vec<&str>,
    ) -> Option<Sql> {
        let mut sql = self.insert_rows(table, set);
        sql.push(" FROM ");
        if !self.rows_with_value(&mut sql, table, link, &values) {
            return None;
        }
        self.end_insert(&mut sql, table, link, set);
        Some(sql)
    }

    /// Finds rows that refer to rows that were found.
    pub(super) fn by_rows(&mut self, table: &Laid, link: &LaidLink, set: &str) -> Sql {
        let mut sql = self.insert_rows(table, set);
        sql.push(" FROM ");
        // Its own set is named in another place, too.
        let from = match link.to {
            LaidTarget::Rows(to, _) if self.layout.tables[to].name == table.name => {
                self.set_again(&table.set)
            }
            LaidTarget::Rows(to, _) => self.layout.tables[to].set.clone(),
            LaidTarget::Identifier(..) => return sql,
        };
        self.rows_referring(&mut sql, table, link, &from);
        self.end_insert(&mut sql, table, link, set);
        sql
    }

    /// Writes where the rows `t` with one of these identifiers are; `false`, if there can be none.
    pub(super) fn rows_with_value(
        &self,
        sql: &mut Sql,
        table: &Laid,
        link: &LaidLink,
        values: &[&str],
    ) -> bool {
        let LaidTarget::Identifier(kind, normal) = &link.to else {
            return false;
        };
        let Some(column) = link.columns.first() else {
            return false;
        };
        sql.push(&format!("{} AS t WHERE ", table.quoted));
        match &link.link.to {
            Target::Identifier { at: Some(at), .. } => {
                let at = table.table.column(at);
                at.is_some_and(|at| self.one_in_window(sql, link, column, at, values))
            }
            _ if link.link.path.is_empty() => self.one_of(sql, column, kind, *normal, values),
            _ => {
                let part = json::value_at(self.layout.dialect, column, &link.link.path);
                let part = match normal {
                    true => part,
                    false => self.layout.dialect.normal(&part, kind),
                };
                sql.one_of(&part, spelt(kind, *normal, values))
            }
        }
    }

    /// Writes where the rows `t` are that refer to rows of the set `from`.
    pub(super) fn rows_referring(&self, sql: &mut Sql, table: &Laid, link: &LaidLink, from: &str) {
        if let LaidTarget::Rows(to, references) = &link.to {
            let there = (&self.layout.tables[*to], from);
            sql.push(&self.rows_leading_to(table, link, there, references));
            sql.push(" WHERE 1 = 1");
        }
    }

    fn insert_rows(&self, table: &Laid, set: &str) -> Sql {
        let (before, _) = self.layout.dialect.insert_new();
        // What has no key has no index that would leave out repetitions.
        let unlike = if table.key.loose { "DISTINCT " } else { "" };
        self.sql(format!(
            "{before} {set} ({}) SELECT {unlike}{}",
            table.key.in_set(""),
            table.key.selected(self.layout.dialect, "t").join(", "),
        ))
    }

    fn end_insert(&self, sql: &mut Sql, table: &Laid, link: &LaidLink, set: &str) {
        self.only(sql, table, link, set);
        let order: Vec<String> = (1..=table.key.len()).map(|n| n.to_string()).collect();
        let after = self.layout.dialect.unless_known(set, &table.key);
        sql.push(&format!(" {after} ORDER BY {}", order.join(", ")));
    }

    /// Writes which of the rows `t` that a link finds belong into a set.
    pub(super) fn only(&self, sql: &mut Sql, table: &Laid, link: &LaidLink, set: &str) {
        let dialect = self.layout.dialect;
        self.only_when(sql, table, link, "t");
        // A row that is the person's own is not also somebody else's.
        if set != table.set && table.owned {
            let own = table.key.joins(dialect, "t", "o");
            sql.push(&format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS o WHERE {own})",
                table.set
            ));
        }
    }

    /// Writes that a link leads from the row under an alias at all.
    pub(super) fn only_when(&self, sql: &mut Sql, table: &Laid, link: &LaidLink, alias: &str) {
        if let Some(when) = &link.link.when
            && let Some(column) = table.table.column(&when.column)
        {
            sql.push(" AND ").equals_plain(alias, column, &when.equals);
        }
    }

    /// From the set `s` of what a link leads to, to the rows `t` that refer to it.
    fn rows_leading_to(
        &self,
        table: &Laid,
        link: &LaidLink,
        (there, set): (&Laid, &str),
        references: &[CatalogueColumn],
    ) -> String {
        let (here, join) = (&table.quoted, self.layout.dialect.join());
        match self.leads_directly(link, there, references, "s") {
            Some(on) => format!("{set} AS s {join} {here} AS t ON {on}"),
            None => format!(
                "{set} AS s {join} {} AS p ON {} {join} {here} AS t ON {}",
                there.quoted,
                there.key.joins(self.layout.dialect, "p", "s"),
                self.refers(link, references)
            ),
        }
    }

    /// A column under an alias equals what it refers to.
    pub(super) fn equal(
        &self,
        (alias, column): (&str, &CatalogueColumn),
        reference: &CatalogueColumn,
        right: &str,
    ) -> String {
        let dialect = self.layout.dialect;
        let left = format!("{alias}.{}", dialect.quote(&column.name));
        dialect.linked((&left, column), (right, reference))
    }

    /// Says of a row `o` that a link leads from it to the row `t`.
    pub(super) fn leads_here(
        &self,
        sql: &mut Sql,
        (table, link, references): (&Laid, &LaidLink, &[CatalogueColumn]),
    ) {
        let dialect = self.layout.dialect;
        for (n, (column, reference)) in link.columns.iter().zip(references).enumerate() {
            let right = format!("t.{}", dialect.quote(&reference.name));
            sql.push(if n > 0 { " AND " } else { "" });
            sql.push(&self.equal(("o", column), reference, &right));
        }
        self.only_when(sql, table, link, "o");
    }

    /// Joins a row `t` to a set of what its link leads to, directly where the set holds the columns,
    /// else through the row `p`.
    pub(super) fn join_target(
        &self,
        link: &LaidLink,
        there: &Laid,
        references: &[CatalogueColumn],
        set: &str,
        alias: &str,
    ) -> String {
        let join = self.layout.dialect.join();
        match self.leads_directly(link, there, references, alias) {
            Some(on) => format!(" {join} {set} AS {alias} ON {on}"),
            None => format!(
                " {join} {} AS p ON {} {join} {set} AS {alias} ON {}",
                there.quoted,
                self.refers(link, references),
                there.key.joins(self.layout.dialect, "p", alias)
            ),
        }
    }

    /// A row `t` refers to a set, if the set holds the columns.
    fn leads_directly(
        &self,
        link: &LaidLink,
        there: &Laid,
        references: &[CatalogueColumn],
        alias: &str,
    ) -> Option<String> {
        let place = |column: &CatalogueColumn| there.key.columns.iter().position(|c| c == column);
        let places: Option<Vec<usize>> = references.iter().map(place).collect();
        let places = places.filter(|_| !there.key.loose)?;
        let pairs = link.columns.iter().zip(references).zip(places);
        let on: Vec<String> = pairs
            .map(|((column, reference), n)| {
                self.equal(("t", column), reference, &format!("{alias}.k{n}"))
            })
            .collect();
        Some(on.join(" AND "))
    }

    /// The columns of a row `t` that refer to a set, and those of the set `s`, if it holds them and
    /// both are compared as they are.
    pub(super) fn refers_to_set(
        &self,
        link: &LaidLink,
        to: usize,
        references: &[CatalogueColumn],
    ) -> Option<(String, String)> {
        let there = &self.layout.tables[to];
        self.leads_directly(link, there, references, "s")?;
        let place = |column: &CatalogueColumn| there.key.columns.iter().position(|c| c == column);
        let (mut here, mut held) = (Vec::new(), Vec::new());
        for (column, reference) in link.columns.iter().zip(references) {
            let left = format!("t.{}", self.layout.dialect.quote(&column.name));
            let right = format!("s.k{}", place(reference)?);
            if self.equal(("t", column), reference, &right) != format!("{left} = {right}") {
                return None;
            }
            here.push(left);
            held.push(right);
        }
        Some((here.join(", "), held.join(", ")))
    }

    /// Whether a link leads to what a set holds.
    pub(super) fn leads_to_key(
        &self,
        link: &LaidLink,
        there: &Laid,
        references: &[CatalogueColumn],
    ) -> bool {
        self.leads_directly(link, there, references, "s").is_some()
    }

    /// A row `t` refers to a row `p`.
    fn refers(&self, link: &LaidLink, references: &[CatalogueColumn]) -> String {
        let pairs = link.columns.iter().zip(references);
        let on: Vec<String> = pairs
            .map(|(column, reference)| {
                let there = self.layout.dialect.quote(&reference.name);
                self.equal(("t", column), reference, &format!("p.{there}"))
            })
            .collect();
        on.join(" AND ")
    }
}

/// Values in the spellings that a column may hold them in; in their normal form they have one.
fn spelt(kind: &IdentifierKind, normal: bool, values: &[&str]) -> impl Iterator<Item = Param> {
    let spelt = values.iter().flat_map(move |value| match (kind, normal) {
        (IdentifierKind::Mail, false) => spellings(value),
        _ => vec![(*value).to_owned()],
    });
    spelt.map(Param::Text)
}

/// An address by IP in the forms in which it may stand in text: IPv4 also as IPv6 maps it, IPv6 as RFC
/// 5952 writes it, with all its zeros, and with all its groups.
fn addresses(held: &str) -> Vec<String> {
    let mut written = vec![held.to_owned()];
    match held.parse() {
        Ok(IpAddr::V4(address)) => written.push(address.to_ipv6_mapped().to_string()),
        Ok(IpAddr::V6(address)) => {
            let groups = |write: fn(u16) -> String| address.segments().map(write).join(":");
            written.push(groups(|group| format!("{group:04x}")));
            written.push(groups(|group| format!("{group:x}")));
        }
        Err(_) => {}
    }
    written
}

/// The value, the first instant and the first after the window, of a normal form with one.
fn window(value: &str) -> Option<(&str, String, String)> {
    let (held, window) = value.rsplit_once(' ')?;
    let (from, to) = window.split_once('/')?;
    let instant = |micros: &str| {
        let instant = chrono::DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        Some(instant.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
    };
    Some((held, instant(from)?, instant(to)?))
}
