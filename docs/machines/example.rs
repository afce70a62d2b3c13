// Shared by the examples of the machines: a request under the GDPR with one source, `crm`, and the
// commands that move it. What the engine would do is played by hand: `answer` brings back what the
// source said, `sent` that a letter is out.

use datarights::law::{Calendar, Readings, Regime, Regimes, Setting};
use datarights::model::*;
use datarights::workflow::fulfilment::{self, Fulfilment, Phase};
use datarights::workflow::*;
use datarights::workflow::Task;

type Outcomes<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A request, and what its next decision depends on.
struct Course {
    request: Request,
    /// What the last decision wants done outside.
    effects: Vec<Effect>,
    now: chrono::DateTime<chrono::Utc>,
    policy: Policy,
    landscape: Landscape,
    regime: std::sync::Arc<Regime>,
    calendar: Calendar,
}

impl Course {
    fn received(right: Right) -> Outcomes<Self> {
        let crm = SourceInfo {
            id: SourceId::new("crm")?,
            accepts: vec![IdentifierKind::Mail],
            erase_after: Vec::new(),
        };
        let landscape = Landscape {
            sources: vec![crm],
            recipients: Vec::new(),
        };
        let now = "2026-03-02T09:00:00Z".parse()?;
        let regime = Regimes::builtin().get("eu_gdpr")?;
        let calendar = Calendar::in_zone("Europe/Paris")?;
        let policy = Policy::default();
        let intake = Intake {
            controller: ControllerId::new("acme")?,
            request: RequestId::new(uuid::Uuid::from_u128(1)),
            intake: IntakeId::new(uuid::Uuid::from_u128(2)),
            channel: Channel::Form,
            received_at: now,
            dated: None,
            person: vec![KeyedDigest::from_bytes([7; 32])],
            kinds: vec![IdentifierKind::Mail],
            identifiers: part("identifiers"),
            corrections: (right == Right::Rectification).then(|| part("corrections")),
            delivery: Delivery::Download,
            uses: Vec::new(),
            joins: None,
            beside: None,
        };
        let context = Context {
            now,
            actor: &Actor::Person,
            cause: &Cause::Command,
            setting: Setting {
                regime: &regime,
                right: &right,
                calendar: &calendar,
                readings: &Readings::default(),
            },
            policy: &policy,
            landscape: &landscape,
        };
        let received = receive(intake, regime.pin()?, &context)?;
        Ok(Self {
            request: received.next,
            effects: received.effects.into_iter().map(|(_, effect)| effect).collect(),
            now,
            policy,
            landscape,
            regime,
            calendar,
        })
    }

    /// Confirmed and approved by alice.
    fn approved(right: Right) -> Outcomes<Self> {
        let mut course = Self::received(right)?;
        let alice = Actor::staff("alice")?;
        course.give(&alice, lifecycle::Command::ConfirmIdentity)?;
        course.give(&alice, lifecycle::Command::Approve)?;
        Ok(course)
    }

    fn give(&mut self, actor: &Actor, command: impl Into<Command>) -> Result<(), Rejection> {
        let command = command.into();
        let cause = match &command {
            Command::Fire(timer) => Cause::Timer(*timer),
            _ => Cause::Command,
        };
        let context = Context {
            now: self.now,
            actor,
            cause: &cause,
            setting: Setting {
                regime: &self.regime,
                right: &self.request.facts.right.clone(),
                calendar: &self.calendar,
                readings: &Readings::default(),
            },
            policy: &self.policy,
            landscape: &self.landscape,
        };
        let decision = decide(&self.request, &command, &context)?;
        self.request = decision.next;
        self.effects = decision.effects.into_iter().map(|(_, effect)| effect).collect();
        Ok(())
    }

    /// The step that was begun last is done, and found this.
    fn answer(&mut self, finding: Finding) -> Outcomes {
        let step = self.effects.iter().find_map(|effect| match effect {
            Effect::Step { task, target, .. } => Some((*task, target.clone())),
            _ => None,
        });
        let (task, target) = step.ok_or("nothing is to be done")?;
        let result = Box::new(StepResult::Done { finding, missing: Vec::new() });
        Ok(self.give(&Actor::Engine, fulfilment::Command::Answer { task, target, result })?)
    }

    fn sent(&mut self, letter: Letter) -> Outcomes {
        Ok(self.give(&Actor::Engine, lifecycle::Command::LetterSent { letter })?)
    }

    fn work(&self) -> &Fulfilment {
        self.request.fulfilment.as_ref().expect("the work has begun")
    }

    fn phase(&self) -> Phase {
        self.work().phase
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.request.lifecycle.outcome.as_ref()
    }
}

fn part(name: &str) -> PartRef {
    PartRef {
        name: name.to_owned(),
        chunks: 1,
        digest: Digest::of(name.as_bytes()),
    }
}

fn rows(count: u64) -> Vec<RowCount> {
    vec![RowCount::new("tickets", count)]
}

/// The person has so many rows.
fn located(count: u64) -> Finding {
    Finding::Located {
        rows: rows(count),
        locators: (count > 0).then(|| part("locators")),
        keys: vec![KeyedDigest::from_bytes([1; 32])],
        identified: None,
        horizon: None,
    }
}

/// So many rows would change, and these would be kept.
fn planned(count: u64, withheld: &[WithheldRows]) -> Finding {
    Finding::Planned {
        part: part("plan"),
        digest: Digest::of(b"plan"),
        rows: rows(count),
        withheld: withheld.to_vec(),
        untaken: Vec::new(),
    }
}

fn read(count: u64) -> Finding {
    Finding::Read {
        spool: part("spool"),
        rows: rows(count),
        withheld: Vec::new(),
    }
}

fn packed() -> Finding {
    Finding::Packed {
        bytes: 4096,
        digest: Digest::of(b"PK"),
        name: Some("package-1-4-1.zip".to_owned()),
    }
}

fn changed(count: u64) -> Finding {
    Finding::Changed { rows: rows(count) }
}

fn erased(count: u64, withheld: &[WithheldRows]) -> Finding {
    Finding::Erased {
        rows: rows(count),
        withheld: withheld.to_vec(),
        assurance: Assurance::Deleted,
    }
}

/// A search, or a check, finds that so much is not as it should be.
fn left(count: u64) -> Finding {
    Finding::Left { rows: rows(count), depth: SearchDepth::ByPath }
}

/// One invoice that tax law keeps until the end of 2035.
fn invoice() -> Outcomes<WithheldRows> {
    Ok(WithheldRows {
        collection: "invoices".to_owned(),
        rows: 1,
        restricted: false,
        ground: Ground::new("erasure_exception_legal_obligation"),
        until: Until::Date("2035-12-31".parse()?),
    })
}
