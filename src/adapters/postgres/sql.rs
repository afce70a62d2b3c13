//! The statements as text, each once, with the schema's name in its place.
//!
//! A write is one statement, so that it needs one round trip and no transaction of its own: what
//! guards it is in its `WHERE`, and what it changes elsewhere hangs on the row that was changed.
//! Where no row was, `GUARD` is asked why.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use super::schema::SchemaName;

/// How every claim ends: what it found is leased, and told in that order.
const LEASE: &str = ", leased AS (
            UPDATE {s}.request SET fence = nextval('{s}.fence'), lease_until = $3, worker = $4
            WHERE id = ANY ((SELECT ids FROM found)::bigint[])
            RETURNING id, controller, request, fence
        )
        SELECT l.controller, l.request, l.fence FROM leased l
        JOIN (SELECT * FROM found, unnest(ids) WITH ORDINALITY AS u (id, place)) f ON f.id = l.id
        ORDER BY f.place";

macro_rules! statements {
    ($($name:ident = $text:literal;)*) => {
        /// All statements of one schema.
        pub(super) struct Statements {
            $(pub(super) $name: SqlStr,)*
        }

        impl Statements {
            pub(super) fn of(schema: &SchemaName) -> Self {
                // Behind an `Arc`, so that a clone copies no text.
                let sql = |text: &str| {
                    let text = schema.within(&text.replace("{lease}", LEASE));
                    AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
                };
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
                wake_at, due_at, open, agenda, state, mark, changed_at)
            VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $17,
                (extract(epoch FROM statement_timestamp()) * 1000000)::bigint)
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
                agenda = $11, state = $12, mark = $17, archived = false,
                changed_at = (extract(epoch FROM statement_timestamp()) * 1000000)::bigint
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

    load = "SELECT r.version, r.sequence, r.head, r.wake_at, r.due_at, r.open,
            coalesce(a.agenda, r.agenda), coalesce(a.state, r.state), r.mark
        FROM {s}.request r LEFT JOIN {s}.archived_request a ON r.archived AND a.request = r.id
        WHERE r.controller = $1 AND r.request = $2";

    // A request that goes on after it was archived has events in both.
    history = "WITH found AS MATERIALIZED (
            SELECT id FROM {s}.request WHERE controller = $1 AND request = $2
        )
        SELECT sequence, digest, bytes FROM (
            SELECT sequence, digest, bytes FROM {s}.event
            WHERE request = (SELECT id FROM found) AND sequence > $3
            UNION ALL
            SELECT sequence, digest, bytes FROM {s}.archived_event
            WHERE request = (SELECT id FROM found) AND sequence > $3
        ) e
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

    // What was put since it was archived comes first.
    read_part = "SELECT coalesce(
            (SELECT p.bytes FROM {s}.part p
                WHERE p.request = r.id AND p.part = $3 AND p.chunk = $4),
            (SELECT p.bytes FROM {s}.archived_part p
                WHERE p.request = r.id AND p.part = $3 AND p.chunk = $4))
        FROM {s}.request r WHERE r.controller = $1 AND r.request = $2";

    delete_part = "WITH guarded AS MATERIALIZED (
            SELECT id FROM {s}.request
            WHERE controller = $1 AND request = $2 AND ($3::bigint IS NULL OR fence = $3)
            FOR SHARE
        ), gone AS (
            DELETE FROM {s}.part p USING guarded WHERE p.request = guarded.id AND p.part = $4
        ), archived AS (
            DELETE FROM {s}.archived_part p USING guarded
            WHERE p.request = guarded.id AND p.part = $4
        )
        SELECT id FROM guarded";

    delete_parts = "WITH guarded AS MATERIALIZED (
            SELECT id FROM {s}.request
            WHERE controller = $1 AND request = $2 AND ($3::bigint IS NULL OR fence = $3)
            FOR SHARE
        ), gone AS (
            DELETE FROM {s}.part p USING guarded WHERE p.request = guarded.id
        ), archived AS (
            DELETE FROM {s}.archived_part p USING guarded WHERE p.request = guarded.id
        )
        SELECT id FROM guarded";

    // The ids as one array, in order: whatever the planner believes about their number, it reaches
    // the rows by their key. What somebody else is writing to is left to the next call.
    claim = "WITH found AS MATERIALIZED (
            SELECT ARRAY(
                SELECT id FROM {s}.request WHERE wake_at IS NOT NULL AND claim_at <= $1
                ORDER BY claim_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
            ) AS ids
        ){lease}";

    claim_of = "WITH found AS MATERIALIZED (
            SELECT ARRAY(
                SELECT id FROM {s}.request WHERE controller = $5 AND claim_at <= $1
                ORDER BY claim_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
            ) AS ids
        ){lease}";

    // The same for 16 and fewer, and below for `due`. The planner takes a limit that it does not
    // know for a tenth of all: it would plan each call anew, which takes longer than the look itself.
    claim_few = "WITH found AS MATERIALIZED (
            SELECT ARRAY(
                SELECT id FROM (
                    SELECT id FROM {s}.request WHERE wake_at IS NOT NULL AND claim_at <= $1
                    ORDER BY claim_at LIMIT 16 FOR NO KEY UPDATE SKIP LOCKED
                ) few LIMIT $2
            ) AS ids
        ){lease}";

    claim_of_few = "WITH found AS MATERIALIZED (
            SELECT ARRAY(
                SELECT id FROM (
                    SELECT id FROM {s}.request WHERE controller = $5 AND claim_at <= $1
                    ORDER BY claim_at LIMIT 16 FOR NO KEY UPDATE SKIP LOCKED
                ) few LIMIT $2
            ) AS ids
        ){lease}";

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

    due_few = "SELECT request, due_at FROM (
            SELECT request, due_at FROM {s}.request
            WHERE controller = $1 AND open AND due_at < $2 ORDER BY due_at LIMIT 16
        ) few ORDER BY due_at LIMIT $3";

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

    // What somebody is writing to, works on or may claim within a minute is left for another time: a
    // claim passes over what is locked here. A literal limit, as above.
    archive = "WITH old AS MATERIALIZED (
            SELECT id, agenda, state FROM (
                SELECT id, agenda, state FROM {s}.request
                WHERE NOT open AND NOT archived AND fence IS NULL AND changed_at < $1
                    AND (claim_at IS NULL
                        OR claim_at > (extract(epoch FROM statement_timestamp()) + 60) * 1000000)
                ORDER BY changed_at LIMIT 256 FOR NO KEY UPDATE SKIP LOCKED
            ) closed LIMIT $2
        ), requests AS (
            INSERT INTO {s}.archived_request (request, agenda, state)
            SELECT id, agenda, state FROM old
            ON CONFLICT (request) DO UPDATE SET agenda = excluded.agenda, state = excluded.state
        ), events AS (
            DELETE FROM {s}.event e USING old WHERE e.request = old.id RETURNING e.*
        ), kept_events AS (
            INSERT INTO {s}.archived_event (request, sequence, digest, bytes)
            SELECT request, sequence, digest, bytes FROM events
        ), parts AS (
            DELETE FROM {s}.part p USING old WHERE p.request = old.id RETURNING p.*
        ), kept_parts AS (
            INSERT INTO {s}.archived_part (request, part, chunk, bytes)
            SELECT request, part, chunk, bytes FROM parts
            ON CONFLICT (request, part, chunk) DO UPDATE SET bytes = excluded.bytes
        )
        UPDATE {s}.request r SET archived = true, agenda = '', state = '' FROM old
        WHERE r.id = old.id";

    delete = "DELETE FROM {s}.request
        WHERE controller = $1 AND request = $2 AND version = $3
            AND ($4::bigint IS NULL OR fence = $4)";
}
