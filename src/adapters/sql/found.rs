//! A transaction with the sets of a person's rows, in temporary tables: everything is found before
//! anything is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::datamap::Whose;
use crate::model::Ground;
use crate::ports::{CallContext, Cancel, ErrorKind, PortError};

use super::dialect::Stay;
use super::layout::{Laid, LaidLink, Layout};
use super::rewrite::HostStrategy;
use super::schema::Guarded;
use super::session::{Purpose, Session, SqlPool};
use super::statement::Sql;

/// How many statements without values are sent at once.
pub(super) const TOGETHER: usize = 100;
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
    /// The tables of which rows are kept.
    pub(super) kept_in: BTreeSet<String>,
    /// The tables of which rows are held one by one, or for somebody else.
    pub(super) held_in: BTreeSet<String>,
    /// What the host does to values, by name.
    pub(super) strategies: Arc<BTreeMap<String, HostStrategy>>,
    /// Whether values are searched for: all that is known of the person is kept for that.
    pub(super) by_value: bool,
    /// Tables with rows under a hold: rows of others in them stay as they are.
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
            kept_in: BTreeSet::new(),
            held_in: BTreeSet::new(),
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

    /// Makes a set empty, or makes it.
    pub(super) fn made_empty(&mut self, set: &str, made: Vec<String>) -> Vec<String> {
        if self.made.contains(set) {
            return vec![format!("DELETE FROM {set}")];
        }
        let mut texts = self.unmade(set);
        texts.extend(made);
        texts
    }

    /// The name under which a statement can name a set a second time: where the database opens a
    /// temporary table once, that of a copy, made just before the statement.
    pub(super) fn set_again(&mut self, set: &str) -> String {
        if self.layout.dialect.reads_sets_twice() {
            return set.to_owned();
        }
        let copy = format!("{set}_again");
        self.made.insert(copy.clone());
        self.ahead.push(self.layout.dialect.drop_set(&copy));
        self.ahead
            .push(format!("CREATE TEMPORARY TABLE {copy} SELECT * FROM {set}"));
        copy
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
            sql.append(" AND (", condition, ")");
        }
        let sql = self.with_what_is_ahead(sql).await?;
        self.session.count(sql, &table.name).await
    }
}

pub(super) fn own(table: &Laid) -> impl Iterator<Item = &LaidLink> {
    let owned = |link: &&LaidLink| link.link.whose == Whose::Owned;
    table.links.iter().filter(owned)
}

pub(super) fn others(table: &Laid) -> impl Iterator<Item = &LaidLink> {
    let other = |link: &&LaidLink| link.link.whose != Whose::Owned;
    table.links.iter().filter(other)
}
