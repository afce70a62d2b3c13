//! Any database, and any map without pseudonyms, ends of uses and strategies of a host's own, from the
//! command line.
//!
//! `cargo run --features sql-sqlite --example sql_host` makes a small shop in a temporary file and
//! goes through all commands on it. On a database of your own:
//!
//! ```text
//! sql_host URL draft                                         # proposes a map, as TOML
//! sql_host URL check  MAP.toml                               # map beside database
//! sql_host URL find   MAP.toml --identity mail=ada@example.org [--by-value]
//! sql_host URL plan   MAP.toml --identity mail=ada@example.org
//! sql_host URL export MAP.toml --identity mail=ada@example.org
//! sql_host URL rectify MAP.toml --identity mail=ada@example.org --set customers.last_name=King
//! sql_host URL erase  MAP.toml --identity mail=ada@example.org
//! ```
//!
//! URLs begin with `sqlite:`, and with `postgres:` or `mysql:` where the features `sql-postgres` and
//! `sql-mysql` are on. `--json` prints for machines. `rectify` and `erase` print the plan, and do it
//! only with `--yes`. On a terminal, bars show how far the work is. With `--by-value`, `find` also says
//! where in the whole database the person's identifiers stand, `plan` where they would be left, and
//! `erase` where they are left.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use datarights::adapters::{
    FoundByValue, ShownPlan, SqlFault, SqlPool, SqlSource, SqlSourceOptions, SystemClock,
};
use datarights::datamap::DataMap;
use datarights::model::{
    ControllerId, Correction, Identifier, Personal, RequestId, SourceId, Value,
};
use datarights::ports::{
    Answer, CallContext, Cell, Fence, IdempotencyKey, Item, Located, PersonalDataSource, PortError,
    SourcePlan, Work,
};
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: sql_host URL draft
       sql_host URL check MAP
       sql_host URL find | plan | export | erase MAP --identity KIND=VALUE…
       sql_host URL rectify MAP --identity KIND=VALUE… --set TABLE.COLUMN=VALUE…
       with --json, --yes, --by-value; MAP is TOML, or JSON in a file named so";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match host().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            if let Some(fault) = fault(&*error) {
                eprintln!("{}", fault.remedy());
            }
            ExitCode::FAILURE
        }
    }
}

/// What a source says of a database that did not do it.
fn fault(error: &(dyn std::error::Error + 'static)) -> Option<SqlFault> {
    error.downcast_ref::<PortError>().and_then(SqlFault::of)
}

async fn host() -> Outcome<()> {
    let arguments = std::env::args_os().skip(1);
    let arguments: Vec<String> = arguments
        .map(|argument| {
            argument
                .into_string()
                .map_err(|_| "an argument is not UTF-8")
        })
        .collect::<Result<_, _>>()?;
    if arguments.is_empty() {
        return demonstrate().await;
    }
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    if flag("--help") || flag("-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let known = ["--identity", "--set", "--json", "--yes", "--by-value"];
    if let Some(unknown) = (arguments.iter())
        .find(|argument| argument.starts_with("--") && !known.contains(&argument.as_str()))
    {
        return Err(format!("{unknown} is unknown; there are {}", known.join(", ")).into());
    }
    let identities: Vec<Identifier> = arguments
        .windows(2)
        .filter(|pair| pair[0] == "--identity")
        .map(|pair| identity(&pair[1]))
        .collect::<Outcome<_>>()?;
    let host = Host {
        pool: connect(&arguments[0]).await?,
        json: flag("--json"),
        sure: flag("--yes"),
        by_value: flag("--by-value"),
        wishes: arguments
            .windows(2)
            .filter(|pair| pair[0] == "--set")
            .map(|pair| wish(&pair[1]))
            .collect::<Outcome<_>>()?,
    };
    let command = arguments.get(1).map_or("", String::as_str);
    if command == "draft" {
        return host.draft().await.map(|toml| println!("{toml}"));
    }
    let path = arguments.get(2).ok_or(USAGE)?;
    let map = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let map = match path.ends_with(".json") {
        true => DataMap::from_json(&map)?,
        false => DataMap::from_toml(&map)?,
    };
    if command != "check" && identities.is_empty() {
        return Err("who? --identity KIND=VALUE".into());
    }
    host.run(command, &map, &identities).await
}

async fn connect(url: &str) -> Outcome<SqlPool> {
    Ok(match url.split(':').next() {
        Some("sqlite") => sqlx::SqlitePool::connect(url).await?.into(),
        #[cfg(feature = "sql-postgres")]
        Some("postgres" | "postgresql") => sqlx::PgPool::connect(url).await?.into(),
        #[cfg(feature = "sql-mysql")]
        Some("mysql" | "mariadb") => sqlx::MySqlPool::connect(url).await?.into(),
        _ => return Err("a URL of a database that was compiled in".into()),
    })
}

fn identity(text: &str) -> Outcome<Identifier> {
    let (kind, value) = text.split_once('=').ok_or("--identity KIND=VALUE")?;
    Ok(match kind {
        "mail" | "email" => Identifier::mail(value)?,
        "phone" => Identifier::phone(value)?,
        "account" => Identifier::account(value)?,
        other => Identifier::custom(other.to_owned(), value)?,
    })
}

fn wish(text: &str) -> Outcome<Correction> {
    let parts = text.split_once('=').and_then(|(place, value)| {
        let (table, column) = place.rsplit_once('.')?;
        Some((table, column, value))
    });
    let (collection, field, value) = parts.ok_or("--set TABLE.COLUMN=VALUE")?;
    Ok(Correction {
        collection: collection.to_owned(),
        field: field.to_owned(),
        value: Personal::new(value.to_owned()),
    })
}

/// A bar for rows that are counted, or a wheel for work of which nobody knows the length. Drawn on
/// a terminal only.
fn bar(what: &'static str, rows: Option<u64>) -> Outcome<ProgressBar> {
    let Some(rows) = rows else {
        let wheel = ProgressBar::new_spinner().with_message(what);
        wheel.enable_steady_tick(std::time::Duration::from_millis(100));
        return Ok(wheel);
    };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}")?;
    Ok(ProgressBar::new(rows).with_message(what).with_style(style))
}

/// The context that an engine would give to each call. Each is a request of its own, by the time.
fn context(effect: &str) -> Outcome<CallContext> {
    let now = Utc::now();
    let number = now.timestamp_micros().unsigned_abs();
    let request = RequestId::new(uuid::Uuid::from_u128(number.into()));
    let key = IdempotencyKey(format!("{effect} at {now}"));
    let deadline = Utc::now() + TimeDelta::minutes(10);
    let controller = ControllerId::new("command-line")?;
    Ok(CallContext::new(
        controller,
        request,
        key,
        Fence(1),
        deadline,
    ))
}

fn done<T>(answer: Answer<T>) -> Outcome<T> {
    match answer {
        Answer::Done(done) => Ok(done),
        _ => Err("the source did not do it".into()),
    }
}

struct Host {
    pool: SqlPool,
    json: bool,
    sure: bool,
    by_value: bool,
    wishes: Vec<Correction>,
}

impl Host {
    /// A proposed map; what was guessed stands in comments.
    async fn draft(&self) -> Outcome<String> {
        let draft = DataMap::draft(&self.pool.catalogue().await?);
        let guess = |guess: &datarights::datamap::Guess| {
            let member = guess.member.as_ref().map(|member| format!(".{member}"));
            let (table, member) = (&guess.table, member.unwrap_or_default());
            format!("# {table}{member}: {}\n", guess.said)
        };
        let guesses: String = draft.guesses.iter().map(guess).collect();
        Ok(format!("{guesses}\n{}", draft.map.to_toml()?))
    }

    async fn run(&self, command: &str, map: &DataMap, who: &[Identifier]) -> Outcome<()> {
        if command == "check" {
            map.check(&self.pool.catalogue().await?)?;
            self.told(
                "the map describes the whole database",
                &json!({ "problems": [] }),
            );
            return Ok(());
        }
        let mut options = SqlSourceOptions::new(SourceId::new("database")?, "Database");
        options.by_value = self.by_value;
        let clock = Arc::new(SystemClock);
        let source = SqlSource::open(self.pool.clone(), map, clock, options).await?;
        let accepts = source.describe().accepts;
        if let Some(other) = who.iter().find(|one| !accepts.contains(&one.kind())) {
            let known: Vec<String> = accepts.iter().map(|kind| json!(kind).to_string()).collect();
            let (kind, known) = (json!(other.kind()), known.join(", "));
            return Err(format!("the map finds nobody by {kind}, but by: {known}").into());
        }
        let searching = bar("searching", None)?;
        let found = done(source.locate(&context("find")?, who).await?)?;
        searching.finish_and_clear();
        if found.locators.is_empty() {
            self.told("nobody was found", &json!([]));
            return Ok(());
        }
        match command {
            "find" => {
                self.found(&found)?;
                if self.by_value {
                    let searching = bar("searching by value", None)?;
                    let context = context("search")?;
                    let values = source.search_by_value(&context, &found.locators).await?;
                    searching.finish_and_clear();
                    self.found_by_value("found by value", &values)?;
                }
                Ok(())
            }
            "plan" => {
                self.planned(&plan(&source, &found, &Work::Erase).await?)?;
                if self.by_value {
                    let context = context("foresee")?;
                    let values = source.foresee_by_value(&context, &found.locators).await?;
                    self.found_by_value("would be left", &values)?;
                }
                Ok(())
            }
            "rectify" => self.rectify(&source, &found).await,
            "export" => export(&source, &found).await,
            "erase" => {
                let plan = plan(&source, &found, &Work::Erase).await?;
                self.planned(&plan)?;
                if !self.may_write() {
                    return Ok(());
                }
                let erasing = bar("erasing", None)?;
                let effect = context("erase")?;
                let erased = source.erase(&effect, &found.locators, &plan).await?;
                let erased = done(erased)?;
                let left = source.residue(&context("search")?, &found.locators).await?;
                let left = done(left)?;
                erasing.finish_and_clear();
                let (rows, depth) = (json!(left.rows), json!(left.depth));
                let text = format!(
                    "erased: {}\nleft:   {rows}\nsearched: {depth}",
                    json!(erased)
                );
                self.told(
                    &text,
                    &json!({ "erased": erased, "left": rows, "searched": depth }),
                );
                if !left.rows.is_empty() {
                    return Err("something is left; erase again".into());
                }
                Ok(())
            }
            _ => Err(USAGE.into()),
        }
    }

    fn found(&self, found: &Located) -> Outcome<()> {
        if self.json {
            println!("{}", serde_json::to_string(&found.rows)?);
            return Ok(());
        }
        for count in &found.rows {
            println!("{:>8}  {}", count.rows, count.collection);
        }
        Ok(())
    }

    fn found_by_value(&self, title: &str, values: &FoundByValue) -> Outcome<()> {
        if self.json {
            println!("{}", serde_json::to_string(values)?);
            return Ok(());
        }
        println!("{title}, in {} tables:", values.tables);
        for count in &values.rows {
            println!("{:>8}  {}", count.rows, count.collection);
        }
        for kind in &values.not_looked_for {
            println!("an identifier of this kind cannot be told from chance: {kind:?}");
        }
        Ok(())
    }

    fn planned(&self, plan: &SourcePlan) -> Outcome<()> {
        let shown = ShownPlan::new(plan);
        match self.json {
            true => println!("{}", serde_json::to_string(&shown)?),
            false => print!("{shown}"),
        }
        Ok(())
    }

    fn may_write(&self) -> bool {
        if !self.sure {
            eprintln!("nothing was done; add --yes to do it");
        }
        self.sure
    }

    /// What was done, for people or for machines.
    fn told(&self, text: &str, json: &serde_json::Value) {
        match self.json {
            true => println!("{json}"),
            false => println!("{text}"),
        }
    }

    async fn rectify(&self, source: &SqlSource, found: &Located) -> Outcome<()> {
        if self.wishes.is_empty() {
            return Err("--set TABLE.COLUMN=VALUE".into());
        }
        let work = Work::Rectify(self.wishes.clone());
        let plan = plan(source, found, &work).await?;
        self.planned(&plan)?;
        if plan.rows.is_empty() {
            return Err("nothing of that is there to be corrected".into());
        }
        if !self.may_write() {
            return Ok(());
        }
        let effect = context("rectify")?;
        let rows = source
            .rectify(&effect, &found.locators, &self.wishes)
            .await?;
        let rows = json!(done(rows)?);
        self.told(&format!("corrected: {rows}"), &json!({ "corrected": rows }));
        Ok(())
    }
}

async fn plan(source: &SqlSource, found: &Located, work: &Work) -> Outcome<SourcePlan> {
    let planning = bar("planning", None)?;
    let context = context("plan")?;
    let plan = source.plan(&context, &found.locators, work).await?;
    planning.finish_and_clear();
    done(plan)
}

/// One line of JSON for each row.
async fn export(source: &SqlSource, found: &Located) -> Outcome<()> {
    let mut items = done(source.read(&context("read")?, &found.locators).await?)?;
    let (mut name, mut columns) = (String::new(), Vec::new());
    let reading = bar(
        "reading",
        Some(found.rows.iter().map(|count| count.rows).sum()),
    )?;
    while let Some(item) = items.next().await {
        match item? {
            Item::Collection(collection) => {
                columns = collection.columns.into_iter().map(|c| c.name).collect();
                name = collection.name;
            }
            Item::Row(cells) => {
                let mut row = serde_json::Map::new();
                for (column, cell) in columns.iter().zip(cells) {
                    let value = match cell {
                        Cell::Value(value) => plain(value),
                        Cell::File(file) => {
                            let content: Vec<u8> = file.content.try_concat().await?;
                            json!({ "file": file.name, "bytes": content.len() })
                        }
                    };
                    row.insert(String::clone(column), value);
                }
                reading.inc(1);
                reading.suspend(|| println!("{}", json!({ "collection": name, "row": row })));
            }
            Item::Withheld(kept) => {
                reading.inc(kept.rows);
                reading.suspend(|| println!("{}", json!({ "withheld": kept })));
            }
        }
    }
    reading.finish_and_clear();
    Ok(())
}

/// A value as JSON has it; bytes by their number, and a secret by its name alone.
fn plain(value: Value) -> serde_json::Value {
    match value {
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Decimal(text) | Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({ "bytes": bytes.len() }),
        Value::Date(day) => json!(day),
        Value::Time(instant) => json!(instant),
        Value::Secret => json!({ "secret": true }),
        _ => json!(null),
    }
}

/// The shop of `docs/describe-a-database.md`.
const SHOP: &str = include_str!("../docs/describe-a-database/shop.sql");
const MAP: &str = include_str!("../docs/describe-a-database/shop.toml");

async fn demonstrate() -> Outcome<()> {
    let name = format!("datarights-shop-{}.sqlite", std::process::id());
    let path = std::env::temp_dir().join(name);
    let pool = connect(&format!("sqlite:{}?mode=rwc", path.display())).await?;
    if let SqlPool::Sqlite(pool) = &pool {
        sqlx::raw_sql(SHOP).execute(pool).await?;
        // One that is still to be kept, whenever this runs.
        let recent = "INSERT INTO invoices VALUES (4, 2, date('now'), 20)";
        sqlx::raw_sql(recent).execute(pool).await?;
    }
    let mut host = Host {
        pool,
        json: false,
        sure: true,
        by_value: false,
        wishes: vec![wish("customers.last_name=King")?],
    };
    println!("── draft: what names and keys give away\n");
    for line in host.draft().await?.lines().take(8) {
        println!("{line}");
    }
    println!("…");
    let map = DataMap::from_toml(MAP)?;
    let ada = [identity("mail=Ada@Example.org")?];
    host.by_value = true;
    println!("\n── find --by-value\n");
    host.run("find", &map, &ada).await?;
    host.by_value = false;
    for command in [
        "check", "find", "export", "rectify", "plan", "erase", "find",
    ] {
        println!("\n── {command}\n");
        host.run(command, &map, &ada).await?;
    }
    host.json = true;
    println!("\n── a column that nobody described\n");
    if let SqlPool::Sqlite(pool) = &host.pool {
        let added = "ALTER TABLE customers ADD COLUMN passport TEXT";
        sqlx::raw_sql(added).execute(pool).await?;
        match host.run("check", &map, &[]).await {
            Ok(()) => return Err("the new column was not seen".into()),
            Err(problems) => println!("{problems}"),
        }
        pool.close().await;
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
