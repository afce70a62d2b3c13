//! Erasure requests carried from intake to closed, per second, against jobs of as many steps in
//! `underway`, on the same PostgreSQL: eight workers and eight connections each, in turns.
//!
//! A step is what is written durably before the next thing begins: a commit of a request, a step of
//! a job. What a request does in its steps is done in memory (find, plan, check, erase, look again,
//! two letters), so that the figure is of the bookkeeping; the steps of the jobs do nothing at all.
//! A request also seals what identifies the person, keeps every event, takes locks on the person's
//! rows and may be commanded by others at any time; a job does none of that.
//!
//! Makes two databases on the server and drops them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod jobs;
mod requests;

use sqlx::{AssertSqlSafe, PgPool};

const WORKERS: usize = 8;
const TURNS: usize = 3;
/// How many requests, or jobs, a turn has.
const MANY: usize = 300;

/// How one turn went.
struct Turn {
    seconds: f64,
    /// How many durable steps each request or job took.
    steps: f64,
}

fn server() -> String {
    std::env::var("DATARIGHTS_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// The address of a database of our own on the server.
fn database(name: &str) -> String {
    let server = server();
    let (place, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{place}/{name}")
}

async fn fresh(pool: &PgPool, name: &str) {
    gone(pool, name).await;
    run(pool, format!("CREATE DATABASE {name}")).await;
}

async fn gone(pool: &PgPool, name: &str) {
    run(pool, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
}

async fn run(pool: &PgPool, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

fn median(turns: &mut [Turn]) -> f64 {
    turns.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    MANY as f64 / turns[turns.len() / 2].seconds
}

#[tokio::main]
async fn main() {
    const OURS: &str = "datarights_compare_requests";
    const THEIRS: &str = "datarights_compare_jobs";
    let Ok(pool) = PgPool::connect(&server()).await else {
        println!("no PostgreSQL answers (set DATARIGHTS_TEST_POSTGRES to one)");
        return;
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        fresh(&pool, OURS).await;
        let turn = requests::turn(&database(OURS)).await;
        let steps = turn.steps.round() as usize;
        ours.push(turn);
        fresh(&pool, THEIRS).await;
        theirs.push(jobs::turn(&database(THEIRS), steps).await);
    }
    gone(&pool, OURS).await;
    gone(&pool, THEIRS).await;
    let steps = ours[0].steps;
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!("{MANY} of each, {WORKERS} workers, median of {TURNS} turns:");
    println!("  requests, intake to closed  {ours:>8.1} /s   {steps:.1} commits each");
    println!("  jobs of `underway`          {theirs:>8.1} /s   {steps:.0} steps each");
    println!("requests / jobs  {:.2}", ours / theirs);
}
