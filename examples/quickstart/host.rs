//! The rest of what a host brings: letters, identity checks, staff roles, a processor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;
use datarights::model::{Actor, IdError, Identifier, PartyId, Personal, RequestId};
use datarights::ports::{
    AccessPolicy, Answer, CallContext, Check, Clock, Denied, GatewayDescription, Grant, Handle,
    IdempotencyKey, IdentityVerifier, Instruction, Notice, Notifier, Order, Package, Pending,
    PortError, ProcessorGateway, Query, Task,
};
use rusqlite::OptionalExtension;

use crate::db::{Db, at};

/// Locks what only one task touches at a time; nothing in here panics half-way.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps letters until somebody looks at them. A real host puts them into its mail queue: letter
/// and key in one transaction.
#[derive(Default)]
pub(crate) struct Letters {
    sent: Mutex<BTreeSet<IdempotencyKey>>,
    outbox: Mutex<Vec<(RequestId, Notice)>>,
}

impl Letters {
    /// The oldest letter about a request that nobody has looked at yet.
    pub(crate) fn next(&self, request: RequestId) -> Option<Notice> {
        let mut outbox = locked(&self.outbox);
        let oldest = outbox.iter().position(|(about, _)| *about == request)?;
        Some(outbox.remove(oldest).1)
    }
}

#[async_trait]
impl Notifier for Letters {
    async fn notify(
        &self,
        context: &CallContext,
        notice: &Notice,
    ) -> Result<Answer<()>, PortError> {
        // The engine performs every effect at least once; the key makes it exactly one letter.
        if locked(&self.sent).insert(context.key.clone()) {
            locked(&self.outbox).push((context.request, notice.clone()));
        }
        Ok(Answer::Done(()))
    }
}

/// Sends a code to an address that the help desk already knows, and takes it back.
///
/// The codes live in memory here. A host with more than one process keeps them in its database.
pub(crate) struct MailedCodes {
    desk: Db,
    codes: Mutex<BTreeMap<RequestId, (IdempotencyKey, String)>>,
}

impl MailedCodes {
    /// Sends codes to the addresses in this database.
    pub(crate) fn new(desk: Db) -> Self {
        Self {
            desk,
            codes: Mutex::default(),
        }
    }

    /// The mail that the person finds in their inbox.
    pub(crate) fn inbox(&self, request: RequestId) -> Option<String> {
        locked(&self.codes)
            .get(&request)
            .map(|(_, code)| code.clone())
    }

    /// The address on file. A code that went to whatever address a letter names would prove
    /// nothing.
    async fn address(&self, identifiers: &[Identifier]) -> Result<Option<String>, PortError> {
        let normal: Vec<String> = identifiers
            .iter()
            .filter_map(|identifier| identifier.normal().ok())
            .map(|form| form.expose().to_owned())
            .collect();
        let given = serde_json::json!(normal).to_string();
        self.desk
            .call(move |desk| {
                let sql = "SELECT email FROM clients
                           WHERE email IN (SELECT value FROM json_each(?1))
                              OR id IN (SELECT CAST(value AS INTEGER) FROM json_each(?1))";
                desk.query_row(sql, [given], |row| row.get(0))
                    .optional()
                    .map_err(at("clients.email"))
            })
            .await
    }
}

#[async_trait]
impl IdentityVerifier for MailedCodes {
    async fn challenge(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<()>, PortError> {
        if self.address(identifiers).await?.is_none() {
            return Err(PortError::refused("no_address_on_file"));
        }
        let digits =
            getrandom::u64().map_err(|_| PortError::unavailable("no_randomness"))? % 1_000_000;
        let mut codes = locked(&self.codes);
        // A retry of the same challenge sends the same code.
        if codes
            .get(&context.request)
            .is_none_or(|(key, _)| *key != context.key)
        {
            codes.insert(
                context.request,
                (context.key.clone(), format!("{digits:06}")),
            );
        }
        Ok(Answer::Done(()))
    }

    async fn check(
        &self,
        context: &CallContext,
        evidence: &Personal<String>,
    ) -> Result<Check, PortError> {
        let code = self.inbox(context.request);
        let given = evidence.expose().trim();
        Ok(match code {
            Some(code) if same(code.as_bytes(), given.as_bytes()) => Check::Verified,
            _ => Check::Rejected,
        })
    }
}

/// Compares in a time that does not tell where two codes differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |found, (a, b)| found | (a ^ b));
    a.len() == b.len() && differences == 0
}

/// Who may do what. The workflow's own rules, four eyes among them, hold beside it.
pub(crate) struct Roles;

#[async_trait]
impl AccessPolicy for Roles {
    async fn allow(&self, query: &Query<'_>) -> Result<Grant, Denied> {
        let allowed = match query.actor {
            Actor::Person => matches!(
                query.command,
                "submit"
                    | "view"
                    | "package"
                    | "attempt_identity"
                    | "confirm"
                    | "withdraw"
                    | "appeal"
            ),
            // The desk takes requests in and carries them; it decides on plans like officers do.
            Actor::Staff(who) => {
                who.as_str().starts_with("desk-") || who.as_str().starts_with("officer-")
            }
            Actor::Host | Actor::Engine => true,
            _ => false,
        };
        if allowed {
            return Ok(Grant::agreed());
        }
        Err(Denied {
            command: query.command.to_owned(),
        })
    }
}

/// A print shop that sends paper letters for us. It has no interface: somebody phones.
pub(crate) struct PrintShop {
    description: GatewayDescription,
    clock: Arc<dyn Clock>,
}

impl PrintShop {
    /// The name under which the engine knows it.
    pub(crate) const ID: &str = "print-shop";

    /// A print shop that is phoned during this clock's days.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Result<Self, IdError> {
        let description = GatewayDescription::new(PartyId::new(Self::ID)?, "Inkwell Print Ltd");
        Ok(Self { description, clock })
    }
}

#[async_trait]
impl ProcessorGateway for PrintShop {
    fn describe(&self) -> GatewayDescription {
        self.description.clone()
    }

    /// *Done* would mean that they confirmed. Until somebody has phoned, it is pending: it appears
    /// on the task list, and a command brings the answer.
    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        let what = match order.instruction {
            Instruction::Erase => "delete this person's letters",
            Instruction::Rectify(_) => "correct this person's entry",
            _ => "stop using this person's entry",
        };
        Ok(Answer::Pending(Pending {
            handle: Handle(context.key.0.clone()),
            look_again: self.clock.now() + TimeDelta::days(2),
            task: Some(Task {
                title: format!("Phone Inkwell Print and have them {what}"),
            }),
        }))
    }

    async fn transmit(&self, _: &CallContext, _: Package) -> Result<Answer<()>, PortError> {
        Ok(Answer::Unsupported)
    }
}
