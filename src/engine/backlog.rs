//! How much there is to do: figures that an operator watches, counted by the store's indexes.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Actor, ControllerId};
use crate::ports::{Counted, Mark, Query};

use super::Engine;
use super::error::EngineError;

/// How much there is to do for a controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Backlog {
    /// When it was counted.
    pub at: DateTime<Utc>,
    /// How many requests are open.
    pub open: u64,
    /// How many of them are past a deadline.
    pub overdue: u64,
    /// How many of them will be within the time that was asked for.
    pub due_soon: u64,
    /// How many requests have an effect that failed and is tried again, or that waits for what is
    /// down.
    pub retrying: u64,
    /// Of how many something was set aside, for a person to decide.
    pub set_aside: u64,
    /// How long what waits longest has been due for a worker; zero when nothing waits.
    pub behind: TimeDelta,
}

impl Engine {
    /// Counts what there is to do, and shows it as gauges (feature `metrics`). Each figure is counted
    /// by an index: its cost grows with what is counted, not with the closed requests.
    /// For whoever the policy lets see this (`backlog`).
    ///
    /// # Errors
    /// [`EngineError::Denied`], and those of the store.
    pub async fn backlog(
        &self,
        controller: &ControllerId,
        actor: &Actor,
        soon: TimeDelta,
    ) -> Result<Backlog, EngineError> {
        let query = Query::new(controller, None, None, actor, "backlog");
        self.ask_policy(&query).await?;
        let store = &self.inner.ports.store;
        let now = self.now();
        let latest = DateTime::<Utc>::MAX_UTC;
        // Deadlines are the first instant that is late.
        let late = now.checked_add_signed(TimeDelta::microseconds(1));
        let late = Counted::DueBefore(late.unwrap_or(latest));
        let soon = Counted::DueBefore(now.checked_add_signed(soon).unwrap_or(latest));
        let overdue = store.count(controller, late).await?;
        let waits = store.next_wake(Some(controller)).await?;
        let backlog = Backlog {
            at: now,
            open: store.count(controller, Counted::Open).await?,
            overdue,
            due_soon: store.count(controller, soon).await?.saturating_sub(overdue),
            retrying: store
                .count(controller, Counted::Marked(Mark::Retrying))
                .await?,
            set_aside: store
                .count(controller, Counted::Marked(Mark::Aside))
                .await?,
            behind: waits.map_or(TimeDelta::zero(), |at| (now - at).max(TimeDelta::zero())),
        };
        super::observe::counted(controller, &backlog);
        Ok(backlog)
    }
}
