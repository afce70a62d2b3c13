//! What an operator sees of the attempts: a span around each one (feature `tracing`), counts and
//! latencies (feature `metrics`). Ids, names, codes and numbers only; nothing of a person.
//!
//! Without the features nothing is done here.

use crate::model::ControllerId;

use super::backlog::Backlog;
use super::gates::{Callee, Change};
use super::perform::{Attempt, Performed};

/// Makes an attempt, and shows it.
#[cfg(not(any(feature = "tracing", feature = "metrics")))]
pub(super) async fn watched(_: &Attempt, work: impl Future<Output = Performed>) -> Performed {
    work.await
}

/// Makes an attempt, and shows it.
#[cfg(any(feature = "tracing", feature = "metrics"))]
pub(super) async fn watched(attempt: &Attempt, work: impl Future<Output = Performed>) -> Performed {
    let (effect, target) = shown::names(&attempt.item.effect);
    #[cfg(feature = "metrics")]
    let meter = shown::Meter::start(attempt, &effect, &target);
    #[cfg(feature = "tracing")]
    let performed = shown::within_span(attempt, &effect, &target, work).await;
    #[cfg(not(feature = "tracing"))]
    let performed = work.await;
    #[cfg(feature = "metrics")]
    meter.stop(shown::outcome(&performed).0);
    performed
}

/// Shows that somebody who is called went down, or is back.
pub(super) fn changed(callee: &Callee, change: &Change) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("datarights_down", "target" => callee.name())
        .set(f64::from(u8::from(matches!(change, Change::Down(_)))));
    #[cfg(feature = "tracing")]
    match change {
        Change::Down(outage) => {
            tracing::warn!(target = callee.name(), code = outage.code, "it is down");
        }
        Change::Back(since) => tracing::info!(target = callee.name(), %since, "it is back"),
    }
    #[cfg(not(any(feature = "tracing", feature = "metrics")))]
    let _ = (callee, change);
}

/// Shows how much there is to do for a controller.
pub(super) fn counted(controller: &ControllerId, backlog: &Backlog) {
    #[cfg(feature = "metrics")]
    {
        let of = controller.to_string();
        for (which, number) in [
            ("open", backlog.open),
            ("overdue", backlog.overdue),
            ("due_soon", backlog.due_soon),
            ("retrying", backlog.retrying),
            ("set_aside", backlog.set_aside),
        ] {
            metrics::gauge!("datarights_requests", "controller" => of.clone(), "which" => which)
                .set(number as f64);
        }
        metrics::gauge!("datarights_behind_seconds", "controller" => of)
            .set(backlog.behind.as_seconds_f64());
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (controller, backlog);
}

#[cfg(any(feature = "tracing", feature = "metrics"))]
mod shown {
    use super::{Attempt, Performed};
    use crate::workflow::{Effect, StepResult};

    /// What is done and for whom, of which there are few.
    pub(super) fn names(effect: &Effect) -> (String, String) {
        let own = || "request".to_owned();
        match effect {
            Effect::Step { task, target, .. } => (task.name(), target.name()),
            Effect::Notify(letter) => (format!("notify_{}", letter.name()), own()),
            Effect::Challenge => ("challenge".to_owned(), own()),
            Effect::DeletePackage => ("delete_package".to_owned(), own()),
            Effect::Shred => ("shred".to_owned(), own()),
            Effect::Delete => ("delete".to_owned(), own()),
        }
    }

    /// What an attempt came to, and why it came to nothing.
    pub(super) fn outcome(performed: &Performed) -> (&'static str, Option<String>) {
        match performed {
            Performed::Later(later) => ("later", Some(later.code.clone())),
            Performed::Failed { failure, .. } | Performed::Step(StepResult::Failed(failure)) => {
                ("failed", Some(failure.code().to_owned()))
            }
            Performed::Step(StepResult::Pending(_)) | Performed::Sent(Some(_)) => ("pending", None),
            _ => ("done", None),
        }
    }

    /// A span with the attempt's names, and with its outcome when it has one.
    #[cfg(feature = "tracing")]
    pub(super) async fn within_span(
        attempt: &Attempt,
        effect: &str,
        target: &str,
        work: impl Future<Output = Performed>,
    ) -> Performed {
        use tracing::Instrument as _;
        use tracing::field::Empty;
        let span = tracing::info_span!(
            "datarights.attempt",
            controller = %attempt.request.facts.controller,
            request = %attempt.request.facts.id,
            effect,
            target,
            attempt = attempt.item.attempt,
            outcome = Empty,
            code = Empty,
        );
        async {
            let performed = work.await;
            let (outcome, code) = outcome(&performed);
            let span = tracing::Span::current();
            span.record("outcome", outcome);
            if let Some(code) = code {
                span.record("code", &*code);
                tracing::warn!(outcome, code, "an attempt came to nothing");
            }
            performed
        }
        .instrument(span)
        .await
    }

    /// Counts an attempt, from its start on.
    #[cfg(feature = "metrics")]
    pub(super) struct Meter<'a> {
        attempt: &'a Attempt,
        began: chrono::DateTime<chrono::Utc>,
        effect: &'a str,
        target: &'a str,
    }

    #[cfg(feature = "metrics")]
    impl<'a> Meter<'a> {
        pub(super) fn start(attempt: &'a Attempt, effect: &'a str, target: &'a str) -> Self {
            metrics::gauge!("datarights_attempts_running").increment(1);
            Self {
                attempt,
                began: attempt.engine.now(),
                effect,
                target,
            }
        }

        pub(super) fn stop(self, outcome: &'static str) {
            let took = self.attempt.engine.now() - self.began;
            let (effect, target) = (self.effect.to_owned(), self.target.to_owned());
            metrics::histogram!("datarights_attempt_seconds",
                "effect" => effect.clone(), "target" => target.clone())
            .record(took.as_seconds_f64().max(0.0));
            metrics::counter!("datarights_attempts_total",
                "effect" => effect, "target" => target, "outcome" => outcome)
            .increment(1);
        }
    }

    #[cfg(feature = "metrics")]
    impl Drop for Meter<'_> {
        /// Also where the attempt is broken off.
        fn drop(&mut self) {
            metrics::gauge!("datarights_attempts_running").decrement(1);
        }
    }
}
