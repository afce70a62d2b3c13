//! The sets of a person's rows: everything is found before anything is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::datamap::{CatalogueColumn, Class, Target, Whose};
use crate::model::{Ground, IdentifierKind};
use crate::ports::{CallContext, Cancel, ErrorKind, PortError};

use super::clue::Person;
use super::dialect::Stay;
use super::json;
use super::layout::{Laid, LaidLink, LaidTarget, Layout};
use super::rewrite::HostStrategy;
use super::schema::Guarded;
use super::session::{Purpose, Session, SqlPool};
use super::statement::{Param, Sql};

/// How many statements without values are sent at once.
const TOGETHER: usize = 100;
/// Between statements that are sent at once.
const AND_THEN: &str = ";\n";
/// The place of errors of temporary tables.
const SETS: &str = "temporary tables";

/// A transaction with the sets of one person.
pub(super) struct Found {
    pub(super) layout: Arc<Layout>,
    pub(super) session: Session,
    pub(super) cancel: Cancel,
    /// Whether sets are numbered, to be read page by page.
    pub(super) numbered: bool,
    /// Where a write is tried out before it is planned.
    pub(super) guarded: Guarded,
    /// What the database is told together with the next statement.
    ahead: Vec<String>,
    /// The temporary tables that were made.
    made: BTreeSet<String>,
    /// Whether the sets of kept rows were made.
    pub(super) keeping: bool,
    /// What the host does to values, by name.
    pub(super) strategies: Arc<BTreeMap<String, HostStrategy>>,
    /// Whether values are searched for: all that is known of the person is kept for that.
    pub(super) by_value: bool,
    /// Tables under a hold: nothing in them is changed.
    pub(super) frozen: BTreeMap<String, Ground>,
}

/// Work that nobody waits for any more changes nothing.
pub(super) fn go_on(cancel: &Cancel) -> Result<(), PortError> {
    if cancel.is_cancelled() {
        return Err(PortError::new(ErrorKind::Cancelled, "cancelled"));
    }
    Ok(())
}

impl Found {
    /// A transaction without sets.
    pub(super) async fn begin(
        pool: &SqlPool,
        layout: &Arc<Layout>,
        context: &CallContext,
        purpose: Purpose,
    ) -> Result<Self, PortError> {
        go_on(&context.cancel)?;
        let found = Self::new(pool, layout, purpose).await?;
        Ok(Self {
            cancel: context.cancel.clone(),
            ..found
        })
    }

    /// A transaction outside any request.
    pub(super) async fn new(
        pool: &SqlPool,
        layout: &Arc<Layout>,
        purpose: Purpose,
    ) -> Result<Self, PortError> {
        Ok(Self {
            layout: Arc::clone(layout),
            session: pool.begin(purpose).await?,
            cancel: Cancel::default(),
            numbered: false,
            guarded: None,
            ahead: Vec::new(),
            made: BTreeSet::new(),
            keeping: false,
            strategies: Arc::default(),
            by_value: false,
            frozen: BTreeMap::new(),
        })
    }

    pub(super) fn sql(&self, text: impl Into<String>) -> Sql {
        Sql::new(self.layout.dialect, text)
    }

    pub(super) async fn run(&mut self, sql: Sql, place: &str) -> Result<u64, PortError> {
        go_on(&self.cancel)?;
        let sql = self.with_what_is_ahead(sql).await?;
        self.session.execute(sql, place).await
    }

    /// Statements without values go together, in one round.
    async fn with_what_is_ahead(&mut self, mut sql: Sql) -> Result<Sql, PortError> {
        let ahead = std::mem::take(&mut self.ahead);
        if ahead.is_empty() {
            return Ok(sql);
        }
        if sql.params.is_empty() {
            sql.text = format!("{}{AND_THEN}{}", ahead.join(AND_THEN), sql.text);
            sql.kept = false; // several cannot be prepared as one
        } else {
            let ahead = self.sql(ahead.join(AND_THEN));
            self.session.execute(ahead, SETS).await?;
        }
        Ok(sql)
    }

    /// Runs statements without values, in few rounds.
    pub(super) async fn run_all(&mut self, texts: &[String]) -> Result<(), PortError> {
        for texts in texts.chunks(TOGETHER) {
            self.run(self.sql(texts.join(AND_THEN)), SETS).await?;
        }
        Ok(())
    }

    /// Runs statements without values, each with the table that it is about, in few rounds; answers
    /// how many rows each changed.
    pub(super) async fn run_each(
        &mut self,
        statements: &[(String, &str)],
    ) -> Result<Vec<u64>, PortError> {
        let mut changed = Vec::with_capacity(statements.len());
        for statements in statements.chunks(TOGETHER) {
            go_on(&self.cancel)?;
            let texts: Vec<&str> = statements.iter().map(|(text, _)| text.as_str()).collect();
            // What is told together with them comes first.
            let ahead = self.ahead.len();
            let texts = self.sql(texts.join(AND_THEN));
            let texts = self.with_what_is_ahead(texts).await?;
            let rows = self.session.execute_each(texts.text).await;
            let place = |done: usize| {
                let nth = done.checked_sub(ahead).and_then(|nth| statements.get(nth));
                nth.map_or(SETS, |(_, place)| *place)
            };
            let rows = rows.map_err(|(done, error)| error.at(place(done)))?;
            changed.extend(rows.into_iter().skip(ahead));
        }
        Ok(changed)
    }

    /// Makes all sets but those of kept rows, empty.
    pub(super) async fn make_sets(&mut self) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut texts = Vec::new();
        for table in &layout.tables {
            if table.owned {
                texts.extend(self.set_made(table, &table.set, self.numbered));
            }
            for link in others(table) {
                texts.extend(self.set_made(table, &link.set, self.numbered));
            }
        }
        self.run_all(&texts).await
    }

    /// Makes a numbered set of rows of a table.
    pub(super) async fn make_set(&mut self, table: &Laid, set: &str) -> Result<(), PortError> {
        let texts = self.set_made(table, set, true);
        self.run_all(&texts).await
    }

    /// The statements that make a set.
    fn set_made(&mut self, table: &Laid, set: &str, numbered: bool) -> Vec<String> {
        let dialect = self.layout.dialect;
        let mut texts = self.unmade(set);
        texts.extend(dialect.create_set(set, &table.key, &table.quoted, numbered));
        texts
    }

    /// The statement that removes a temporary table which is about to be made, if one of its name
    /// can be there.
    pub(super) fn unmade(&mut self, set: &str) -> Vec<String> {
        let dialect = self.layout.dialect;
        let new = self.made.insert(set.to_owned());
        let gone = new && dialect.sets_stay() != Stay::Always;
        if gone {
            Vec::new()
        } else {
            vec![dialect.drop_set(set)]
        }
    }

    /// Removes all temporary tables, before a commit: the connection goes back to the host's pool.
    pub(super) async fn clear(&mut self) -> Result<(), PortError> {
        let dialect = self.layout.dialect;
        if dialect.sets_stay() == Stay::Never {
            return Ok(());
        }
        let made = std::mem::take(&mut self.made);
        let texts: Vec<String> = made.iter().map(|set| dialect.drop_set(set)).collect();
        // Also when nobody waits any more.
        for texts in texts.chunks(TOGETHER) {
            let sql = self.sql(texts.join(AND_THEN));
            self.session.execute(sql, SETS).await?;
        }
        Ok(())
    }

    /// Removes the temporary tables that even a rollback would leave.
    pub(super) async fn clear_what_stays(&mut self) -> Result<(), PortError> {
        match self.layout.dialect.sets_stay() {
            Stay::Always => self.clear().await,
            _ => Ok(()),
        }
    }

    /// Takes everything back.
    pub(super) async fn take_back(mut self) -> Result<(), PortError> {
        self.clear_what_stays().await?;
        self.session.rollback().await
    }

    /// Fills the sets from what is known of the person, along the owned links, until nothing new
    /// is found.
    pub(super) async fn fill(&mut self, person: &Person) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut changed = BTreeSet::new();
        for (number, table) in layout.tables.iter().enumerate() {
            if !table.owned {
                continue;
            }
            let mut rows = self.seed(table, person).await?;
            for link in own(table) {
                if let LaidTarget::Identifier(kind, _) = &link.to
                    && let Some(sql) = self.by_value(table, link, &table.set, person.values(kind))
                {
                    rows += self.run(sql, &table.name).await?;
                }
            }
            if rows > 0 {
                self.look_at(&table.set);
                changed.insert(number);
            }
        }
        self.close(changed).await
    }

    /// Follows the owned links from these tables on.
    async fn close(&mut self, mut changed: BTreeSet<usize>) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        while !changed.is_empty() {
            let mut next = BTreeSet::new();
            let mut together = Vec::new();
            // What is referred to comes first, so that one round does where there is no cycle.
            for &number in layout.order.iter().rev() {
                let table = &layout.tables[number];
                for link in own(table) {
                    let LaidTarget::Rows(to, _) = link.to else {
                        continue;
                    };
                    let mut waits = together.iter().any(|(other, _)| *other == to);
                    if waits && layout.dialect.look_at("").is_some() {
                        // It wants to see how large a set has become.
                        self.found_by(&mut together, &mut changed, &mut next)
                            .await?;
                        waits = false;
                    }
                    if waits || changed.contains(&to) {
                        together.push((number, self.by_rows(table, link, &table.set)));
                    }
                }
                if together.len() >= TOGETHER {
                    self.found_by(&mut together, &mut changed, &mut next)
                        .await?;
                }
            }
            self.found_by(&mut together, &mut changed, &mut next)
                .await?;
            changed = if self.layout_has_cycles(&next) {
                next
            } else {
                BTreeSet::new()
            };
        }
        Ok(())
    }

    /// Runs statements that fill the sets of these tables, and notes which found something.
    async fn found_by(
        &mut self,
        statements: &mut Vec<(usize, Sql)>,
        changed: &mut BTreeSet<usize>,
        next: &mut BTreeSet<usize>,
    ) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        let mut found = Vec::new();
        let mut together = Vec::new();
        for (number, sql) in statements.drain(..) {
            let name = layout.tables[number].name.as_str();
            if sql.params.is_empty() {
                together.push((number, (sql.text, name)));
                continue;
            }
            self.run_noted(&mut together, &mut found).await?;
            found.push((number, self.run(sql, name).await?));
        }
        self.run_noted(&mut together, &mut found).await?;
        let found: BTreeSet<usize> = found
            .into_iter()
            .filter_map(|(number, rows)| (rows > 0).then_some(number))
            .collect();
        for number in found {
            let table = &layout.tables[number];
            self.look_at(&table.set);
            if !table.key.loose {
                // Later tables of this round see it; earlier ones in the next.
                changed.insert(number);
                next.insert(number);
            }
        }
        Ok(())
    }

    /// Runs statements together; notes how many rows of which table each found.
    async fn run_noted(
        &mut self,
        statements: &mut Vec<(usize, (String, &str))>,
        found: &mut Vec<(usize, u64)>,
    ) -> Result<(), PortError> {
        let (numbers, statements): (Vec<usize>, Vec<_>) = statements.drain(..).unzip();
        let rows = self.run_each(&statements).await?;
        found.extend(numbers.into_iter().zip(rows));
        Ok(())
    }

    /// Whether what was found last may lead to a table that came before it in the round.
    fn layout_has_cycles(&self, found: &BTreeSet<usize>) -> bool {
        let mut seen = BTreeSet::new();
        for &number in self.layout.order.iter().rev() {
            seen.insert(number);
            let table = &self.layout.tables[number];
            for link in own(table) {
                if let LaidTarget::Rows(to, _) = link.to
                    && found.contains(&to)
                    && (to == number || !seen.contains(&to))
                {
                    return true;
                }
            }
        }
        false
    }

    /// Rows that are known by their key, also if they are gone: others may hang on them.
    async fn seed(&mut self, table: &Laid, person: &Person) -> Result<u64, PortError> {
        let (before, _) = self.layout.dialect.insert_new();
        let after = self.layout.dialect.unless_known(&table.set, &table.key);
        let mut rows = 0;
        for key in person.rows(&table.name) {
            if !fits(&table.key.columns, key) {
                continue; // a locator of another schema leads nowhere
            }
            let mut sql = self.sql(format!(
                "{before} {} ({}) VALUES (",
                table.set,
                table.key.in_set("")
            ));
            for (n, (column, part)) in table.key.columns.iter().zip(key).enumerate() {
                if n > 0 {
                    sql.push(", ");
                }
                sql.bind_for(column, part.clone());
            }
            sql.push(") ").push(&after);
            rows += self.run(sql, &table.name).await?;
        }
        Ok(rows)
    }

    /// Puts the rows of a person's table into its set that hold one of these identifiers.
    pub(super) async fn seed_by_column(
        &mut self,
        table: &Laid,
        column: &CatalogueColumn,
        kind: &IdentifierKind,
        values: &[&str],
    ) -> Result<u64, PortError> {
        let (before, _) = self.layout.dialect.insert_new();
        let after = self.layout.dialect.unless_known(&table.set, &table.key);
        let mut sql = self.sql(format!(
            "{before} {} ({}) SELECT {} FROM {} AS t WHERE ",
            table.set,
            table.key.in_set(""),
            table.key.under("t").join(", "),
            table.quoted
        ));
        if !self.one_of(&mut sql, column, kind, false, values) {
            return Ok(0);
        }
        sql.push(" ").push(&after);
        self.run(sql, &table.name).await
    }

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
        let spelt = values.iter().flat_map(|value| match (kind, normal) {
            (IdentifierKind::Mail, false) => dialect.spellings(value),
            _ => vec![(*value).to_owned()],
        });
        let mut params: Vec<Param> = spelt.map(Param::Text).collect();
        let left = match column.class {
            // A number is compared as one: an index serves.
            Class::Int => {
                let numbers = values.iter().filter_map(|value| value.parse().ok());
                params = numbers.map(Param::Int).collect();
                name
            }
            _ if normal => name,
            Class::Text => dialect.normal(&name, kind),
            _ => dialect.normal(&dialect.text(&name), kind),
        };
        if params.is_empty() {
            return false;
        }
        sql.push(&left).push(" IN (");
        for (n, param) in params.into_iter().enumerate() {
            if n > 0 {
                sql.push(", ");
            }
            sql.bind(param);
        }
        sql.push(")");
        true
    }

    /// Writes that an expression is one of these values.
    fn spelt(
        &self,
        sql: &mut Sql,
        left: &str,
        kind: &IdentifierKind,
        normal: bool,
        values: &[&str],
    ) -> bool {
        let dialect = self.layout.dialect;
        let spelt = values.iter().flat_map(|value| match (kind, normal) {
            (IdentifierKind::Mail, false) => dialect.spellings(value),
            _ => vec![(*value).to_owned()],
        });
        sql.push(left).push(" IN (");
        let mut any = false;
        for value in spelt {
            sql.push(if std::mem::replace(&mut any, true) {
                ", "
            } else {
                ""
            });
            sql.bind_text(value);
        }
        sql.push(")");
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
            // An IPv4 address may stand there as IPv6 writes it.
            let mapped = (*kind == IdentifierKind::IpDuring && !held.contains(':'))
                .then(|| format!("::ffff:{held}"));
            let spelt: Vec<&str> = std::iter::once(held).chain(mapped.as_deref()).collect();
            sql.push("(");
            self.spelt(sql, &value, kind, true, &spelt);
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
    fn by_rows(&self, table: &Laid, link: &LaidLink, set: &str) -> Sql {
        let mut sql = self.insert_rows(table, set);
        sql.push(" FROM ");
        self.rows_referring(&mut sql, table, link);
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
                self.spelt(sql, &part, kind, *normal, values)
            }
        }
    }

    /// Writes where the rows `t` are that refer to rows that were found.
    pub(super) fn rows_referring(&self, sql: &mut Sql, table: &Laid, link: &LaidLink) {
        if let LaidTarget::Rows(to, references) = &link.to {
            let there = &self.layout.tables[*to];
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
            table.key.under("t").join(", "),
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
        if let Some(when) = &link.link.when
            && let Some(column) = table.table.column(&when.column)
        {
            let name = dialect.quote(&when.column);
            sql.push(&format!(" AND t.{name} = "));
            sql.bind_plain(column, &when.equals);
        }
        // A row that is the person's own is not also somebody else's.
        if set != table.set && table.owned {
            let own = table.key.joins(dialect, "t", "o");
            sql.push(&format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS o WHERE {own})",
                table.set
            ));
        }
    }

    /// From the set `s` of what a link leads to, to the rows `t` that refer to it.
    fn rows_leading_to(
        &self,
        table: &Laid,
        link: &LaidLink,
        there: &Laid,
        references: &[CatalogueColumn],
    ) -> String {
        let (set, here, join) = (&there.set, &table.quoted, self.layout.dialect.join());
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
        if column.class == reference.class {
            return format!("{left} = {right}");
        }
        // A number kept as text on one side.
        format!("{} = {}", dialect.text(&left), dialect.text(right))
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
        if let Some(when) = &link.link.when
            && let Some(column) = table.table.column(&when.column)
        {
            sql.push(&format!(" AND o.{} = ", dialect.quote(&when.column)));
            sql.bind_plain(column, &when.equals);
        }
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
    /// both are of one type.
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
            if column.class != reference.class {
                return None;
            }
            here.push(format!("t.{}", self.layout.dialect.quote(&column.name)));
            held.push(format!("s.k{}", place(reference)?));
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

    /// Makes and fills the sets of rows that are not the person's alone.
    pub(super) async fn find_others(&mut self, person: &Person) -> Result<(), PortError> {
        let layout = Arc::clone(&self.layout);
        for table in &layout.tables {
            for link in others(table) {
                let sql = match &link.to {
                    LaidTarget::Rows(..) => Some(self.by_rows(table, link, &link.set)),
                    LaidTarget::Identifier(kind, _) => {
                        self.by_value(table, link, &link.set, person.values(kind))
                    }
                };
                if let Some(sql) = sql
                    && self.run(sql, &table.name).await? > 0
                {
                    self.look_at(&link.set);
                }
            }
        }
        Ok(())
    }

    /// Lets the database see how large a set has become, before it joins with it.
    pub(super) fn look_at(&mut self, set: &str) {
        self.ahead.extend(self.layout.dialect.look_at(set));
    }

    /// How many rows of a table stand in a set, and satisfy a condition on `t`.
    pub(super) async fn count(
        &mut self,
        table: &Laid,
        set: &str,
        condition: Option<Sql>,
    ) -> Result<u64, PortError> {
        go_on(&self.cancel)?;
        let on = table.key.joins(self.layout.dialect, "t", "s");
        let mut sql = if table.key.loose {
            self.sql(format!(
                "SELECT count(*) FROM {} AS t WHERE EXISTS (SELECT 1 FROM {set} AS s WHERE {on})",
                table.quoted
            ))
        } else {
            self.sql(format!(
                "SELECT count(*) FROM {set} AS s {} {} AS t ON {on} WHERE 1 = 1",
                self.layout.dialect.join(),
                table.quoted
            ))
        };
        if let Some(condition) = condition {
            append(&mut sql, " AND (", condition, ")");
        }
        let sql = self.with_what_is_ahead(sql).await?;
        self.session.count(sql, &table.name).await
    }
}

/// Writes a piece with its values. The pieces before it hold none, or places are counted by `?`
/// and `$n` alike from the beginning.
pub(super) fn append(sql: &mut Sql, before: &str, piece: Sql, after: &str) {
    debug_assert!(
        sql.params.is_empty(),
        "a piece is written before its own values only"
    );
    sql.text.push_str(before);
    sql.text.push_str(&piece.text);
    sql.text.push_str(after);
    sql.params.extend(piece.params);
}

pub(super) fn own(table: &Laid) -> impl Iterator<Item = &LaidLink> {
    let owned = |link: &&LaidLink| link.link.whose == Whose::Owned;
    table.links.iter().filter(owned)
}

pub(super) fn others(table: &Laid) -> impl Iterator<Item = &LaidLink> {
    let other = |link: &&LaidLink| link.link.whose != Whose::Owned;
    table.links.iter().filter(other)
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

/// Whether a key in text can be one of these columns.
pub(super) fn fits(columns: &[CatalogueColumn], key: &[String]) -> bool {
    let part = |(column, part): (&CatalogueColumn, &String)| match column.class {
        Class::Int => part.parse::<i64>().is_ok(),
        _ => true,
    };
    columns.len() == key.len() && columns.iter().zip(key).all(part)
}
