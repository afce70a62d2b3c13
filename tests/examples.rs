//! Every example that can run by itself runs, and says what it should. And the sources that the
//! quickstart shows keep their contract: they are what people copy.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};

/// The features that this test was built with: what was built for them is not built again.
fn features() -> String {
    let all = [
        ("default", cfg!(feature = "default")),
        ("datamap", cfg!(feature = "datamap")),
        ("icalendar", cfg!(feature = "icalendar")),
        ("metrics", cfg!(feature = "metrics")),
        ("package", cfg!(feature = "package")),
        ("postgres", cfg!(feature = "postgres")),
        ("sql-mysql", cfg!(feature = "sql-mysql")),
        ("sql-postgres", cfg!(feature = "sql-postgres")),
        ("sql-sqlite", cfg!(feature = "sql-sqlite")),
        ("sqlite", cfg!(feature = "sqlite")),
        ("testkit", cfg!(feature = "testkit")),
        ("tokio", cfg!(feature = "tokio")),
        ("tracing", cfg!(feature = "tracing")),
        ("vault", cfg!(feature = "vault")),
    ];
    let on = all.into_iter().filter(|(_, on)| *on).map(|(name, _)| name);
    on.collect::<Vec<_>>().join(",")
}

/// Runs an example to its end.
fn run(example: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "--quiet", "--offline", "--example", example])
        .args(["--no-default-features", "--features", &features(), "--"])
        .args(arguments)
        .output()
        .expect("cargo is there")
}

/// What it printed, if it ended well.
fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[cfg(all(
    feature = "package",
    feature = "sqlite",
    feature = "tokio",
    feature = "vault"
))]
fn the_quickstart_carries_a_person_through_all_four_rights() {
    let output = said(&run("quickstart", &["--clean"]));
    for expected in [
        "attempt 1: wrong code",
        "attempt 2: the code is right",
        "access.zip",
        "export.zip",
        "Nora Lindqvist     →  Nora Lindqvist-Berg",
        "the disputed data is restricted",
        "the plan must be approved by a second member of staff",
        "erasing     help-desk",
        "searching   help-desk    nothing is left",
        "informing   print-shop   confirmed",
        "we keep 1 invoice until 31 December",
        "(Art. 17(3)(b) GDPR)",
        "ACCESS · request",
        "ERASURE · request",
        "answer due",
        "← withheld, as named above",
        "cleaned",
    ] {
        assert!(
            output.contains(expected),
            "{expected:?} is missing in:\n{output}"
        );
    }
    // Only what is named as withheld still names her.
    let naming = output
        .lines()
        .filter(|line| line.contains("← withheld"))
        .collect::<Vec<_>>();
    assert_eq!(naming.len(), 1, "{naming:?}");
    assert!(naming[0].trim_start().starts_with("invoices"), "{naming:?}");
    // It cleans up what it says it cleans up.
    let cleaned = output
        .lines()
        .find_map(|line| line.trim().strip_prefix("cleaned"));
    assert!(!Path::new(cleaned.expect("said above").trim()).exists());
}

#[test]
fn the_deadlines_are_computed_for_every_case() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/law/deadline_vectors.json");
    if !cases.exists() {
        println!("skipped: there are no cases");
        return;
    }
    let cases = cases.to_string_lossy().into_owned();
    let output = said(&run("deadlines", &[&cases]));
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines.len() > 50, "{} lines", lines.len());
    for line in lines {
        let parsed: serde_json::Value = serde_json::from_str(line).expect("one JSON object each");
        assert!(parsed.is_object(), "{line}");
    }
}

#[test]
fn a_deadline_is_not_computed_for_names_that_nobody_knows() {
    let case = |regime: &str, right: &str, compute: &str, policy: &str| {
        serde_json::json!({
            "id": compute, "regime": regime, "right": right, "compute": compute, "policy": policy,
            "received": "2026-03-10T09:00:00+01:00", "timezone": "Europe/Paris",
        })
    };
    // Nobody says which of the two years is meant.
    let mut of_two_years = case(
        "retention_conflicts",
        "retention",
        "fr_com_l123_22",
        "default",
    );
    of_two_years["events"] = serde_json::json!([
        {"type": "fiscal_year_close", "at": "2027-12-31T00:00:00+01:00"},
        {"type": "fiscal_year_close", "at": "2026-12-31T00:00:00+01:00"},
    ]);
    let known = [
        case("us_ca_ccpa", "records", "record_retention_until", "default"),
        case("us_ca_ccpa", "opt_out_sale_sharing", "opt_out", "default"),
        case(
            "retention_conflicts",
            "retention",
            "de_hgb257_letters",
            "default",
        ),
    ];
    let unknown = [
        case("us_ca_ccpa", "foo", "opt_out", "default"),
        case("us_ca_ccpa", "foo", "lookback_start_default", "default"),
        case("us_nj", "foo", "appeal_response", "default"),
        case("us_ct", "foo", "consent_revocation", "default"),
        case(
            "retention_conflicts",
            "retention",
            "de_hgb257_letters",
            "nonsense",
        ),
        of_two_years,
    ];
    let mut unknown = unknown.to_vec();
    // What is no object is no case, whatever stands in it.
    let fields = [
        "eu_gdpr",
        "access",
        "response",
        "2026-03-10T09:00:00Z",
        "UTC",
    ];
    unknown.push(serde_json::json!(fields));
    unknown.push(serde_json::json!(7));
    unknown.push(serde_json::Value::Null);
    for field in ["received", "timezone", "regime", "right", "compute"] {
        let mut without = case("eu_gdpr", "access", "response", "default");
        without[field] = serde_json::Value::Null;
        unknown.push(without);
    }
    // A list that is null says nothing.
    let mut nothing_said = case("eu_gdpr", "access", "response", "default");
    for field in ["events", "weekend", "holidays", "extra_workdays", "policy"] {
        nothing_said[field] = serde_json::Value::Null;
    }
    let mut known = known.to_vec();
    known.push(nothing_said);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unknown_names.json");
    let cases: Vec<_> = known.iter().chain(&unknown).collect();
    std::fs::write(&file, serde_json::to_vec(&cases).expect("JSON")).expect("written");
    let output = said(&run("deadlines", &[&file.to_string_lossy()]));
    for (at, line) in output.lines().enumerate() {
        let failed = line.contains(r#""error""#);
        assert_eq!(failed, at >= known.len(), "{line}");
    }
}

#[cfg(all(
    feature = "package",
    feature = "sqlite",
    feature = "testkit",
    feature = "tokio"
))]
mod sources {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use datarights::law::RetentionDuty;
    use datarights::model::{Correction, Identifier, Personal};
    use datarights::testkit::TestClock;
    use datarights::testkit::source_suite::{Specimen, assert_conforms};

    use crate::db::Db;
    use crate::desk::{self, NORA};
    use crate::desk_source::DeskSource;
    use crate::mail_source::MailSource;
    use crate::sql_oracle::SqlOracle;

    fn correction(field: &str) -> Correction {
        Correction {
            collection: "clients".to_owned(),
            field: field.to_owned(),
            value: Personal::new("Uppsala".to_owned()),
        }
    }

    fn mail(address: &str) -> Vec<Identifier> {
        vec![Identifier::mail(address).unwrap()]
    }

    fn specimen(folder: &tempfile::TempDir, desk: bool) -> Specimen {
        let own = tempfile::tempdir_in(folder.path()).unwrap().keep();
        let (help_desk, mail_log) = (own.join("helpdesk.sqlite"), own.join("mail.sqlite"));
        desk::create(&help_desk, &mail_log, 2026).unwrap();
        let clock = Arc::new(TestClock::at("2026-11-22T09:00:00Z".parse().unwrap()));
        let other = mail("chiara.girard.50@example.org");
        let addresses = format!("'{}', '{}'", NORA.mail, NORA.former_mail);
        if !desk {
            let source = MailSource::new(Db::open(&mail_log).unwrap(), clock).unwrap();
            let hers = format!("sender IN ({addresses}) OR recipient IN ({addresses})");
            let person = vec![("deliveries", hers)];
            let oracle = SqlOracle {
                path: mail_log,
                person,
                ignored: &[],
            };
            let both = [mail(NORA.mail), mail(NORA.former_mail)].concat();
            return Specimen::new(Arc::new(source), Arc::new(oracle), both, other);
        }
        let duty = RetentionDuty::named("fr_com_l123_22").unwrap();
        let source =
            DeskSource::new(Db::open(&help_desk).unwrap(), clock, duty, Vec::new()).unwrap();
        let tickets = format!(
            "ticket_id IN (SELECT id FROM tickets WHERE client_id = {})",
            NORA.id
        );
        let person = vec![
            (
                "attachments",
                format!("message_id IN (SELECT id FROM messages WHERE {tickets})"),
            ),
            ("messages", tickets),
            ("tickets", format!("client_id = {}", NORA.id)),
            ("comments", format!("email IN ({addresses})")),
            ("invoices", format!("client_id = {}", NORA.id)),
            ("addresses", format!("client_id = {}", NORA.id)),
            ("clients", format!("id = {}", NORA.id)),
        ];
        let oracle = SqlOracle {
            path: help_desk,
            person,
            ignored: &["restricted"],
        };
        Specimen::new(Arc::new(source), Arc::new(oracle), mail(NORA.mail), other)
            .withholding("invoices")
            .correcting(correction("city"), correction("password_hash"))
            .hiding(format!("$argon2id${:032x}", NORA.id))
    }

    #[tokio::test]
    async fn the_help_desk_keeps_its_contract() {
        let folder = tempfile::tempdir().unwrap();
        assert_conforms(async || specimen(&folder, true)).await;
    }

    /// Every row of every table of the desk, but what its source notes for itself.
    #[cfg(feature = "sql-sqlite")]
    fn rows(path: &std::path::Path) -> Vec<String> {
        let connection = rusqlite::Connection::open(path).unwrap();
        let mut all = Vec::new();
        for table in [
            "clients",
            "addresses",
            "tickets",
            "messages",
            "attachments",
            "comments",
            "invoices",
            "agents",
        ] {
            let mut statement = connection
                .prepare(&format!("SELECT * FROM {table} ORDER BY id"))
                .unwrap();
            let columns = statement.column_count();
            let found = statement.query_map([], |row| {
                let cells: rusqlite::Result<Vec<rusqlite::types::Value>> =
                    (0..columns).map(|n| row.get(n)).collect();
                Ok(format!("{table} {:?}", cells?))
            });
            all.extend(found.unwrap().map(Result::unwrap));
        }
        all
    }

    /// The map that the guide has for this database finds and erases what 800 lines by hand do, and
    /// keeps, beside invoices, the account that they refer to, emptied.
    #[cfg(feature = "sql-sqlite")]
    #[tokio::test]
    async fn the_help_desk_described_is_erased_as_by_hand() {
        use datarights::adapters::{SqlSource, SqlSourceOptions};
        use datarights::datamap::DataMap;
        use datarights::model::{ControllerId, RequestId, SourceId};
        use datarights::ports::{
            Answer, CallContext, Fence, IdempotencyKey, PersonalDataSource, Work,
        };

        fn done<T>(answer: Answer<T>) -> T {
            match answer {
                Answer::Done(done) => done,
                _ => panic!("not done"),
            }
        }

        let folder = tempfile::tempdir().unwrap();
        let map = include_str!("../docs/describe-a-database/help-desk.toml");
        let map = DataMap::from_toml(map).unwrap();
        let context = |key: &str| {
            CallContext::new(
                ControllerId::new("desk").unwrap(),
                RequestId::new(uuid::Uuid::from_u128(7)),
                IdempotencyKey(key.to_owned()),
                Fence(1),
                chrono::DateTime::UNIX_EPOCH,
            )
        };
        // One with a former address and no invoices, one with both.
        for (who, kept) in [("chiara.eriksen.14@example.org", 0), (NORA.mail, 1)] {
            let mut ends = Vec::new();
            for described in [true, false] {
                let own = tempfile::tempdir_in(folder.path()).unwrap().keep();
                let path = own.join("helpdesk.sqlite");
                desk::create(&path, &own.join("mail.sqlite"), 2026).unwrap();
                let clock = Arc::new(TestClock::at("2026-11-22T09:00:00Z".parse().unwrap()));
                let duty = RetentionDuty::named("fr_com_l123_22").unwrap();
                let db = Db::open(&path).unwrap();
                let before = rows(&path);
                let source: Arc<dyn PersonalDataSource> = if described {
                    let url = format!("sqlite:{}", path.display());
                    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
                    let options = SqlSourceOptions::new(SourceId::new("desk").unwrap(), "Desk");
                    let source = SqlSource::open(pool, &map, clock, options).await;
                    Arc::new(source.unwrap())
                } else {
                    Arc::new(DeskSource::new(db, clock, duty, Vec::new()).unwrap())
                };
                let found = source.locate(&context("l"), &mail(who)).await;
                let found = done(found.unwrap()).locators;
                let plan = source.plan(&context("p"), &found, &Work::Erase).await;
                let (effect, plan) = (context("e"), done(plan.unwrap()));
                let erased = source.erase(&effect, &found, &plan).await;
                done(erased.unwrap());
                let after = rows(&path);
                assert!(after.len() + 10 < before.len());
                ends.push(after);
            }
            let [described, by_hand] = ends.as_slice() else {
                panic!("two ends");
            };
            let more: Vec<_> = described.iter().filter(|r| !by_hand.contains(r)).collect();
            let less: Vec<_> = by_hand.iter().filter(|r| !described.contains(r)).collect();
            assert_eq!(less, Vec::<&String>::new());
            assert_eq!(more.len(), kept, "{more:?}");
            for row in more {
                assert!(row.starts_with("clients "), "{row}");
                let hers = [NORA.name, NORA.mail, NORA.phone, "$argon2"];
                assert!(!hers.iter().any(|mark| row.contains(mark)), "{row}");
            }
        }
    }

    /// What the guide says to type works as it stands.
    #[cfg(feature = "sql-sqlite")]
    #[test]
    fn the_guides_walk_through_the_help_desk_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("helpdesk.sqlite");
        desk::create(&path, &folder.path().join("mail.sqlite"), 2026).unwrap();
        drop(Db::open(&path).unwrap());
        let guide = include_str!("../docs/describe-a-database.md");
        let set = |name: &str| {
            let line = guide.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().to_owned()
        };
        let (map, who) = (set("map="), set("who="));
        let mut lines = 0;
        for line in guide
            .lines()
            .filter_map(|l| l.strip_prefix("sql_host $desk "))
        {
            let command = line.split('#').next().unwrap();
            let command = command.replace("$map", &map).replace("$who", &who);
            let url = format!("sqlite:{}", path.display());
            let arguments: Vec<&str> = std::iter::once(&*url)
                .chain(command.split_whitespace())
                .collect();
            let output = crate::said(&crate::run("sql_host", &arguments));
            assert!(
                !output.is_empty() && !output.contains("nobody was found"),
                "{line}"
            );
            lines += 1;
        }
        assert_eq!(lines, 7);
        let left: i64 = rusqlite::Connection::open(&path)
            .unwrap()
            .query_row(
                "SELECT count(*) FROM tickets WHERE client_id = 21",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn the_mail_log_keeps_its_contract() {
        let folder = tempfile::tempdir().unwrap();
        assert_conforms(async || specimen(&folder, false)).await;
    }
}

macro_rules! of_the_quickstart {
    ($($module:ident $path:literal)+) => {$(
        #[cfg(all(feature = "package", feature = "sqlite", feature = "testkit", feature = "tokio"))]
        #[path = $path]
        #[allow(dead_code, clippy::unwrap_used, reason = "its own program uses more of it")]
        mod $module;
    )+};
}

of_the_quickstart! {
    db "../examples/quickstart/db.rs"
    desk "../examples/quickstart/desk.rs"
    desk_source "../examples/quickstart/desk_source.rs"
    mail_source "../examples/quickstart/mail_source.rs"
    sql_oracle "helpdesk/sql_oracle.rs"
}

#[test]
#[cfg(feature = "testkit")]
fn the_store_of_the_guide_keeps_its_contract() {
    let output = said(&run("redb_store", &[]));
    assert_eq!(output, "every line of the contract holds\n");
}

#[test]
#[cfg(feature = "sql-sqlite")]
fn a_described_database_is_drafted_checked_read_and_erased() {
    let output = said(&run("sql_host", &[]));
    for expected in [
        "# customers.password: a secret, by its name",
        "the map describes the whole database",
        "\"password\":{\"secret\":true}",
        "   1  customers   correct last_name",
        "corrected: [{\"collection\":\"customers\",\"rows\":1}]",
        "rows  collection  what",
        "keep: fr_com_l123_22, until ",
        "left:   []",
        "searched: \"by_path\"",
        "found by value, in 6 tables:\n       1  orders.note\n       1  visits.email\n",
        "customers.passport: the column is not described",
    ] {
        assert!(
            output.contains(expected),
            "{expected:?} is missing in:\n{output}"
        );
    }
    assert!(!output.contains("packed_by") && !output.contains("Eve"));
}

/// Words for people on the one side, documents for machines on the other; what fails says so, and how.
#[test]
#[cfg(all(feature = "sql-sqlite", feature = "sqlite"))]
fn a_database_is_served_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.sqlite");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let made =
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, name TEXT CHECK (name <> ''));
                INSERT INTO people VALUES (1, 'ada@example.org', 'Ada')";
    connection.execute_batch(made).unwrap();
    let map = |erase: &str| {
        let path = folder.path().join("map.toml");
        let text = format!(
            r#"
            schema = 1
            [tables.people]
            person = true
            erase = "columns"
            columns.mail = {{ category = "contact", identifiers = ["mail"], erase = "null" }}
            columns.name = {{ category = "identity", rectify = true, erase = {erase} }}
            [[exempt]]
            table = "people"
            columns = ["id"]
            reason = "numbers"
            "#
        );
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let url = format!("sqlite:{}", path.display());
    let host = |map: &str, rest: &[&str]| {
        let begin = [&url, rest[0], map];
        let arguments: Vec<&str> = begin.iter().chain(&rest[1..]).copied().collect();
        run("sql_host", &arguments)
    };
    let json = |output: &Output| -> Vec<serde_json::Value> {
        let lines = said(output);
        let lines = lines.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("JSON")
    };
    let ada = ["--identity", "mail=Ada@example.org"];
    let refused = host(&map(r#"{ fixed = "" }"#), &["plan", ada[0], ada[1]]);
    assert!(!refused.status.success());
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.starts_with("check_violation at people"), "{error}");
    assert!(
        error.contains("a strategy whose value the check allows"),
        "{error}"
    );

    let map = map(r#""null""#);
    let nobody = ["find", "--identity", "mail=nobody@example.org"];
    assert_eq!(said(&host(&map, &nobody)), "nobody was found\n");
    let anybody = host(&map, &["erase", "--yes"]);
    assert!(!anybody.status.success(), "of nobody in particular");

    let told = json(&host(&map, &["check", "--json"]));
    assert_eq!(told, [serde_json::json!({ "problems": [] })]);
    let set = [
        "rectify",
        ada[0],
        ada[1],
        "--set",
        "people.name=King",
        "--json",
        "--yes",
    ];
    let told = json(&host(&map, &set));
    assert_eq!(told[0]["lines"][0]["what"], "correct");
    assert_eq!(told[1]["corrected"][0]["rows"], 1);
    let erase = ["erase", ada[0], ada[1], "--json"];
    assert_eq!(json(&host(&map, &erase)).len(), 1, "the plan alone");
    let told = json(&host(&map, &["erase", ada[0], ada[1], "--json", "--yes"]));
    assert_eq!(told[0]["lines"][0]["what"], "anonymise");
    assert_eq!(told[1]["left"], serde_json::json!([]));
    let row = "SELECT mail IS NULL AND name IS NULL FROM people";
    let gone: bool = connection.query_row(row, [], |row| row.get(0)).unwrap();
    assert!(gone);
}
