//! Five people of the help desk, and which of its rows are theirs: in plain SQL, beside whatever
//! the sources say.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datarights::model::Identifier;

use crate::oracle::{rows, texts};

/// Somebody, and everything that names them and nobody else.
pub(crate) struct Somebody {
    pub(crate) id: i64,
    pub(crate) mail: &'static str,
    pub(crate) marks: &'static [&'static str],
}

/// A client with tickets, attachments, form data, an organisation, logins and a password reset.
pub(crate) const MALGORZATA: Somebody = Somebody {
    id: 98,
    mail: "m.90@example.org",
    marks: &["m.90@example.org", "Małgorzata Nguyễn", "+33699308747"],
};
/// The head of an organisation.
pub(crate) const DMITRI: Somebody = Somebody {
    id: 28,
    mail: "d.20@example.net",
    marks: &[
        "d.20@example.net",
        "Dmitri van",
        "+33600031310",
        "+33776072408",
    ],
};
/// A client who wrote a comment; two others have the same name.
pub(crate) const LEA: Somebody = Somebody {
    id: 72,
    mail: "l.64@example.org",
    marks: &["l.64@example.org", "+33683946251", "+33799440464"],
};
/// An agent without a mail address, known by a login name that is one.
pub(crate) const GIULIA: Somebody = Somebody {
    id: 8,
    mail: "g.0@example.org",
    marks: &["g.0@example.org", "Giulia Bernard", "+33609375836"],
};
/// A client whom the desk has banned, too, with an address that is not in ASCII.
pub(crate) const ELODIE: Somebody = Somebody {
    id: 160,
    mail: "é.152@example.com",
    marks: &["é.152@example.com", "+33609005572", "+33714601928"],
};
/// A client whom the desk has banned.
pub(crate) const SOREN: Somebody = Somebody {
    id: 522,
    mail: "s.514@example.org",
    marks: &["s.514@example.org"],
};

impl Somebody {
    pub(crate) fn identifier(&self) -> Identifier {
        Identifier::mail(self.mail).unwrap()
    }

    /// Which rows are theirs, in plain SQL.
    pub(crate) fn conditions(&self) -> Vec<(&'static str, String)> {
        let Self { id, mail, .. } = self;
        let tickets = format!("(SELECT id FROM tickets WHERE user_id = {id})");
        let threads = format!("(SELECT id FROM ticket_thread WHERE ticket_id IN {tickets})");
        let about = format!("type_id IN (2, 3) AND model_id IN {tickets}");
        let noted = format!("userid_created = {id} OR ({about})");
        let of_noted = format!("(SELECT id FROM notifications WHERE {noted})");
        vec![
            ("users", format!("id = {id}")),
            ("tickets", format!("user_id IS {id}")),
            ("ticket_thread", format!("ticket_id IN {tickets}")),
            ("ticket_attachment", format!("thread_id IN {threads}")),
            ("ticket_form_data", format!("ticket_id IN {tickets}")),
            (
                "ticket_collaborator",
                format!("user_id IS {id} OR ticket_id IN {tickets}"),
            ),
            ("user_assign_organization", format!("user_id IS {id}")),
            ("user_additional_infos", format!("owner = {id}")),
            ("notifications", noted.clone()),
            (
                "user_notification",
                format!("user_id = {id} OR notification_id IN {of_noted}"),
            ),
            ("team_assign_agent", format!("agent_id IS {id}")),
            ("kb_comment", format!("email = '{mail}'")),
            ("login_attempts", format!("User = '{mail}'")),
            ("password_resets", format!("email = '{mail}'")),
        ]
    }

    /// Everything by which the desk knows them and nobody else, as it stands there.
    pub(crate) fn identifiers(&self, database: &Path) -> BTreeSet<String> {
        let Self { id, mail, .. } = self;
        let own = ["email", "user_name", "phone_number", "mobile"]
            .map(|column| format!("SELECT {column} FROM users WHERE id = {id}"));
        let name = format!(
            "SELECT first_name || ' ' || last_name FROM users AS u WHERE id = {id} AND 1 = (SELECT count(*) FROM users \
             AS o WHERE lower(o.first_name) = lower(u.first_name) AND lower(o.last_name) = lower(u.last_name))"
        );
        // Where they alone connected from.
        let connected = "(SELECT ip_address AS ip, CAST(user_id AS TEXT) AS who FROM ticket_thread \
             UNION SELECT IP, User FROM login_attempts)";
        let theirs = format!("'{id}', '{mail}'");
        let alone = format!(
            "SELECT ip FROM {connected} WHERE who IN ({theirs}) AND ip NOT IN \
             (SELECT ip FROM {connected} WHERE who IS NULL OR who NOT IN ({theirs}))"
        );
        let all = own.into_iter().chain([name, alone]);
        let found = all.flat_map(|sql| texts(database, &sql));
        let found: BTreeSet<String> = found.filter(|found| !found.is_empty()).collect();
        for mark in self.marks {
            assert!(found.contains(*mark), "{mark} is not among them");
        }
        found
    }

    /// The rows that are theirs, table by table.
    pub(crate) fn rows(&self, database: &Path) -> BTreeMap<&'static str, BTreeSet<i64>> {
        let find = |(table, condition): (&'static str, String)| {
            let sql = format!("SELECT rowid FROM {table} WHERE {condition}");
            (table, rows(database, &sql))
        };
        self.conditions().into_iter().map(find).collect()
    }
}
