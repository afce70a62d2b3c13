//! An intake or a command as a value, for a host that writes it in a transaction of its own: it has
//! happened exactly when the host's own rows are there.

use std::fmt;

use crate::model::{Actor, ControllerId, RequestId, Wish};
use crate::ports::Commit;
use crate::workflow::{Cause, Command, Decision, Request, lifecycle};

use super::error::EngineError;
use super::intake::{Intake, Submitted};
use super::requests::Loaded;
use super::{Engine, intake, stored};

/// What is ready to be written, all of it or nothing. The keys of new requests are in the vault
/// already: tell the engine what became of it, [`Engine::submitted`] or [`Engine::abandon`].
#[must_use]
pub struct Prepared {
    controller: ControllerId,
    commits: Vec<Commit>,
    submitted: Vec<Submitted>,
    decisions: Vec<Decision>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("controller", &self.controller)
            .field("submitted", &self.submitted)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    /// Whose requests.
    pub const fn controller(&self) -> &ControllerId {
        &self.controller
    }

    /// What is to be written, in this order. One with `expected` 0 creates a request; another one
    /// notes in an open request that a new one is carried on in it, and is refused as a conflict
    /// when that request changed meanwhile.
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// The requests of an intake, one for each wish, in their order; of a command none.
    pub fn requests(&self) -> &[Submitted] {
        &self.submitted
    }

    /// The requests that are new in it, as they will be.
    fn created(&self) -> impl Iterator<Item = &Request> {
        let pairs = self.commits.iter().zip(&self.decisions);
        pairs
            .filter(|(commit, _)| commit.expected == 0)
            .map(|(_, decision)| &decision.next)
    }

    /// A request as it will be once all of this is written; `None` for one that is not in it.
    fn standing(&self, request: RequestId) -> Option<Loaded> {
        let pairs = self.commits.iter().zip(&self.decisions);
        let (commit, decision) = pairs.rev().find(|(commit, _)| commit.request == request)?;
        Some(Loaded {
            version: commit.expected + 1,
            head: commit.events.last()?.digest,
            request: decision.next.clone(),
            agenda: stored::agenda(request, &commit.snapshot.agenda).ok()?,
            aside: false,
        })
    }

    fn push(&mut self, commit: Commit, decision: Decision) {
        self.commits.push(commit);
        self.decisions.push(decision);
    }
}

impl Engine {
    /// Takes an intake in as [`submit`](Self::submit) does, but writes nothing: the host writes
    /// the [`commits`](Prepared::commits) in a transaction of its own (`PostgresStore::write_in`)
    /// and then says what became of it. A person who asks for the same in another transaction at
    /// the same moment gets a request beside this one.
    ///
    /// ```no_run
    /// # use datarights::engine::{Engine, Intake};
    /// # use datarights::model::{Actor, ControllerId};
    /// # #[cfg(feature = "postgres")]
    /// async fn take_in(
    ///     engine: &Engine,
    ///     store: &datarights::adapters::PostgresStore,
    ///     pool: &sqlx::PgPool,
    ///     acme: &ControllerId,
    ///     intake: Intake,
    /// ) -> Result<(), Box<dyn std::error::Error>> {
    ///     let prepared = engine.prepare_submit(acme, &Actor::Person, intake).await?;
    ///     let mut transaction = pool.begin().await?;
    ///     // … the host's own rows …
    ///     for commit in prepared.commits() {
    ///         if let Err(error) = store.write_in(&mut transaction, acme, commit).await {
    ///             transaction.rollback().await?;
    ///             engine.abandon(prepared).await?;
    ///             return Err(error.into());
    ///         }
    ///     }
    ///     transaction.commit().await?;
    ///     engine.submitted(&prepared);
    ///     store.announce();
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of [`submit`](Self::submit); nothing is left in the vault.
    pub async fn prepare_submit(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        intake: Intake,
    ) -> Result<Prepared, EngineError> {
        let opening = self.opening(controller, actor, &intake).await?;
        let mut prepared = Prepared {
            controller: controller.clone(),
            commits: Vec::new(),
            submitted: Vec::new(),
            decisions: Vec::new(),
        };
        for wish in &intake.wishes {
            let added = self.prepare_one(&opening, wish, &mut prepared).await;
            if let Err(error) = added {
                self.abandon(prepared).await?;
                return Err(error);
            }
        }
        Ok(prepared)
    }

    async fn prepare_one(
        &self,
        opening: &intake::Opening<'_>,
        wish: &Wish,
        prepared: &mut Prepared,
    ) -> Result<(), EngineError> {
        let controller = opening.controller;
        self.allow_submit(opening, wish).await?;
        let mut same = self.same_open_request(controller, wish, opening).await?;
        if same.joins.is_none() {
            same.joins = intake::same_wish(wish, prepared.created())?;
        }
        let (mut commit, mut decision) = self.open_one(opening, wish, same).await?;
        if let Some(into) = intake::joined(&decision) {
            let carried_on = self
                .prepare_carried_on(prepared, into, commit.request)
                .await;
            if !matches!(carried_on, Ok(Some(_))) {
                self.forget(controller, commit.request).await?;
            }
            match carried_on? {
                Some((commit, decision)) => prepared.push(commit, decision),
                // The other one came to its end meanwhile: this one goes its own way.
                None => {
                    same.joins = None;
                    (commit, decision) = self.open_one(opening, wish, same).await?;
                }
            }
        }
        prepared.submitted.push(Submitted {
            request: commit.request,
            right: wish.right.clone(),
            joined: intake::joined(&decision),
        });
        prepared.push(commit, decision);
        Ok(())
    }

    /// Decides a command as [`command`](Self::command) does, but writes nothing: the host writes the
    /// [`commits`](Prepared::commits) in a transaction of its own, beside the rows that belong to it,
    /// as it writes those of [`prepare_submit`](Self::prepare_submit), and then says what became of
    /// it. Where the store answers with a conflict, somebody else changed the request meanwhile: roll
    /// back, and prepare again.
    ///
    /// # Errors
    /// Those of [`command`](Self::command).
    pub async fn prepare_command(
        &self,
        controller: &ControllerId,
        request: RequestId,
        actor: &Actor,
        command: impl Into<Command>,
    ) -> Result<Prepared, EngineError> {
        let command = command.into();
        let mut prepared = Prepared {
            controller: controller.clone(),
            commits: Vec::new(),
            submitted: Vec::new(),
            decisions: Vec::new(),
        };
        let loaded = self.load(controller, request).await?;
        self.allow_command(&loaded.request, actor, &command).await?;
        let (mut decision, agenda) = self.decide_for(&loaded, &command, actor)?;
        if let Command::Lifecycle(lifecycle::Command::Join { into }) = command {
            self.is_for_the_same(&loaded.request, into).await?;
            let carried_on = self.prepare_carried_on(&prepared, into, request).await?;
            let (commit, decision) = carried_on.ok_or_else(intake::not_to_be_joined)?;
            prepared.push(commit, decision);
        }
        self.forget_reason_of(&loaded, None).await?;
        let (version, head) = (loaded.version, loaded.head);
        let commit = Self::prepare(&mut decision, &agenda, version, head, None)?;
        prepared.push(commit, decision);
        Ok(prepared)
    }

    /// What writes down in an open request that another one is carried on in it, at its version: if
    /// it ends meanwhile, nothing of this intake can be written. `None` when it carries on no other.
    async fn prepare_carried_on(
        &self,
        prepared: &Prepared,
        into: RequestId,
        request: RequestId,
    ) -> Result<Option<(Commit, Decision)>, EngineError> {
        let loaded = match prepared.standing(into) {
            Some(loaded) => loaded,
            None => self.load(&prepared.controller, into).await?,
        };
        let command = Command::Lifecycle(lifecycle::Command::JoinedBy { request });
        let mut decision = match self.decide(&loaded, &command, &Actor::Engine, &Cause::Command) {
            Ok(decision) => decision,
            Err(EngineError::Rejected(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut agenda = loaded.agenda.clone();
        agenda.absorb(&decision, self.now());
        self.forget_reason_of(&loaded, None).await?;
        let (version, head) = (loaded.version, loaded.head);
        let commit = Self::prepare(&mut decision, &agenda, version, head, None)?;
        Ok(Some((commit, decision)))
    }

    /// The host's transaction was committed: wakes the workers, tells the listeners.
    pub fn submitted(&self, prepared: &Prepared) {
        self.ring();
        for decision in &prepared.decisions {
            self.tell_events(decision);
        }
    }

    /// The host's transaction was rolled back: destroys the keys of the requests that are not
    /// there. Where it is not known what became of the transaction, wait until it is: a request
    /// whose key is gone can never be read.
    ///
    /// # Errors
    /// Those of store and vault; ask again.
    pub async fn abandon(&self, prepared: Prepared) -> Result<(), EngineError> {
        for commit in prepared.commits.iter().filter(|c| c.expected == 0) {
            self.forget(&prepared.controller, commit.request).await?;
        }
        Ok(())
    }

    /// Looks for work at once, as after a command: for what another process has written, when the
    /// store's listener says so.
    pub fn ring(&self) {
        self.inner.bell.tell(|| ());
    }
}
