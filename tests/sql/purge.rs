//! Canaries in the bytes of a SQLite database: after an erasure that says *purged*, none is left in
//! any file; where one may be left, it does not say so.

use std::path::Path;

use datarights::adapters::{SqlSource, SqlSourceOptions};
use datarights::datamap::{Column, DataMap, Link, Table};
use datarights::model::{Assurance, Category, IdentifierKind};
use datarights::ports::PersonalDataSource as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::{clock, options};

const MAIL: &str = "canary@example.org";
const TEXT: &str = "canary-in-a-text-7f3a";
const BLOB: &str = "canary-in-a-blob-19c4";

fn map() -> DataMap {
    let mail = Column::of(Category::Contact).identifies(IdentifierKind::Mail);
    DataMap::new()
        .table("people", Table::people().column("mail", mail))
        .table(
            "letters",
            Table::new()
                .link("person", Link::rows(["person"], "people"))
                .column("body", Column::of(Category::Correspondence))
                .column("scan", Column::of(Category::Correspondence)),
        )
        .exempt_columns("*", ["id"], "a number of ours")
}

async fn pool(path: &Path, overwrites: bool, journal: SqliteJournalMode) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(journal)
        .pragma("temp_store", "MEMORY")
        .pragma("secure_delete", if overwrites { "ON" } else { "OFF" });
    let pool = SqlitePoolOptions::new().max_connections(2);
    pool.connect_with(options).await.unwrap()
}

/// One person with letters of all sizes, among others with the like.
async fn fill(pool: &SqlitePool) {
    let statements = format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT UNIQUE);
         CREATE TABLE letters (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people, body TEXT, scan BLOB);
         CREATE INDEX bodies ON letters (body);
         WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 50)
         INSERT INTO people SELECT n, CASE WHEN n = 25 THEN '{MAIL}' ELSE 'p' || n || '@example.org' END FROM n;
         WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 600)
         INSERT INTO letters SELECT n, n % 50 + 1, CASE WHEN n % 50 = 24 THEN '{TEXT}' ELSE 'a text' END || n,
           CAST(CASE WHEN n % 50 = 24 THEN '{BLOB}' ELSE 'a blob' END || hex(zeroblob(n * 20)) AS BLOB) FROM n;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(pool)
        .await
        .unwrap();
}

/// Which canaries stand in which files.
fn canaries(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for canary in [MAIL, TEXT, BLOB] {
            let here = bytes.windows(canary.len()).any(|w| w == canary.as_bytes());
            if here {
                found.push(format!("{canary} in {:?}", path.extension().unwrap()));
            }
        }
    }
    found
}

async fn erased(folder: &Path, overwrites: bool, journal: SqliteJournalMode) -> Assurance {
    erased_with(folder, overwrites, journal, options()).await
}

async fn erased_with(
    folder: &Path,
    overwrites: bool,
    journal: SqliteJournalMode,
    options: SqlSourceOptions,
) -> Assurance {
    let pool = pool(&folder.join("canary.sqlite"), overwrites, journal).await;
    fill(&pool).await;
    let map = map();
    let source = SqlSource::open(pool.clone(), &map, clock(), options.purging());
    let source = source.await.unwrap();
    assert_eq!(source.describe().assurance, Assurance::Purged);
    assert_ne!(canaries(folder), [""; 0]);
    crate::erase(&source, MAIL).await.assurance
}

#[tokio::test]
async fn what_is_purged_stands_in_no_file() {
    for journal in [
        SqliteJournalMode::Wal,
        SqliteJournalMode::Delete,
        SqliteJournalMode::Truncate,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let assurance = erased(folder.path(), true, journal).await;
        assert_eq!(assurance, Assurance::Purged, "{journal:?}");
        assert_eq!(canaries(folder.path()), [""; 0], "{journal:?}");
    }
}

#[tokio::test]
async fn what_is_purged_after_the_last_chunk_stands_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let chunks = options().in_chunks_of(5.try_into().unwrap());
    let assurance = erased_with(folder.path(), true, SqliteJournalMode::Wal, chunks).await;
    assert_eq!(assurance, Assurance::Purged);
    assert_eq!(canaries(folder.path()), [""; 0]);
}

#[tokio::test]
async fn what_may_be_left_is_not_called_purged() {
    let folder = tempfile::tempdir().unwrap();
    let assurance = erased(folder.path(), false, SqliteJournalMode::Wal).await;
    assert_eq!(assurance, Assurance::Deleted);
    assert_ne!(
        canaries(folder.path()),
        [""; 0],
        "the canaries cannot be seen at all"
    );
    let folder = tempfile::tempdir().unwrap();
    let assurance = erased(folder.path(), true, SqliteJournalMode::Persist).await;
    assert_eq!(assurance, Assurance::Deleted);
}

#[tokio::test]
async fn a_reader_keeps_the_log_and_the_answer_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("canary.sqlite");
    let host = pool(&path, true, SqliteJournalMode::Wal).await;
    fill(&host).await;
    let mut reader = host.begin().await.unwrap();
    let read = "SELECT count(*) FROM letters";
    sqlx::query(read).fetch_one(&mut *reader).await.unwrap();
    let impatient = (*host.connect_options()).clone();
    let impatient = impatient.busy_timeout(std::time::Duration::ZERO);
    let pool = SqlitePool::connect_with(impatient).await.unwrap();
    let map = map();
    let source = SqlSource::open(pool, &map, clock(), options().purging());
    let erased = crate::erase(&source.await.unwrap(), MAIL).await;
    assert_eq!(erased.assurance, Assurance::Deleted);
    reader.rollback().await.unwrap();
}

/// Canaries in files that are open and have no name: SQLite's temporary ones.
#[cfg(target_os = "linux")]
fn canaries_in_temporary_files() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let named = open.filter_map(|file| Some((file.path(), std::fs::read_link(file.path()).ok()?)));
    let temporary = named.filter(|(_, name)| name.to_string_lossy().contains("etilqs"));
    let bytes = temporary.filter_map(|(path, _)| std::fs::read(path).ok());
    let canary = |bytes: Vec<u8>| bytes.windows(MAIL.len()).any(|w| w == MAIL.as_bytes());
    bytes.filter(|bytes| canary(bytes.clone())).count()
}

/// Keys can be personal, and sets of keys lie in temporary tables.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_key_stays_in_a_temporary_file() {
    for (temporary, assurance) in [("FILE", Assurance::Deleted), ("MEMORY", Assurance::Purged)] {
        let folder = tempfile::tempdir().unwrap();
        let options_of_pool = SqliteConnectOptions::new()
            .filename(folder.path().join("canary.sqlite"))
            .create_if_missing(true)
            .pragma("temp_store", temporary)
            .pragma("secure_delete", "ON");
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect_with(options_of_pool).await.unwrap();
        let made = format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE);
             CREATE TABLE hits (mail TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (mail, n));
             INSERT INTO people VALUES (1, '{MAIL}'), (2, 'b@example.org');
             WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 40000)
             INSERT INTO hits SELECT '{MAIL}', n FROM n;"
        );
        let made = sqlx::AssertSqlSafe(made);
        sqlx::raw_sql(made).execute(&pool).await.unwrap();
        let mail = || Column::of(Category::Contact).identifies(IdentifierKind::Mail);
        let by_mail = Link::identifier("mail", IdentifierKind::Mail).in_normal_form();
        let map = DataMap::new()
            .table("people", Table::people().column("mail", mail()))
            .table(
                "hits",
                Table::new()
                    .link("mail", by_mail)
                    .column("mail", Column::of(Category::Contact)),
            )
            .exempt_columns("*", ["id", "n"], "numbers of ours");
        let source = SqlSource::open(pool.clone(), &map, clock(), options().purging());
        let erased = crate::erase(&source.await.unwrap(), MAIL).await;
        assert_eq!(erased.assurance, assurance, "{temporary}");
        if assurance == Assurance::Purged {
            assert_eq!(canaries(folder.path()), [""; 0]);
            assert_eq!(canaries_in_temporary_files(), 0);
        } else {
            assert_ne!(canaries_in_temporary_files(), 0, "it cannot be seen at all");
        }
        pool.close().await;
    }
}
