//! What this host decided for every table of its help desk that can hold something of a person.
//!
//! In `theirs`, `me` are the person's user numbers, `mail` their addresses and login names.

use datarights::model::Category::{
    self, Account, Contact, Correspondence, Credentials, Device, Employment, Identity, Usage,
};

/// A set of rows of a person, and what becomes of them.
pub(crate) struct Table {
    /// The collection, as packages and plans call it.
    pub(crate) name: &'static str,
    /// The table it lies in.
    pub(crate) table: &'static str,
    pub(crate) theirs: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) given: Given,
    pub(crate) end: End,
}

/// A column that is handed over.
pub(crate) struct Column(
    pub(crate) &'static str,
    pub(crate) Category,
    pub(crate) Shown,
);

#[derive(Clone, Copy)]
pub(crate) enum Shown {
    Value,
    /// Text that the schema keeps as a BLOB.
    Text,
    Secret,
    /// A BLOB that is handed over as a file of that name and type.
    File(&'static str, &'static str),
}

/// Whether the person gets the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Yes,
    /// They are about somebody else too: counted, with the ground.
    Withheld(&'static str),
    /// Nothing in them is about the person but a link.
    Link,
}

/// What an erasure does to the rows.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Delete,
    /// The rows stay; these assignments take the person out of them.
    Unlink(&'static str),
    /// The rows stay as they are, on that ground.
    Keep(&'static str),
}

const fn value(name: &'static str, holds: Category) -> Column {
    Column(name, holds, Shown::Value)
}

const fn secret(name: &'static str) -> Column {
    Column(name, Credentials, Shown::Secret)
}

/// Rows that are all the person's: given to them, and deleted. (A macro, because a reference to the
/// columns lives long enough only where the table itself is written.)
macro_rules! rows {
    ($name:literal, $theirs:literal, $columns:expr $(,)?) => {
        Table {
            name: $name,
            table: $name,
            theirs: $theirs,
            columns: $columns,
            given: Given::Yes,
            end: End::Delete,
        }
    };
}

const fn link(name: &'static str, table: &'static str, theirs: &'static str, end: End) -> Table {
    Table {
        name,
        table,
        theirs,
        columns: &[],
        given: Given::Link,
        end,
    }
}

/// Rows that lead to the person by number. Erased in this order: what refers before what it refers
/// to, what identifies the person last.
pub(crate) const DESK: &[Table] = &[
    rows!(
        "ticket_attachment",
        "thread_id IN (SELECT id FROM ticket_thread WHERE ticket_id IN
         (SELECT id FROM tickets WHERE user_id IN me))",
        &[
            value("name", Correspondence),
            Column("file", Correspondence, Shown::File("name", "type")),
        ],
    ),
    rows!(
        "ticket_form_data",
        "ticket_id IN (SELECT id FROM tickets WHERE user_id IN me)",
        &[value("title", Device), value("content", Device)],
    ),
    rows!(
        "user_notification",
        "user_id IN me OR notification_id IN (SELECT id FROM notifications WHERE userid_created IN me)",
        &[value("is_read", Usage), value("created_at", Usage)],
    ),
    rows!(
        "notifications",
        "userid_created IN me",
        &[value("created_at", Usage)],
    ),
    rows!(
        "ticket_collaborator",
        "user_id IN me OR ticket_id IN (SELECT id FROM tickets WHERE user_id IN me)",
        &[
            value("ticket_id", Correspondence),
            value("role", Correspondence),
        ],
    ),
    rows!(
        "ticket_thread",
        "ticket_id IN (SELECT id FROM tickets WHERE user_id IN me)",
        &[
            value("ticket_id", Correspondence),
            value("poster", Correspondence),
            value("title", Correspondence),
            Column("body", Correspondence, Shown::Text),
            value("ip_address", Device),
            value("created_at", Correspondence),
        ],
    ),
    rows!(
        "tickets",
        "user_id IN me",
        &[
            value("ticket_number", Correspondence),
            value("created_at", Correspondence),
        ],
    ),
    // An agent's part in other people's tickets: the tickets stay, the agent leaves them.
    Table {
        name: "ticket_thread_of_others",
        table: "ticket_thread",
        theirs: "user_id IN me AND ticket_id NOT IN (SELECT id FROM tickets WHERE user_id IN me)",
        columns: &[],
        given: Given::Withheld("rights_of_others"),
        end: End::Unlink("user_id = NULL, ip_address = ''"),
    },
    link(
        "tickets_assigned",
        "tickets",
        "assigned_to IN me",
        End::Unlink("assigned_to = NULL"),
    ),
    link(
        "tickets_locked",
        "tickets",
        "lock_by IN me",
        End::Unlink("lock_by = 0"),
    ),
    link(
        "organization_head",
        "organization",
        "head IN me",
        End::Unlink("head = NULL"),
    ),
    link(
        "team_lead",
        "teams",
        "team_lead IN me",
        End::Unlink("team_lead = NULL"),
    ),
    link(
        "department_manager",
        "department",
        "manager IN me",
        End::Unlink("manager = NULL"),
    ),
    link(
        "help_topic_agent",
        "help_topic",
        "auto_assign IN me",
        End::Unlink("auto_assign = NULL"),
    ),
    rows!(
        "canned_response",
        "user_id IN me",
        &[value("title", Employment), value("message", Employment)],
    ),
    link(
        "team_assign_agent",
        "team_assign_agent",
        "agent_id IN me",
        End::Delete,
    ),
    rows!(
        "user_assign_organization",
        "user_id IN me",
        &[value("org_id", Identity)],
    ),
    rows!(
        "user_additional_infos",
        "owner IN me",
        &[
            value("service", Account),
            value("key", Account),
            value("value", Account),
        ],
    ),
    rows!(
        "users",
        "id IN me",
        &[
            value("user_name", Account),
            value("first_name", Identity),
            value("last_name", Identity),
            value("email", Contact),
            value("phone_number", Contact),
            value("mobile", Contact),
            value("internal_note", Correspondence),
            value("profile_pic", Identity),
            value("user_language", Account),
            value("created_at", Account),
            secret("password"),
            secret("remember_token"),
        ],
    ),
];

/// Rows that know an address or a login name, and no number.
pub(crate) const ADDRESSES: &[Table] = &[
    rows!(
        "kb_comment",
        "lower(email) IN mail",
        &[
            value("name", Identity),
            value("email", Contact),
            value("website", Contact),
            value("comment", Correspondence),
            value("created_at", Correspondence),
        ],
    ),
    rows!(
        "login_attempts",
        "lower(User) IN mail",
        &[
            value("User", Account),
            value("IP", Device),
            value("LastLogin", Usage),
        ],
    ),
    rows!(
        "password_resets",
        "lower(email) IN mail",
        &[
            value("email", Contact),
            secret("token"),
            value("created_at", Account),
        ],
    ),
    // Whoever was banned stays banned: the address is kept for that and nothing else.
    Table {
        name: "banlist",
        table: "banlist",
        theirs: "lower(email_address) IN mail",
        columns: &[
            value("email_address", Contact),
            value("created_at", Account),
        ],
        given: Given::Yes,
        end: End::Keep("erasure_exception_claims"),
    },
];

/// Free text in which people name each other.
pub(crate) const FREE_TEXT: &[(&str, &str)] = &[
    ("ticket_thread", "body"),
    ("ticket_thread", "title"),
    ("ticket_form_data", "content"),
    ("users", "internal_note"),
    ("organization", "internal_notes"),
    ("kb_comment", "comment"),
    ("canned_response", "message"),
];
