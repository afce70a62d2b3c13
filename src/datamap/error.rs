//! What is wrong with a map, alone or beside a database: where, what, and what would be accepted.

use std::fmt;

/// What is wrong with a map at one place.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    // Of the map alone.
    /// Written in a form that this version does not know.
    #[error("schema {0} is not known; this version reads schema 1")]
    UnknownSchema(u32),
    /// A name is missing.
    #[error("a name is empty")]
    EmptyName,
    /// A table that the map does not describe.
    #[error("leads to `{0}`, which the map does not describe: describe it, or lead elsewhere")]
    UnknownTarget(String),
    /// Nothing leads from the rows to a person.
    #[error("no link leads to a person: mark it as people, link it, or mark its free text")]
    NoWay,
    /// The rows of the target are nobody's own.
    #[error("leads to rows of `{0}`, which are nobody's own: only owned rows lead on")]
    LeadsToNobody(String),
    /// People by whom nobody can be found.
    #[error("people without an identifier: give one column an identifier, or link the table")]
    NoIdentifier,
    /// An identifier outside a table of people.
    #[error("only people are found by an identifier: use a link to an identifier instead")]
    StrayIdentifier,
    /// A kind that a column alone cannot be compared with.
    #[error("this kind of identifier needs more than one column and is not supported yet")]
    UnsupportedKind,
    /// A link without columns.
    #[error("a link needs at least one column")]
    NoColumns,
    /// A link to an identifier with several columns.
    #[error("a link to an identifier has one column, this has {0}")]
    ManyColumns(usize),
    /// Two sides of a link of different lengths.
    #[error("{here} columns lead to {there}")]
    Arity {
        /// Columns of the link.
        here: usize,
        /// Columns of its target.
        there: usize,
    },
    /// Strategies where they say nothing.
    #[error("rows that are the person's own are erased as their table says: remove this")]
    UselessStrategy,
    /// A row whose columns are erased, and a column without a strategy.
    #[error("the rows stay: say what an erasure does to this column (`keep` is an answer)")]
    NoStrategy,
    /// A path that cannot be written, or where none can be.
    #[error(
        "a path has names without quotes and backslashes, in one column of a link to an identifier"
    )]
    BadPath,
    /// A strategy that no part of a document can take.
    #[error(
        "values are replaced one by one here: a part of a document takes `keep`, `null`, `fixed`, `mask` or `generalise`"
    )]
    NotOnPath,
    /// A kind with a window and no instant to compare it with, or the other way round.
    #[error(
        "a kind of identifier with a window needs `at`, the column with the instant, and no other kind takes it"
    )]
    Window,
    /// Two strategies for one column.
    #[error(
        "two strategies are given for this column, or for a part of a document and for what is around it"
    )]
    TwoStrategies,
    /// Copies of what cannot be corrected.
    #[error("has copies and cannot be corrected: make it rectifiable, or remove them")]
    UselessCopies,
    /// Both described and exempt.
    #[error("is described and exempt: remove one")]
    DescribedAndExempt,
    /// An exemption that says nothing.
    #[error("an exemption needs a reason")]
    NoReason,
    /// Exempt twice.
    #[error("is exempt twice")]
    ExemptTwice,
    /// A duty that the law floor does not know.
    #[error("no retention duty is called `{0}`: see `RetentionDuty::all`, or give your own")]
    UnknownDuty(String),
    /// A duty that ends with no date.
    #[error("the duty has no fixed end: rows kept without one are `erase = {{ keep = … }}`")]
    OpenEnded,
    /// No month and day.
    #[error("`year_close` is a month and a day, e.g. `12-31`")]
    YearClose,
    /// Kept with rows to which no link leads.
    #[error("`kept_with` names a link of this table to rows of another")]
    KeptWithNothing,
    /// A duty or a condition that looks at rows which no link leads from.
    #[error("`of` names a table and a link of it that leads to rows of this table")]
    NoSuchWay,
    /// Retention of rows that stay anyway.
    #[error("the rows stay anyway: a duty to keep them for a time has no effect")]
    UselessRetention,

    /// Two links of one meaning.
    #[error("another link leads from the same columns to the same rows: one says whose they are")]
    LinkTwice,
    /// A restriction, or the end of a use, is marked where it frees rows that must be kept.
    #[error("decides how long rows are kept, and cannot mark anything else: name another column")]
    MarkDecides,
    /// A restriction, or the end of a use, is marked where rows are not found any more.
    #[error("rows are found by this column, and it cannot mark anything: name another column")]
    MarkFinds,
    /// One column for two marks.
    #[error(
        "is set by a restriction and by the end of a use, or by two ends to two values: name a column \
         for each"
    )]
    TwoMarks,
    /// A restriction is marked where an erasure writes: what is lifted would bring back what was erased.
    #[error("an erasure changes the column that marks a restriction: `keep` it")]
    MarkErased,
    /// A link stands on a column that may be corrected, and does not follow.
    #[error(
        "may be corrected, and a link of `{0}` stands on it, which would lead nowhere afterwards: name that \
         link's column in `copies`"
    )]
    CutOff(String),
    /// What is needed as long as the row is kept is changed at once.
    #[error(
        "as long as the row is kept this is needed: it is a key, leads to rows, marks them or decides how \
         long they are kept; `minimise` another column"
    )]
    NeededWhileKept,
    /// Minimised, and never kept.
    #[error(
        "only rows of the person's own that would be deleted, or that are kept for good, are minimised: \
         remove this, or say `erase` of it where the rows stay"
    )]
    NeverKept,
    /// What decides how long rows are kept, or leads to them, is changed for somebody else.
    #[error(
        "an erasure changes this in rows of others, and with it how long rows are kept: `keep` it there"
    )]
    DecidingErased,
    /// A duty that counts from the day on which the row is hidden.
    #[error(
        "has no date before the row is hidden, and without one the row is kept for good: count from \
         another column"
    )]
    NeverHidden,

    // Of the map beside a database.
    /// A table of the database that the map does not know.
    #[error("the table is not described: describe it, or exempt it with a reason")]
    TableUndescribed,
    /// A table whose history outlives an erasure.
    #[error(
        "the database keeps every version of these rows, and an erasure would leave them there: drop the \
         table's versioning"
    )]
    Versioned,
    /// A column of the database that the map does not know.
    #[error("the column is not described: describe it, or exempt it with a reason")]
    ColumnUndescribed,
    /// Described and gone.
    #[error("the database has no such table: remove it from the map")]
    TableGone,
    /// Described and gone.
    #[error("the table has no such column: remove it from the map")]
    ColumnGone,
    /// Exempt and gone.
    #[error("is exempt and does not exist: remove the exemption")]
    StaleExemption,
    /// A key of the database that no link follows.
    #[error(
        "this key leads to people's rows in `{0}` and no link follows it: add one, or exempt the \
         column with a reason"
    )]
    KeyNotFollowed(String),
    /// Columns that lead to rows of two tables.
    #[error(
        "the same columns lead to `{0}` too: say `when` they lead where, for both links, or declare both \
         keys in the database"
    )]
    AmbiguousLink(String),
    /// A condition that compares a text with a number, or the other way round.
    #[error("is compared with a value of another kind than {0}: write it as the column holds it")]
    NotComparable(String),
    /// A link between columns whose values are not written alike.
    #[error(
        "a value of type {here} cannot be told from one of type {there}: give both columns one type"
    )]
    Incomparable {
        /// The type of the column.
        here: String,
        /// The type of the one that it leads to.
        there: String,
    },
    /// Rows that lead on need a key.
    #[error("has no primary key: name the columns that the link leads to")]
    NoKey,
    /// Rows that are restricted one by one need a key.
    #[error("has no primary key: its rows cannot be restricted one by one")]
    NoKeyToRestrict,
    /// NULL where the database wants a value.
    #[error("the column cannot be NULL: give another strategy")]
    NotNull,
    /// The same value twice where the database wants different ones.
    #[error("the column is unique, and this strategy gives several rows one value")]
    Unique,
    /// A strategy that needs another type.
    #[error("this strategy does not fit a column of type {0}")]
    Type(String),
    /// A value that is longer than the column.
    #[error("this strategy gives {needs} characters, the column takes {has}")]
    Length {
        /// How long the new value is.
        needs: u32,
        /// How long it may be.
        has: u32,
    },
    /// A column that the database computes.
    #[error("the database computes this column: it cannot be set")]
    Generated,
    /// A row that stays and refers to one that goes.
    #[error("the row stays and its key leads to `{0}`, whose rows are deleted: erase the key too")]
    KeyLeftBehind(String),
    /// Rows that the database deletes along with a person's, and of which the map says nothing.
    #[error(
        "the database deletes these rows along with those of `{0}`: add a link for the key, so that \
         they are found and counted, or change the key"
    )]
    Cascades(String),
    /// A table without transactions: a plan would erase.
    #[error(
        "the table knows no transactions, and what is tried out there is done: use another engine \
         (`ENGINE = InnoDB`)"
    )]
    NoTransactions,
    /// A table of which the pool's user sees some rows only.
    #[error(
        "policies hide rows of this table from the pool's user, and nobody would know that they are left: \
         grant it `BYPASSRLS`, or make it the owner"
    )]
    HidesRows,
    /// People whom nothing names.
    #[error(
        "these rows are people, and no primary key names them: add one (SQLite: its columns must be NOT \
         NULL; PostgreSQL: a table from which others inherit has none)"
    )]
    PeopleWithoutKey,
    /// A column that names the row is changed, and the row is written more than once.
    #[error(
        "this column is part of the row's key, and the row is written more than once: once it is changed, \
         the row would not be found again; keep the column, or delete the row"
    )]
    KeyChanges,
    /// Rows that the database deletes along with a person's, where no map can follow.
    #[error(
        "the database deletes rows of `{0}` along with these, and nobody would be told: change that key, \
         or let these rows stay (`erase = \"columns\"`)"
    )]
    CascadesElsewhere(String),
}

/// What is wrong with a map, and where.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub struct MapProblem {
    /// The table.
    pub table: String,
    /// The column or the link, where it is one.
    pub member: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

impl MapProblem {
    pub(super) fn table(table: &str, problem: Problem) -> Self {
        Self {
            table: table.to_owned(),
            member: None,
            problem,
        }
    }

    pub(super) fn member(table: &str, member: &str, problem: Problem) -> Self {
        Self {
            table: table.to_owned(),
            member: Some(member.to_owned()),
            problem,
        }
    }
}

impl fmt::Display for MapProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(member) => write!(f, "{}.{member}: {}", self.table, self.problem),
            None if self.table.is_empty() => write!(f, "{}", self.problem),
            None => write!(f, "{}: {}", self.table, self.problem),
        }
    }
}

/// All that is wrong with a map, in the order of its tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapProblems(Vec<MapProblem>);

impl MapProblems {
    /// `Err`, if there is any.
    pub(super) fn of(mut problems: Vec<MapProblem>) -> Result<(), Self> {
        problems.sort();
        problems.dedup();
        if problems.is_empty() {
            return Ok(());
        }
        Err(Self(problems))
    }

    /// One by one.
    pub fn all(&self) -> &[MapProblem] {
        &self.0
    }
}

impl fmt::Display for MapProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "the data map has {} problem{many}:", self.0.len())?;
        for problem in &self.0 {
            write!(f, "\n- {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for MapProblems {}

/// A file that is no data map.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapFileError {
    /// Not of the form; the text says where and what was expected.
    #[error("not a data map: {0}")]
    Malformed(String),
    /// Of the form, and wrong.
    #[error(transparent)]
    Wrong(#[from] MapProblems),
    /// Cannot be written in that form.
    #[error("the data map cannot be written: {0}")]
    Unwritable(String),
}
