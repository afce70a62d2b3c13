//! The tables: what they look like, how older ones are brought up to date, whose they are.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _};

use crate::model::Digest;
use crate::ports::StoreError;

use super::error::store_error;
use super::{begin, end};

/// Every step from nothing to the present tables; `{s}` stands for the schema. Steps are never
/// changed, only added.
///
/// Instants are microseconds since 1970. `request.claim_at` is the instant from which a request may
/// be claimed: its index makes `claim` and `next_wake` one look into a tree, leases included, and
/// holds only requests with something to do. Names are compared byte by byte (`COLLATE "C"`), so
/// that a new collation library on the server does not break an index.
const MIGRATIONS: &[&str] = &[
    r#"
CREATE TABLE {s}.request (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- also the order of creation
    controller TEXT COLLATE "C" NOT NULL,
    request UUID NOT NULL,
    version BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    head BYTEA NOT NULL,
    wake_at BIGINT,
    due_at BIGINT,
    open BOOLEAN NOT NULL,
    fence BIGINT,                                       -- NULL when no lease is held
    lease_until BIGINT,
    worker TEXT,
    claim_at BIGINT GENERATED ALWAYS AS
        (CASE WHEN wake_at IS NOT NULL THEN greatest(wake_at, lease_until) END) STORED,
    agenda BYTEA NOT NULL,
    state BYTEA NOT NULL,
    UNIQUE (controller, request)
);
-- Said in another way than below, so that no planner walks through everybody's entries in search of
-- one controller's: whoever asks for one does not speak of wake_at.
CREATE INDEX request_claim ON {s}.request (claim_at) WHERE wake_at IS NOT NULL;
CREATE INDEX request_claim_of ON {s}.request (controller, claim_at) WHERE claim_at IS NOT NULL;
CREATE INDEX request_due ON {s}.request (controller, due_at) WHERE open AND due_at IS NOT NULL;
CREATE INDEX request_open ON {s}.request (controller, request) WHERE open;

CREATE TABLE {s}.event (
    request BIGINT NOT NULL REFERENCES {s}.request ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (request, sequence)
);

CREATE TABLE {s}.person (
    digest BYTEA NOT NULL,
    request BIGINT NOT NULL REFERENCES {s}.request ON DELETE CASCADE,
    PRIMARY KEY (digest, request)
);
CREATE INDEX person_of ON {s}.person (request);

CREATE TABLE {s}.part (
    request BIGINT NOT NULL REFERENCES {s}.request ON DELETE CASCADE,
    part BYTEA NOT NULL,                                -- a name; a text holds no zero byte
    chunk BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (request, part, chunk)
);

CREATE TABLE {s}.lock (
    controller TEXT COLLATE "C" NOT NULL,
    key BYTEA NOT NULL,
    request BIGINT NOT NULL REFERENCES {s}.request ON DELETE CASCADE,
    exclusive BOOLEAN NOT NULL,
    PRIMARY KEY (key, controller, request)
);
CREATE INDEX lock_of ON {s}.lock (request);

-- One for all requests: a fence never comes twice, not even for an id used again.
CREATE SEQUENCE {s}.fence;
"#,
    r#"
ALTER TABLE {s}.request ADD COLUMN mark SMALLINT;       -- NULL when there is nothing to know
CREATE INDEX request_marked ON {s}.request (controller, mark, request) WHERE mark IS NOT NULL;
"#,
    r#"
-- When it was written last, by the server's clock: for the archive alone.
ALTER TABLE {s}.request ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE {s}.request ADD COLUMN archived BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX request_closed ON {s}.request (changed_at) WHERE NOT open AND NOT archived;

-- What a closed request weighs. Its row, and by whom it is found, stay where they are.
CREATE TABLE {s}.archived_request (
    request BIGINT PRIMARY KEY REFERENCES {s}.request ON DELETE CASCADE,
    agenda BYTEA NOT NULL,
    state BYTEA NOT NULL
);
CREATE TABLE {s}.archived_event (
    request BIGINT NOT NULL REFERENCES {s}.request ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (request, sequence)
);
CREATE TABLE {s}.archived_part (
    request BIGINT NOT NULL REFERENCES {s}.request ON DELETE CASCADE,
    part BYTEA NOT NULL,
    chunk BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (request, part, chunk)
);
"#,
];

/// The schema this release writes.
pub(super) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// A schema's name that needs no escaping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SchemaName(String);

impl SchemaName {
    pub(super) fn new(name: &str) -> Result<Self, StoreError> {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if begins && name.len() <= 63 && name.chars().all(rest) && !name.starts_with("pg_") {
            return Ok(Self(name.to_owned()));
        }
        Err(StoreError::Malformed(
            "a schema's name has 1 to 63 of a-z 0-9 _ and begins with no digit",
        ))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Puts the name in the place of every `{s}`.
    pub(super) fn within(&self, sql: &str) -> String {
        sql.replace("{s}", &format!("\"{}\"", self.0))
    }

    /// A number for advisory locks that no other schema, and hardly another application, uses.
    pub(super) fn lock_key(&self, what: &[&[u8]]) -> i64 {
        let mut bytes = b"datarights\0".to_vec();
        for piece in std::iter::once(&self.0.as_bytes()).chain(what) {
            bytes.extend_from_slice(piece);
            bytes.push(0);
        }
        let mut first = [0; 8];
        first.copy_from_slice(&Digest::of(&bytes).as_bytes()[..8]);
        i64::from_be_bytes(first)
    }
}

/// The steps as SQL text, each with the line that records it.
pub(super) fn migrations(schema: &SchemaName) -> Vec<String> {
    let first = "CREATE SCHEMA IF NOT EXISTS {s};\n\
         CREATE TABLE {s}.schema_version (version INTEGER NOT NULL);\n\
         INSERT INTO {s}.schema_version VALUES (0);\n";
    (1..=KNOWN)
        .zip(MIGRATIONS)
        .map(|(number, step)| {
            let begin = if number == 1 { first } else { "" };
            let end = format!("UPDATE {{s}}.schema_version SET version = {number};\n");
            schema.within(&[begin, step, &end].concat())
        })
        .collect()
}

/// Who sees which rows, as SQL text: those of the controller that the session names.
pub(super) fn row_level_security(schema: &SchemaName) -> String {
    // Asked of what is inserted, by a function that sees what the same statement has written.
    let mut sql = "CREATE FUNCTION {s}.is_visible(request BIGINT) RETURNS BOOLEAN\n\
         LANGUAGE sql VOLATILE AS\n\
         'SELECT EXISTS (SELECT FROM {s}.request r WHERE r.id = $1)';\n"
        .to_owned();
    for table in ["request", "lock"] {
        sql += &format!(
            "ALTER TABLE {{s}}.{table} ENABLE ROW LEVEL SECURITY;\n\
             CREATE POLICY one_controller ON {{s}}.{table}\n\
             USING (controller = current_setting('datarights.controller', true));\n"
        );
    }
    for table in [
        "event",
        "person",
        "part",
        "archived_request",
        "archived_event",
        "archived_part",
    ] {
        sql += &format!(
            "ALTER TABLE {{s}}.{table} ENABLE ROW LEVEL SECURITY;\n\
             CREATE POLICY one_controller ON {{s}}.{table}\n\
             USING (EXISTS (SELECT FROM {{s}}.request r WHERE r.id = {table}.request))\n\
             WITH CHECK ({{s}}.is_visible(request));\n"
        );
    }
    schema.within(&sql)
}

/// Brings the tables up to date. Changes nothing where they are.
pub(super) async fn open(pool: &PgPool, schema: &SchemaName) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await.map_err(|e| store_error(&e))?;
    if judge(&mut connection, schema).await? == KNOWN {
        return Ok(());
    }
    let mut transaction = begin(&mut connection).await?;
    let migrated = migrate(&mut transaction, schema).await;
    end(transaction, migrated).await
}

async fn migrate(connection: &mut PgConnection, schema: &SchemaName) -> Result<(), StoreError> {
    // Judged again when it is this process's turn: another may have migrated meanwhile.
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(schema.lock_key(&[b"migrate"]))
        .execute(&mut *connection)
        .await
        .map_err(|error| store_error(&error))?;
    let found = judge(connection, schema).await?;
    for step in migrations(schema).into_iter().skip(found as usize) {
        sqlx::raw_sql(AssertSqlSafe(step))
            .execute(&mut *connection)
            .await
            .map_err(|error| store_error(&error))?;
    }
    Ok(())
}

/// The number of the tables' schema, 0 where there is nothing; or why it is none of ours.
async fn judge(connection: &mut PgConnection, schema: &SchemaName) -> Result<u32, StoreError> {
    let things = "SELECT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid
             AND c.relname = 'schema_version'),
         EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid)
         FROM pg_namespace n WHERE n.nspname = $1";
    let row = sqlx::query(things)
        .bind(schema.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| store_error(&error))?;
    let Some(row) = row else {
        return Ok(0);
    };
    let numbered: bool = row.try_get(0).map_err(|error| store_error(&error))?;
    let anything: bool = row.try_get(1).map_err(|error| store_error(&error))?;
    if !numbered {
        return if anything {
            Err(StoreError::Corrupt("the schema is another application's"))
        } else {
            Ok(0)
        };
    }
    let select = schema.within("SELECT version FROM {s}.schema_version");
    let version: i32 = sqlx::query_scalar(AssertSqlSafe(select))
        .fetch_one(connection)
        .await
        .map_err(|error| store_error(&error))?;
    let found = u32::try_from(version)
        .map_err(|_| StoreError::Corrupt("the schema's number is negative"))?;
    if found > KNOWN {
        let known = KNOWN;
        return Err(StoreError::UnknownSchema { found, known });
    }
    Ok(found)
}
