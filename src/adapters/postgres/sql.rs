//! The statements as text, each once, with the schema's name in its place.
//!
//! A write is one statement, so that it needs one round trip and no transaction of its own: what
//! guards it is in its `WHERE`, and what it changes elsewhere hangs on the row that was changed.
//! Where no row was, `GUARD` is asked why.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use super::schema::SchemaName;

macro_rules! statements {
    ($($name:ident = $text:literal;)*) => {
        /// All statements of one schema.
        pub(super) struct Statements {
            $(pub(super) $name: SqlStr,)*
        }

        impl Statements {
            pub(super) fn of(schema: &SchemaName) -> Self {
                // Behind an `Arc`, so that a clone copies no text.
                let sql = |text| AssertSqlSafe(Arc::<str>::from(schema.within(text))).into_sql_str();
                Self { $($name: sql($text),)* }
            }

            /// Every statement under its name, for the test of their plans.
            #[cfg(test)]
            pub(super) fn all(&self) -> Vec<(&'static str, SqlStr)> {
                vec![$((stringify!($name), self.$name.clone()),)*]
            }
        }
    };
}

statements! {
    guard = "SELECT version, sequence, fence FROM {s}.request
        WHERE controller = $1 AND request = $2";

    create = "WITH created AS (
            INSERT INTO {s}.request (controller, request, version, sequence, head,
                wake_at, due_at, open, agenda, state, mark)
            VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $17)
            ON CONFLICT (controller, request) DO NOTHING
            RETURNING id
        ), events AS (
            INSERT INTO {s}.event (request, sequence, digest, bytes)
            SELECT created.id, e.sequence, e.digest, e.bytes FROM created,
                unnest($10::bigint[], $11::bytea[], $12::bytea[]) AS e (sequence, digest, bytes)
        ), people AS (
            INSERT INTO {s}.person (digest, request)
            SELECT DISTINCT p.digest, created.id FROM created, unnest($13::bytea[]) AS p (digest)
        ), parts AS (
            INSERT INTO {s}.part (request, part, chunk, bytes)
            SELECT created.id, p.part, p.chunk, p.bytes FROM created,
                unnest($14::bytea[], $15::bigint[], $16::bytea[]) AS p (part, chunk, bytes)
        )
        SELECT id FROM created";

    commit = "WITH changed AS (
            UPDATE {s}.request SET version = version + 1, sequence = coalesce($6, sequence),
                head = coalesce($7, head), wake_at = $8, due_at = $9, open = $10,
                agenda = $11, state = $12, mark = $17
            WHERE controller = $1 AND request = $2 AND version = $3
                AND ($4::bigint IS NULL OR fence = $4)
                AND ($5::bigint IS NULL OR sequence = $5)
            RETURNING id
        ), events AS (
            INSERT INTO {s}.event (request, sequence, digest, bytes)
            SELECT changed.id, e.sequence, e.digest, e.bytes FROM changed,
                unnest($13::bigint[], $14::bytea[], $15::bytea[]) AS e (sequence, digest, bytes)
        ), unlocked AS (
            DELETE FROM {s}.lock l USING changed WHERE $16 AND l.request = changed.id
        )
        SELECT id FROM changed";

    // In the order they are given, which is the same for everybody: no two wait for each other.
    serialise = "SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k";

    // Of the keys $2, those in $3 are wanted for oneself alone.
    blocking = "SELECT r.request FROM {s}.lock l JOIN {s}.request r ON r.id = l.request
        WHERE l.controller = $1 AND l.key = ANY ($2::bytea[]) AND l.request <> $4
            AND (l.exclusive OR l.key = ANY ($3::bytea[])) LIMIT 1";

    lock = "INSERT INTO {s}.lock AS l (controller, key, request, exclusive)
        SELECT $1, w.key, $4, w.exclusive
        FROM unnest($2::bytea[], $3::boolean[]) AS w (key, exclusive)
        ON CONFLICT (key, controller, request)
        DO UPDATE SET exclusive = l.exclusive OR excluded.exclusive";

    load = "SELECT version, sequence, head, wake_at, due_at, open, agenda, state, mark
        FROM {s}.request WHERE controller = $1 AND request = $2";

    history = "SELECT sequence, digest, bytes FROM {s}.event
        WHERE request = (SELECT id FROM {s}.request WHERE controller = $1 AND request = $2)
            AND sequence > $3
        ORDER BY sequence LIMIT $4";

    find = "SELECT r.request FROM {s}.person p JOIN {s}.request r ON r.id = p.request
        WHERE p.digest = $2 AND r.controller = $1 AND r.open ORDER BY p.request";

    // FOR SHARE, here and below: nobody takes the lease or deletes the request meanwhile.
    put_part = "WITH guarded AS MATERIALIZED (
            SELECT id FROM {s}.request
            WHERE controller = $1 AND request = $2 AND ($3::bigint IS NULL OR fence = $3)
            FOR SHARE
        )
        INSERT INTO {s}.part (request, part, chunk, bytes)
        SELECT id, $4, $5, $6 FROM guarded
        ON CONFLICT (request, part, chunk) DO UPDATE SET bytes = excluded.bytes";

    read_part = "SELECT p.bytes FROM {s}.request r JOIN {s}.part p ON p.request = r.id
        WHERE r.controller = $1 AND r.request = $2 AND p.part = $3 AND p.chunk = $4";

    delete_part = "WITH guarded AS MATERIALIZED (
            SELECT id FROM {s}.request
            WHERE controller = $1 AND request = $2 AND ($3::bigint IS NULL OR fence = $3)
            FOR SHARE
        ), gone AS (
            DELETE FROM {s}.part p USING guarded WHERE p.request = guarded.id AND p.part = $4
        )
        SELECT id FROM guarded";

    delete_parts = "WITH guarded AS MATERIALIZED (
            SELECT id FROM {s}.request
            WHERE controller = $1 AND request = $2 AND ($3::bigint IS NULL OR fence = $3)
            FOR SHARE
        ), gone AS (
            DELETE FROM {s}.part p USING guarded WHERE p.request = guarded.id
        )
        SELECT id FROM guarded";

    // The ids as one array, in order: whatever the planner believes about their number, it reaches
    // the rows by their key. What somebody else is writing to is left to the next call.
    claim = "WITH found AS MATERIALIZED (
            SELECT ARRAY(
                SELECT id FROM {s}.request WHERE wake_at IS NOT NULL AND claim_at <= $1
                ORDER BY claim_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
            ) AS ids
        ), leased AS (
            UPDATE {s}.request SET fence = nextval('{s}.fence'), lease_until = $3, worker = $4
            WHERE id = ANY ((SELECT ids FROM found)::bigint[])
            RETURNING id, controller, request, fence
        )
        SELECT l.controller, l.request, l.fence FROM leased l
        JOIN (SELECT * FROM found, unnest(ids) WITH ORDINALITY AS u (id, place)) f ON f.id = l.id
        ORDER BY f.place";

    claim_of = "WITH found AS MATERIALIZED (
            SELECT ARRAY(
                SELECT id FROM {s}.request WHERE controller = $5 AND claim_at <= $1
                ORDER BY claim_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
            ) AS ids
        ), leased AS (
            UPDATE {s}.request SET fence = nextval('{s}.fence'), lease_until = $3, worker = $4
            WHERE id = ANY ((SELECT ids FROM found)::bigint[])
            RETURNING id, controller, request, fence
        )
        SELECT l.controller, l.request, l.fence FROM leased l
        JOIN (SELECT * FROM found, unnest(ids) WITH ORDINALITY AS u (id, place)) f ON f.id = l.id
        ORDER BY f.place";

    renew = "UPDATE {s}.request SET lease_until = $4
        WHERE controller = $1 AND request = $2 AND fence = $3";

    release = "UPDATE {s}.request SET fence = NULL, lease_until = NULL, worker = NULL
        WHERE controller = $1 AND request = $2 AND fence = $3";

    next_wake = "SELECT claim_at FROM {s}.request
        WHERE wake_at IS NOT NULL ORDER BY claim_at LIMIT 1";

    next_wake_of = "SELECT claim_at FROM {s}.request
        WHERE controller = $1 AND claim_at IS NOT NULL ORDER BY claim_at LIMIT 1";

    due = "SELECT request, due_at FROM {s}.request
        WHERE controller = $1 AND open AND due_at < $2 ORDER BY due_at LIMIT $3";

    open = "SELECT request FROM {s}.request
        WHERE controller = $1 AND open ORDER BY request LIMIT $2";

    open_after = "SELECT request FROM {s}.request
        WHERE controller = $1 AND open AND request > $3 ORDER BY request LIMIT $2";

    marked = "SELECT request FROM {s}.request
        WHERE controller = $1 AND mark = $3 ORDER BY request LIMIT $2";

    marked_after = "SELECT request FROM {s}.request
        WHERE controller = $1 AND mark = $3 AND request > $4 ORDER BY request LIMIT $2";

    count_open = "SELECT count(*) FROM {s}.request WHERE controller = $1 AND open";

    count_due = "SELECT count(*) FROM {s}.request
        WHERE controller = $1 AND open AND due_at < $2";

    count_marked = "SELECT count(*) FROM {s}.request WHERE controller = $1 AND mark = $2";

    delete = "DELETE FROM {s}.request
        WHERE controller = $1 AND request = $2 AND version = $3
            AND ($4::bigint IS NULL OR fence = $4)";
}
