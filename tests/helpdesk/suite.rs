//! The hand-written sources against their contract, line by line, on the real rows.

use std::sync::Arc;

use datarights::model::{Correction, Identifier, Personal};
use datarights::testkit::source_suite::{Specimen, assert_conforms};
use rusqlite::Connection;

use crate::bench;
use crate::db::Db;
use crate::source::TableSource;
#[path = "sql_oracle.rs"]
mod sql_oracle;
use sql_oracle::SqlOracle;

/// Quentin has rows in most tables, and nobody is named in anybody else's.
const QUENTIN: i64 = 422;
const QUENTINS: &str = "q.414@example.com";
const OTHER: &str = "m.90@example.org";

fn correction(field: &str) -> Correction {
    Correction {
        collection: "users".to_owned(),
        field: field.to_owned(),
        value: Personal::new("+33100000000".to_owned()),
    }
}

/// A fresh copy for every check; it lives as long as the test's folder.
fn specimen(folder: &tempfile::TempDir, desk: bool) -> Specimen {
    let own = tempfile::tempdir_in(folder.path()).unwrap().keep();
    let path = bench::copy(&own).unwrap();
    let connection = Connection::open(&path).unwrap();
    let token: String = connection
        .query_row(
            "SELECT password FROM users WHERE id = ?1",
            [QUENTIN],
            |row| row.get(0),
        )
        .unwrap();
    let tickets = format!("(SELECT id FROM tickets WHERE user_id = {QUENTIN})");
    let threads = format!("(SELECT id FROM ticket_thread WHERE ticket_id IN {tickets})");
    let noted = format!("(SELECT id FROM notifications WHERE userid_created = {QUENTIN})");
    let person = if desk {
        vec![
            ("ticket_attachment", format!("thread_id IN {threads}")),
            ("ticket_form_data", format!("ticket_id IN {tickets}")),
            ("ticket_thread", format!("ticket_id IN {tickets}")),
            (
                "user_notification",
                format!("user_id = {QUENTIN} OR notification_id IN {noted}"),
            ),
            ("notifications", format!("userid_created = {QUENTIN}")),
            (
                "ticket_collaborator",
                format!("user_id = {QUENTIN} OR ticket_id IN {tickets}"),
            ),
            ("user_assign_organization", format!("user_id = {QUENTIN}")),
            ("user_additional_infos", format!("owner = {QUENTIN}")),
            ("tickets", format!("user_id = {QUENTIN}")),
            ("users", format!("id = {QUENTIN}")),
        ]
    } else {
        [
            "kb_comment.email",
            "login_attempts.User",
            "password_resets.email",
        ]
        .into_iter()
        .filter_map(|place| place.split_once('.'))
        .map(|(table, column)| (table, format!("{column} = '{QUENTINS}'")))
        .collect()
    };
    let db = Db::open(&path).unwrap();
    let oracle = Arc::new(SqlOracle {
        path,
        person,
        ignored: &[],
    });
    let mail = |address: &str| vec![Identifier::mail(address).unwrap()];
    if desk {
        let source = Arc::new(TableSource::desk(db).unwrap());
        Specimen::new(source, oracle, mail(QUENTINS), mail(OTHER))
            .correcting(correction("phone_number"), correction("role"))
            .hiding(token)
    } else {
        let source = Arc::new(TableSource::addresses(db).unwrap());
        Specimen::new(source, oracle, mail(QUENTINS), mail(OTHER))
    }
}

#[tokio::test]
async fn the_desk_keeps_its_contract() {
    if bench::original().is_some() {
        let folder = tempfile::tempdir().unwrap();
        assert_conforms(async || specimen(&folder, true)).await;
    }
}

#[tokio::test]
async fn the_addresses_keep_theirs() {
    if bench::original().is_some() {
        let folder = tempfile::tempdir().unwrap();
        assert_conforms(async || specimen(&folder, false)).await;
    }
}
