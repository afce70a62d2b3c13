//! What is planted in the help desk before somebody's erasure, the same on every engine: rows of others
//! that name them, by number and in text, so that no strategy of the map goes unseen.

use std::path::Path;

use crate::engines::Place;
use crate::oracle::rows;
use crate::people::Somebody;

/// Where an erasure must find something now, by what it tells of it.
pub(crate) const PLACES: [&str; 14] = [
    "canned_response.message",
    "department.manager",
    "help_topic.agent",
    "log_notification.log",
    "organization.head",
    "organization.internal_notes",
    "teams.lead",
    "ticket_form_data.content",
    "ticket_thread.author",
    "ticket_thread.body",
    "ticket_thread.title",
    "tickets.assigned",
    "tickets.locked",
    "users.internal_note",
];

/// Rows of others, by number: in order, so that all engines have the same.
pub(crate) struct Others {
    thread: i64,
    titled: i64,
    written: i64,
    form: i64,
    ticket: i64,
}

impl Others {
    pub(crate) fn of(who: &Somebody, database: &Path) -> Self {
        let theirs = format!("(SELECT id FROM tickets WHERE user_id = {})", who.id);
        let last = |table: &str, n: usize| {
            let column = if table == "tickets" {
                "id"
            } else {
                "ticket_id"
            };
            let sql = format!("SELECT id FROM {table} WHERE {column} NOT IN {theirs}");
            let all = rows(database, &sql);
            *all.iter().nth_back(n).expect("rows of others")
        };
        Self {
            thread: last("ticket_thread", 0),
            titled: last("ticket_thread", 1),
            written: last("ticket_thread", 2),
            form: last("ticket_form_data", 0),
            ticket: last("tickets", 0),
        }
    }
}

/// A document with a text in it, in plain ASCII.
fn document(text: &str) -> String {
    let escaped = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    };
    let text: String = text.chars().map(escaped).collect();
    format!(r#"{{"from":"{text}","at":"10\/12"}}"#)
}

/// A number as people write it.
fn spaced(phone: &str) -> String {
    let digits = phone.trim_start_matches('+');
    format!(
        "00{} ({}) {}-{}",
        &digits[..2],
        &digits[2..3],
        &digits[3..6],
        &digits[6..]
    )
}

pub(crate) async fn plant(place: &Place, who: &Somebody, others: &Others) {
    let Somebody { id, marks, .. } = who;
    let mail = marks[0].to_uppercase();
    // The name, where nobody else has it; the number, where one is known.
    let name = marks.get(1).filter(|mark| !mark.starts_with('+'));
    let name = name.unwrap_or(&marks[0]);
    let phone = marks.iter().find(|mark| mark.starts_with('+'));
    let phone = phone.map_or_else(|| mail.clone(), |phone| spaced(phone));
    let Others {
        thread,
        titled,
        written,
        form,
        ticket,
    } = others;
    let body = place.bytes(format!("Ask {} about it.", name.to_uppercase()).as_bytes());
    let said = |text: &str| place.literal(text);
    let (title, log) = (
        said(&format!("Re: {phone}!")),
        said(&format!("<{mail}> in")),
    );
    let (content, note) = (
        said(&document(name)),
        said(&document(&format!("{mail}\"{name}"))),
    );
    let canned = said(&format!("Dear {name},\nas {mail} wrote"));
    let notes = said(&format!("knows {}", name.to_lowercase()));
    let first = format!(
        "(SELECT ticket FROM (SELECT min(id) AS ticket FROM tickets WHERE user_id = {id}) AS x)"
    );
    let of_first = format!(
        "SELECT 90000 + {id} * 10 + kind, ticket, 1, kind FROM (SELECT min(id) AS ticket FROM tickets WHERE user_id = {id}) AS x,
         (SELECT 1 AS kind UNION SELECT 2 UNION SELECT 3) AS y WHERE ticket IS NOT NULL"
    );
    place
        .run(&[
            &format!("UPDATE ticket_thread SET body = {body} WHERE id = {thread}"),
            &format!("UPDATE ticket_thread SET title = {title} WHERE id = {titled}"),
            &format!("UPDATE ticket_thread SET user_id = {id}, ip_address = '192.0.2.9' WHERE id = {written}"),
            &format!("UPDATE ticket_form_data SET content = {content} WHERE id = {form}"),
            &format!("UPDATE tickets SET assigned_to = {id}, lock_by = {id} WHERE id = {ticket}"),
            &format!("UPDATE organization SET head = {id}, internal_notes = {notes} WHERE id = 2"),
            &format!("UPDATE users SET internal_note = {note} WHERE id = 1"),
            &format!("UPDATE log_notification SET log = {log} WHERE id = 1"),
            &format!("UPDATE teams SET team_lead = {id} WHERE id = 3"),
            &format!("UPDATE department SET manager = {id} WHERE id = 2"),
            &format!("UPDATE help_topic SET auto_assign = {id} WHERE id = 1"),
            &format!("INSERT INTO canned_response (id, user_id, title, message) VALUES ({id}, 1, 'Re', {canned})"),
            // A ticket in the bin; what is said of a ticket by somebody else; the like, of something else.
            &format!("UPDATE tickets SET is_deleted = 1 WHERE id = {first}"),
            &format!("INSERT INTO notifications (id, model_id, userid_created, type_id) {of_first}"),
        ])
        .await;
}
