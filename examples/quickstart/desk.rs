//! The host's own database: a small help desk with invented people.
//!
//! Nothing here knows `datarights`. It stands for the application that is already there.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

/// The person whose requests the quickstart carries through.
pub(crate) const NORA: Person = Person {
    id: 42,
    name: "Nora Lindqvist",
    mail: "nora.lindqvist@example.org",
    former_mail: "nora@old-provider.example",
    phone: "+46 8 5550 1842",
};

/// Somebody whom the desk knows.
pub(crate) struct Person {
    /// `clients.id`.
    pub(crate) id: i64,
    /// Their name.
    pub(crate) name: &'static str,
    /// Where mail reaches them.
    pub(crate) mail: &'static str,
    /// Where it did before.
    pub(crate) former_mail: &'static str,
    /// Their phone number.
    pub(crate) phone: &'static str,
}

/// How many clients there are.
const CLIENTS: i64 = 120;
/// How many agents there are.
const AGENTS: i64 = 6;

const HELP_DESK: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE clients (
        id            INTEGER PRIMARY KEY,
        full_name     TEXT NOT NULL CHECK (length(full_name) > 0),
        email         TEXT NOT NULL UNIQUE COLLATE NOCASE,
        phone         TEXT,
        city          TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        created_on    TEXT NOT NULL
    );
    CREATE TABLE restrictions (               -- whose data is stored, but not otherwise used
        client_id INTEGER NOT NULL REFERENCES clients ON DELETE CASCADE,
        request   TEXT NOT NULL,              -- who set it, and lifts it
        PRIMARY KEY (client_id, request)
    );
    CREATE TABLE addresses (
        id        INTEGER PRIMARY KEY,
        client_id INTEGER NOT NULL REFERENCES clients,
        email     TEXT NOT NULL COLLATE NOCASE,
        until     TEXT NOT NULL
    );
    CREATE TABLE agents (
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL
    );
    CREATE TABLE tickets (
        id        INTEGER PRIMARY KEY,
        client_id INTEGER NOT NULL REFERENCES clients,
        agent_id  INTEGER REFERENCES agents,
        subject   TEXT NOT NULL,
        opened_on TEXT NOT NULL
    );
    CREATE TABLE messages (
        id        INTEGER PRIMARY KEY,
        ticket_id INTEGER NOT NULL REFERENCES tickets,
        agent_id  INTEGER REFERENCES agents,  -- NULL: the client wrote it
        body      TEXT NOT NULL,
        sent_on   TEXT NOT NULL
    );
    CREATE TABLE attachments (
        id         INTEGER PRIMARY KEY,
        message_id INTEGER NOT NULL REFERENCES messages,
        file_name  TEXT NOT NULL,
        media_type TEXT NOT NULL,
        content    BLOB NOT NULL
    );
    CREATE TABLE comments (                   -- anybody may write one: no key of a client
        id      INTEGER PRIMARY KEY,
        article TEXT NOT NULL,
        name    TEXT NOT NULL,
        email   TEXT NOT NULL COLLATE NOCASE,
        body    TEXT NOT NULL
    );
    CREATE TABLE invoices (                   -- no foreign key: accounts go, invoices stay
        id         INTEGER PRIMARY KEY,
        number     TEXT NOT NULL UNIQUE,
        client_id  INTEGER NOT NULL,
        billed_to  TEXT NOT NULL,
        cents      INTEGER NOT NULL,
        issued_on  TEXT NOT NULL,
        restricted INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX addresses_of   ON addresses (client_id);
    CREATE INDEX addresses_as   ON addresses (email);
    CREATE INDEX tickets_of     ON tickets (client_id);
    CREATE INDEX messages_of    ON messages (ticket_id);
    CREATE INDEX attachments_of ON attachments (message_id);
    CREATE INDEX comments_of    ON comments (email);
    CREATE INDEX invoices_of    ON invoices (client_id);
";

const MAIL_LOG: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE deliveries (
        id        INTEGER PRIMARY KEY,
        sent_on   TEXT NOT NULL,
        sender    TEXT NOT NULL COLLATE NOCASE,
        recipient TEXT NOT NULL COLLATE NOCASE,
        subject   TEXT NOT NULL,
        bytes     INTEGER NOT NULL
    );
    CREATE INDEX deliveries_from ON deliveries (sender);
    CREATE INDEX deliveries_to   ON deliveries (recipient);
";

const FIRST: [&str; 12] = [
    "Adama", "Birgit", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas",
    "Katya", "Leon",
];
const LAST: [&str; 10] = [
    "Abel", "Brandt", "Costa", "Duval", "Eriksen", "Fontaine", "Girard", "Horak", "Ivanov",
    "Jansen",
];
const CITIES: [&str; 5] = ["Lyon", "Malmö", "Ghent", "Porto", "Graz"];
const SUBJECTS: [&str; 6] = [
    "The printer burns again",
    "Password does not work",
    "Where is my order?",
    "Screen stays dark",
    "Change of address",
    "A question about the invoice",
];

/// Creates both databases, empty files before, with some hundred people in them.
pub(crate) fn create(help_desk: &Path, mail_log: &Path, this_year: i32) -> rusqlite::Result<()> {
    let mut desk = Connection::open(help_desk)?;
    desk.execute_batch(HELP_DESK)?;
    let transaction = desk.transaction()?;
    for id in 1..=AGENTS {
        let name = format!("{} {}", first(id + 5), last(id + 3));
        transaction.execute("INSERT INTO agents VALUES (?1, ?2)", params![id, name])?;
    }
    for id in 1..=CLIENTS {
        client(&transaction, id)?;
        tickets(&transaction, id, this_year)?;
        invoices(&transaction, id, this_year)?;
    }
    transaction.commit()?;

    let mut log = Connection::open(mail_log)?;
    log.execute_batch(MAIL_LOG)?;
    let transaction = log.transaction()?;
    for id in 1..=CLIENTS {
        deliveries(&transaction, id, this_year)?;
    }
    transaction.commit()
}

fn first(n: i64) -> &'static str {
    FIRST[n.unsigned_abs() as usize % FIRST.len()]
}

fn last(n: i64) -> &'static str {
    LAST[n.unsigned_abs() as usize / 3 % LAST.len()]
}

fn name_of(id: i64) -> String {
    match id {
        42 => NORA.name.to_owned(),
        _ => format!("{} {}", first(id), last(id)),
    }
}

fn mail_of(id: i64) -> String {
    match id {
        42 => NORA.mail.to_owned(),
        _ => format!(
            "{}.{id}@example.org",
            name_of(id).to_lowercase().replace(' ', ".")
        ),
    }
}

fn client(desk: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    let phone = match id {
        42 => NORA.phone.to_owned(),
        _ => format!("+33 1 5550 {:04}", id * 37 % 10_000),
    };
    let city = CITIES[id.unsigned_abs() as usize % CITIES.len()];
    desk.execute(
        "INSERT INTO clients (id, full_name, email, phone, city, password_hash, created_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            id,
            name_of(id),
            mail_of(id),
            phone,
            city,
            format!("$argon2id${id:032x}"),
            "2019-03-01"
        ],
    )?;
    if id % 7 == 0 {
        let former = match id {
            42 => NORA.former_mail.to_owned(),
            _ => format!("client{id}@old-provider.example"),
        };
        desk.execute(
            "INSERT INTO addresses (client_id, email, until) VALUES (?1, ?2, '2023-06-30')",
            params![id, former],
        )?;
        comment(desk, id, &former)?;
    }
    if id % 3 == 0 {
        comment(desk, id, &mail_of(id))?;
    }
    Ok(())
}

fn comment(desk: &Transaction<'_>, id: i64, mail: &str) -> rusqlite::Result<()> {
    let body = format!("Thank you, this helped! {}", first_name(id));
    desk.execute(
        "INSERT INTO comments (article, name, email, body) VALUES (?1, ?2, ?3, ?4)",
        params![
            SUBJECTS[id.unsigned_abs() as usize % 6],
            name_of(id),
            mail,
            body
        ],
    )?;
    Ok(())
}

fn first_name(id: i64) -> String {
    let name = name_of(id);
    name.split(' ').next().unwrap_or_default().to_owned()
}

fn tickets(desk: &Transaction<'_>, client: i64, this_year: i32) -> rusqlite::Result<()> {
    for n in 0..=client % 5 + 1 {
        let seed = client * 11 + n;
        let agent = seed % AGENTS + 1;
        let subject = SUBJECTS[seed.unsigned_abs() as usize % 6];
        let opened = format!(
            "{}-{:02}-{:02}",
            this_year - 1,
            seed % 12 + 1,
            seed % 28 + 1
        );
        desk.execute(
            "INSERT INTO tickets (client_id, agent_id, subject, opened_on) VALUES (?1, ?2, ?3, ?4)",
            params![client, agent, subject, opened],
        )?;
        let ticket = desk.last_insert_rowid();
        for turn in 0..=seed % 3 + 1 {
            message(
                desk,
                client,
                ticket,
                (turn % 2 == 1).then_some(agent),
                &opened,
            )?;
        }
    }
    Ok(())
}

fn message(
    desk: &Transaction<'_>,
    client: i64,
    ticket: i64,
    agent: Option<i64>,
    sent: &str,
) -> rusqlite::Result<()> {
    let body = match agent {
        None => format!(
            "Hello, this is {}. Please write to me at {}.",
            name_of(client),
            mail_of(client)
        ),
        Some(_) => format!("Dear {}, we are looking into it.", first_name(client)),
    };
    desk.execute(
        "INSERT INTO messages (ticket_id, agent_id, body, sent_on) VALUES (?1, ?2, ?3, ?4)",
        params![ticket, agent, body, sent],
    )?;
    let id = desk.last_insert_rowid();
    if agent.is_none() && id % 3 == 0 {
        let content =
            "09:00 paper jam\r\n09:01 fire\r\n".repeat(id.unsigned_abs() as usize % 400 + 20);
        desk.execute(
            "INSERT INTO attachments (message_id, file_name, media_type, content)
             VALUES (?1, ?2, 'text/plain', ?3)",
            params![
                id,
                format!("log of {}.txt", first_name(client)),
                content.as_bytes()
            ],
        )?;
    }
    Ok(())
}

fn invoices(desk: &Transaction<'_>, client: i64, this_year: i32) -> rusqlite::Result<()> {
    if client % 3 != 0 {
        return Ok(());
    }
    for (n, years_ago) in [12, 9, 4, 1].into_iter().enumerate() {
        let year = this_year - years_ago;
        let number = format!("{year}-{client:04}");
        let billed_to = format!(
            "{}, {}",
            name_of(client),
            CITIES[client.unsigned_abs() as usize % 5]
        );
        desk.execute(
            "INSERT INTO invoices (number, client_id, billed_to, cents, issued_on)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                number,
                client,
                billed_to,
                4_900 + 1_000 * n as i64,
                format!("{year}-05-17")
            ],
        )?;
    }
    Ok(())
}

fn deliveries(log: &Transaction<'_>, client: i64, this_year: i32) -> rusqlite::Result<()> {
    let desk = "support@helpdesk.example";
    let mut addresses = vec![mail_of(client)];
    if client == NORA.id {
        addresses.push(NORA.former_mail.to_owned());
    }
    for n in 0..client % 20 + 5 {
        let address = &addresses[n.unsigned_abs() as usize % addresses.len()];
        let (sender, recipient) = if n % 2 == 0 {
            (desk, address.as_str())
        } else {
            (address.as_str(), desk)
        };
        let day = format!("{}-{:02}-{:02}", this_year - 1, n % 12 + 1, n + 1);
        log.execute(
            "INSERT INTO deliveries (sent_on, sender, recipient, subject, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                day,
                sender,
                recipient,
                SUBJECTS[n.unsigned_abs() as usize % 6],
                900 + n * 13
            ],
        )?;
    }
    Ok(())
}
