//! What needs the inside of the store: how the database carries the statements out when years of
//! closed requests have piled up.

use sqlx::{AssertSqlSafe, Row as _};

use super::*;

#[path = "../../../tests/postgres_support/mod.rs"]
mod postgres_support;
use postgres_support::with_database;

/// 200,000 requests of ten controllers with what belongs to them. Of each hundred, `{open}` are open
/// and twice as many have a deadline.
const REQUESTS: &str = r#"
INSERT INTO datarights.request (controller, request, version, sequence, head, wake_at, due_at, open,
    lease_until, agenda, state)
SELECT 'controller-' || n % 10, md5(n::text)::uuid, 1, 1, '\x00',
    CASE WHEN n / 10 % 100 < {open} THEN n END, CASE WHEN n / 10 % 100 < 2 * {open} THEN n END,
    n / 10 % 100 < {open},
    CASE WHEN n % 3 = 0 THEN n + 1000 END, '\x00', '\x00'
FROM generate_series(1, 200000) n;
INSERT INTO datarights.event SELECT id, 1, '\x00', '\x00' FROM datarights.request;
INSERT INTO datarights.person SELECT decode(md5(id::text), 'hex'), id FROM datarights.request;
INSERT INTO datarights.part SELECT id, '\x61', 0, '\x00' FROM datarights.request WHERE id % 4 = 0;
INSERT INTO datarights.lock SELECT controller, decode(md5(id::text), 'hex'), id, true
    FROM datarights.request WHERE open;
INSERT INTO datarights.archived_event SELECT id, 0, '\x00', '\x00' FROM datarights.request;
INSERT INTO datarights.archived_request SELECT id, '\x00', '\x00' FROM datarights.request;
INSERT INTO datarights.archived_part SELECT id, '\x61', 0, '\x00' FROM datarights.request;
ANALYZE;
"#;

/// Which index finds the rows of a statement.
const FOUND_BY: &[(&str, &str)] = &[
    ("claim", "request_claim"),
    ("claim_of", "request_claim_of"),
    ("next_wake", "request_claim"),
    ("next_wake_of", "request_claim_of"),
    ("due", "request_due"),
    ("open", "request_open"),
    ("open_after", "request_open"),
    ("claim_few", "request_claim"),
    ("claim_of_few", "request_claim_of"),
    ("due_few", "request_due"),
    ("archive", "request_closed"),
    ("marked", "request_marked"),
    ("marked_after", "request_marked"),
    ("count_open", "request_open"),
    ("count_due", "request_due"),
    ("count_marked", "request_marked"),
    ("find", "person_pkey"),
    ("load", "request_controller_request_key"),
    ("blocking", "lock_pkey"),
];

/// The plan of a prepared statement, for values that are not known or for these.
async fn plan(connection: &mut PgConnection, mode: &str, sql: &str, values: &str) -> String {
    let explain = format!(
        "SET plan_cache_mode = force_{mode}_plan; PREPARE probe AS {sql};
         EXPLAIN EXECUTE probe {values}"
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(explain))
        .fetch_all(&mut *connection)
        .await
        .expect("a plan");
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    sqlx::raw_sql("DEALLOCATE probe")
        .execute(connection)
        .await
        .expect("forgets");
    lines.join("\n")
}

#[test]
fn no_statement_reads_a_whole_table_when_years_have_piled_up() {
    no_statement_reads_a_whole_table("1");
}

#[test]
fn no_statement_reads_a_whole_table_when_all_are_open() {
    no_statement_reads_a_whole_table("100");
}

fn no_statement_reads_a_whole_table(open: &str) {
    with_database(async |database| {
        let pool = database.pool().await;
        let store = PostgresStore::open(pool.clone()).await.expect("opens");
        database.run(&REQUESTS.replace("{open}", open)).await;
        let mut connection = pool.acquire().await.expect("a connection");
        for (name, sql) in store.sql.all() {
            let sql = sql.as_str();
            let count = (1..).take_while(|n| sql.contains(&format!("${n}"))).count();
            let values = match count {
                0 => String::new(),
                count => format!("({})", vec!["NULL"; count].join(", ")),
            };
            let plan = plan(&mut connection, "generic", sql, &values).await;
            assert!(!plan.contains("Seq Scan"), "{name}\n{plan}");
            // A claim sorts the few that it found, by their place; a history, what one request has.
            let sorts = plan.matches("Sort Key").count();
            let may = name.starts_with("claim") || ["find", "create", "history"].contains(&name);
            assert!(sorts <= usize::from(may), "{name}\n{plan}");
            if let Some((_, index)) = FOUND_BY.iter().find(|(found, _)| *found == name) {
                let mut found = plan.contains(&format!("using {index} "));
                // A count needs no order: it may collect the places first.
                if name.starts_with("count") {
                    found |= plan.contains(&format!("Bitmap Index Scan on {index} "));
                }
                assert!(found, "{name}\n{plan}");
            }
        }
        // The same with the values known, as for the first calls of a connection.
        let id = "'c4ca4238-a0b9-2382-0dcc-509a6f75849b'";
        for (name, values) in [
            ("claim", "(150000, 16, 200000, 'w')"),
            (
                "claim",
                "(9223372036854775807, 9223372036854775807, 1, 'w')",
            ),
            ("claim_of", "(150000, 16, 200000, 'w', 'controller-0')"),
            ("due", "('controller-0', 150000, 100)"),
            ("open", "('controller-0', 100)"),
            ("find", "('controller-0', '\\x01')"),
            ("load", &format!("('controller-1', {id})")),
        ] {
            let all = store.sql.all();
            let found = all.iter().find(|(other, _)| *other == name);
            let (_, sql) = found.expect("a statement");
            let plan = plan(&mut connection, "custom", sql.as_str(), values).await;
            assert!(!plan.contains("Seq Scan"), "{name} {values}\n{plan}");
        }
        drop(connection);
        // Looking at them works on rows, not on plans only.
        let (now, worker) = (DateTime::UNIX_EPOCH, WorkerId("w".to_owned()));
        let now = now + chrono::TimeDelta::microseconds(150_000);
        let claims = store.claim(None, &worker, now, now, 16).await;
        assert_eq!(claims.expect("claims").len(), 16);
    });
}

#[test]
fn an_index_for_work_holds_open_requests_only() {
    with_database(async |database| {
        let pool = database.pool().await;
        PostgresStore::open(pool.clone()).await.expect("opens");
        database.run(&REQUESTS.replace("{open}", "1")).await;
        let rows = sqlx::query(
            "SELECT relname::text, reltuples::bigint FROM pg_class WHERE relname IN
             ('request_claim', 'request_claim_of', 'request_due', 'request_open')",
        )
        .fetch_all(&pool)
        .await
        .expect("rows");
        assert_eq!(rows.len(), 4);
        for row in rows {
            // An estimate by the server; there are 2,000 or 4,000 of 200,000.
            let (name, entries): (String, i64) = (row.get(0), row.get(1));
            assert!(entries < 10_000, "{name} has {entries} entries");
        }
    });
}
