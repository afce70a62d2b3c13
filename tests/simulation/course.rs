//! One run: people who ask and decide, workers who die and come back, and what is left at the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use datarights::engine::{Engine, EngineError, Intake, Ports, Settings};
use datarights::model::{Actor, Channel, Identifier, Outcome, RequestId, Right, Use, Wish};
use datarights::ports::{
    ArtifactStore, IdentityVerifier, Notifier, PersonalDataSource, ProcessorGateway, RequestStore,
    StoreError, Vault, VaultError, WorkerId,
};
use datarights::workflow::{Command, Event, Request, fulfilment, lifecycle};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};

use crate::common::{self, World};
use crate::crew::{Crew, Skewed};
use crate::mistakes::Mistake;
use crate::ports::Gated;
use crate::storm::{Chance, Gate, Life, MIXES, Storm, Witness};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Person {
    Ada,
    Grace,
}

impl Person {
    const fn mail(self) -> &'static str {
        match self {
            Self::Ada => "ada@example.org",
            Self::Grace => "grace@example.org",
        }
    }
}

use Person::{Ada, Grace};

/// Who asks for what at once.
pub(crate) const CASES: [&[(Person, Right)]; 14] = [
    &[(Ada, Right::Access)],
    &[(Ada, Right::Export)],
    &[(Ada, Right::Rectification)],
    &[(Ada, Right::Erasure)],
    &[(Ada, Right::Restriction)],
    &[(Ada, Right::ConsentWithdrawal)],
    &[(Ada, Right::Erasure), (Grace, Right::Erasure)],
    &[(Ada, Right::Access), (Grace, Right::Erasure)],
    &[(Ada, Right::Rectification), (Ada, Right::Access)],
    &[(Ada, Right::Restriction), (Ada, Right::Export)],
    // Two that must not mix: which of them comes first is chance.
    &[(Ada, Right::Access), (Ada, Right::Erasure)],
    // The second joins the first.
    &[(Ada, Right::Erasure), (Ada, Right::Erasure)],
    &[(Ada, Right::ConsentWithdrawal), (Ada, Right::Erasure)],
    &[
        (Ada, Right::Access),
        (Grace, Right::Rectification),
        (Ada, Right::Erasure),
        (Grace, Right::Export),
    ],
];

/// What a run is, beside its weather.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Course {
    /// Which of [`CASES`].
    pub(crate) case: usize,
    /// Whether people are asked who they are.
    pub(crate) asks: bool,
    /// On and on until the withheld rows, the packages, the keys and the requests are gone.
    pub(crate) long: bool,
}

impl Course {
    pub(crate) fn of(chance: &Chance) -> Self {
        Self {
            case: usize::try_from(chance.below(CASES.len() as u64)).unwrap(),
            asks: false,
            long: chance.one_in(16),
        }
    }

    /// Asks people who they are. They are quick then: who is not moves deadlines, or is given up.
    pub(crate) fn asking(&mut self, weather: &mut Weather) {
        self.asks = true;
        if weather.pace.1 > 7_200 {
            weather.pace = (60, 7_200);
        }
    }

    fn wishes(self) -> &'static [(Person, Right)] {
        CASES[self.case]
    }

    /// Whether what this request finds depends on which request was faster.
    fn races(self, nth: usize) -> bool {
        let (person, right) = &self.wishes()[nth];
        let erased = |other: &(Person, Right)| other.0 == *person && other.1 == Right::Erasure;
        let reads = matches!(right, Right::Access | Right::ConsentWithdrawal);
        reads && self.wishes().iter().any(erased)
    }
}

/// How the people and the weather of a run are.
pub(crate) struct Weather {
    pub(crate) workers: u64,
    pub(crate) faults: u32,
    pub(crate) rarity: u64,
    pub(crate) mix: usize,
    /// How long people take, in seconds.
    pub(crate) pace: (i64, i64),
    pub(crate) skew: i64,
    /// Whether each worker has one connection to the store for all it does.
    pub(crate) scarce: bool,
    /// How many calls a source gets at a time, and after how many in vain it counts as down.
    pub(crate) calls: usize,
    pub(crate) down_after: u32,
}

impl Weather {
    pub(crate) const CALM: Self = Self {
        workers: 1,
        faults: 0,
        rarity: 1,
        mix: 0,
        pace: (60, 61),
        skew: 0,
        scarce: false,
        calls: 16,
        down_after: 5,
    };

    pub(crate) fn of(chance: &Chance) -> Self {
        Self {
            workers: 1 + chance.below(4),
            faults: u32::try_from(1 + chance.below(40)).unwrap(),
            rarity: chance.pick(&[3, 8, 20, 60]),
            mix: usize::try_from(chance.below(MIXES.len() as u64)).unwrap(),
            // The slow ones let the deadline pass.
            pace: chance.pick(&[(1, 60), (1, 60), (60, 7_200), (86_400, 20 * 86_400)]),
            skew: chance.pick(&[0, 0, 30, 600, 7_200]),
            scarce: chance.one_in(2),
            calls: chance.pick(&[1, 2, 16]),
            down_after: chance.pick(&[1, 2, 5]),
        }
    }
}

/// What is left at the end of a run.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct End {
    /// Each request, without ids, instants, keys and leases; `None` where it depends on who was faster.
    requests: Vec<Option<String>>,
    rows: String,
    /// How many letters of each kind and orders went out about each request.
    sent: BTreeMap<(usize, String), usize>,
    stopped: Vec<bool>,
    left: String,
}

impl End {
    /// Where two ends differ.
    pub(crate) fn differs(&self, other: &Self) -> String {
        let mut all = Vec::new();
        let mut compare = |what: &str, ours: String, theirs: String| {
            if ours != theirs {
                all.push(format!("{what}: {ours}\nundisturbed: {theirs}"));
            }
        };
        for (nth, (ours, theirs)) in self.requests.iter().zip(&other.requests).enumerate() {
            let name = format!("request {nth}");
            compare(&name, format!("{ours:?}"), format!("{theirs:?}"));
        }
        compare("rows", self.rows.clone(), other.rows.clone());
        compare(
            "sent",
            format!("{:?}", self.sent),
            format!("{:?}", other.sent),
        );
        let stopped = |end: &Self| format!("{:?}", end.stopped);
        compare("stopped", stopped(self), stopped(other));
        compare("left", self.left.clone(), other.left.clone());
        all.join("\n")
    }
}

struct Run {
    world: World,
    storm: Arc<Storm>,
    engines: Mutex<BTreeMap<u64, Engine>>,
    reported: Mutex<Vec<String>>,
    open: AtomicUsize,
}

impl Run {
    fn engine(&self, life: &Arc<Life>, clock: Skewed, settings: &Settings) -> Engine {
        let world = &self.world;
        let gate = Gate {
            storm: Arc::clone(&self.storm),
            life: Arc::clone(life),
        };
        let ports = Ports {
            store: Gated::<dyn RequestStore>::new(&gate, &world.store),
            vault: Gated::<dyn Vault>::new(&gate, &world.vault_port),
            clock: Arc::new(clock),
            entropy: world.entropy.clone(),
            artifacts: Gated::<dyn ArtifactStore>::new(&gate, &world.artifacts_port),
            notifier: Gated::<dyn Notifier>::new(&gate, &world.notifier),
            verifier: Gated::<dyn IdentityVerifier>::new(&gate, &world.verifier),
            access: Arc::clone(&world.access),
        };
        let source =
            |port: Arc<dyn PersonalDataSource>| Gated::<dyn PersonalDataSource>::new(&gate, &port);
        let recipient: Arc<dyn ProcessorGateway> = world.recipient_port.clone();
        Engine::builder(ports)
            .controller(world.controller.clone())
            .source(source(Arc::new(world.desk.clone())))
            .source(source(Arc::new(world.log.clone())))
            .gateway(Gated::<dyn ProcessorGateway>::new(&gate, &recipient))
            .settings(settings.clone())
            .build()
    }

    /// One worker, life after life.
    async fn live(self: Arc<Self>, number: u64, skew: i64, scarce: bool, settings: Settings) {
        let chance = self.storm.chance.clone();
        let base = self.world.clock.clone();
        let clock = Skewed::new(&base);
        for life in 0_u32.. {
            if skew > 0 {
                clock.set(chance.seconds(-skew, skew + 1).num_seconds());
            }
            let name = format!("w{number}.{life}");
            let alive = Life::new(name.clone(), true, scarce, &base);
            let engine = self.engine(&alive, clock.clone(), &settings);
            self.engines().insert(number, engine.clone());
            let run = Arc::clone(&self);
            // Some are told to stop, and come back.
            let until = (skew >= 0 && chance.one_in(4))
                .then(|| sleep(&base, base.now_then(chance.seconds(1, 7_200))));
            let work = async move {
                let told = async {
                    match until {
                        Some(until) => until.await,
                        None => std::future::pending().await,
                    }
                };
                let report = |error: &EngineError| run.report(&name, error);
                engine
                    .run(&WorkerId(name.clone()), None, told, report)
                    .await;
            };
            alive.carry(work.boxed()).await;
            sleep(&base, base.now_then(chance.seconds(1, 180))).await;
        }
    }

    fn engines(&self) -> MutexGuard<'_, BTreeMap<u64, Engine>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a worker complains of must be what was done to it.
    fn report(&self, who: &str, error: &EngineError) {
        self.storm.note(format!("{who} reports: {error}"));
        let expected = match error {
            // It failed, or took too long.
            EngineError::Store(StoreError::Backend { code, .. })
            | EngineError::Vault(VaultError::Backend { code, .. }) => {
                matches!(code.as_str(), "storm" | "timed_out")
            }
            EngineError::Store(StoreError::LostLease { .. } | StoreError::Unknown(_)) => true,
            EngineError::UnknownRequest(_) => true,
            _ => false,
        };
        if !expected {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            reported.push(format!("{who} reports: {error}"));
        }
    }

    /// The people around one request, until nothing waits for them any more.
    async fn attend(
        self: Arc<Self>,
        engine: Engine,
        request: RequestId,
        pace: (i64, i64),
        asks: bool,
    ) {
        let chance = self.storm.chance.clone();
        let (world, base) = (&self.world, &self.world.clock);
        let mut waited = 0;
        loop {
            // Who looks again and again in vain looks more rarely.
            let patience = chance.seconds(pace.0, pace.1) * (1 << waited);
            sleep(base, base.now_then(patience.min(TimeDelta::days(20)))).await;
            let eve = common::staff("eve");
            let seen = match engine.request(&world.acme, request, &eve).await {
                Ok(seen) => seen,
                Err(EngineError::UnknownRequest(_)) => break,
                Err(_) => continue,
            };
            match next(&seen, asks, self.was_asked(request)) {
                Next::Wait => waited = (waited + 1).min(10),
                Next::Nothing => break,
                Next::Give(who, command) => {
                    waited = 0;
                    let who = common::staff(who);
                    let given = engine.command(&world.acme, request, &who, command).await;
                    if let Err(error) = given {
                        self.storm.note(format!("people hear: {error}"));
                    }
                }
            }
            // Word of a command reaches most workers; the others find out when they look.
            for engine in self.engines().values() {
                if !chance.one_in(4) {
                    engine.ring();
                }
            }
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether the person holds the code in hand, and the letter that asks for it.
    fn was_asked(&self, request: RequestId) -> bool {
        let world = &self.world;
        let letters = world.outbox.letters();
        let asks = { letters.iter() }
            .any(|letter| letter.request == request && letter.notice.kind == "identity_request");
        asks && world.codes.code(&world.acme, request).is_some()
    }

    /// When a worker next has something to do.
    fn next_wake(&self) -> Option<DateTime<Utc>> {
        let next = self.world.store.next_wake(None);
        next.now_or_never().unwrap().unwrap()
    }
}

/// Clocks that can be asked for an instant from now on.
trait FromNow {
    fn now_then(&self, span: TimeDelta) -> DateTime<Utc>;
}

impl FromNow for datarights::testkit::TestClock {
    fn now_then(&self, span: TimeDelta) -> DateTime<Utc> {
        datarights::ports::Clock::now(self) + span
    }
}

fn sleep(clock: &datarights::testkit::TestClock, until: DateTime<Utc>) -> BoxFuture<'static, ()> {
    let clock = clock.clone();
    async move { datarights::ports::Clock::sleep_until(&clock, until).await }.boxed()
}

enum Next {
    Wait,
    Give(&'static str, Command),
    Nothing,
}

/// What somebody decides when nothing moves by itself any more.
fn next(request: &Request, asks: bool, was_asked: bool) -> Next {
    use lifecycle::{Command as C, Phase as P};
    let work = request.fulfilment.as_ref();
    let phase = work.map(|work| work.phase);
    let give = |who, command: C| Next::Give(who, command.into());
    match (request.lifecycle.phase, phase) {
        (P::Received, _) if asks => give("alice", C::RequestIdentity),
        (P::Identity, _) if !was_asked => Next::Wait,
        (P::Received | P::Identity, _) => give("alice", C::ConfirmIdentity),
        (P::Assessment, _) => give("alice", C::Approve),
        (P::Review, _) => give("alice", C::Release),
        (P::Fulfilment, Some(fulfilment::Phase::Approval)) => {
            let digest = work.unwrap().plan_digest();
            let approve = fulfilment::Command::ApprovePlan { digest };
            Next::Give("bob", approve.into())
        }
        (P::Answered | P::Closed, Some(fulfilment::Phase::Restricted)) => {
            Next::Give("alice", fulfilment::Command::Lift.into())
        }
        (
            P::Answered | P::Closed,
            None | Some(fulfilment::Phase::Ended | fulfilment::Phase::Withholding),
        ) => Next::Nothing,
        _ => Next::Wait,
    }
}

/// A request without what differs from run to run.
fn shape(request: &Request) -> String {
    let work = request.fulfilment.as_ref();
    let sources: Vec<_> = work
        .iter()
        .flat_map(|work| &work.sources)
        .map(|s| {
            (
                (&s.id, &s.found, &s.done, &s.withheld),
                (&s.missing, &s.left, s.assurance),
            )
        })
        .collect();
    let joined = matches!(
        request.lifecycle.end,
        Some(datarights::model::End::Joined(_))
    );
    format!(
        "{} {:?} {:?} joined {joined} {:?} {:?} {sources:?}",
        request.facts.right,
        request.lifecycle.outcome,
        request.lifecycle.refusal,
        work.map(|work| work.phase),
        work.map(|work| &work.recipients),
    )
}

/// Runs a course, and says how it ended.
///
/// # Errors
/// What must never be, in words.
pub(crate) fn run(
    course: Course,
    weather: &Weather,
    chance: &Chance,
    mistake: Mistake,
    log: &mut Vec<String>,
) -> Result<End, String> {
    let mut world = World::new();
    mistake.make(&mut world);
    let mut settings = Settings::default();
    // Nothing is given up: what goes wrong is bounded, and an undisturbed run gives up nothing.
    settings.attempts = u32::MAX;
    settings.conflicts = 1_000;
    (settings.calls, settings.down_after) = (weather.calls, weather.down_after);
    settings.poll = match (course.long, weather.pace.1) {
        (true, _) => TimeDelta::days(30),
        (false, pace) if pace > 10_000 => TimeDelta::days(1),
        _ => TimeDelta::hours(1),
    };
    let storm = Arc::new(Storm {
        chance: chance.clone(),
        clock: world.clock.clone(),
        rarity: weather.rarity,
        mix: MIXES[weather.mix],
        left: Mutex::new(weather.faults),
        lease: settings.lease,
        log: Mutex::default(),
        witness: Witness::default(),
    });
    let result = observe(course, weather, &world, &storm, &settings);
    log.append(&mut storm.log.lock().unwrap_or_else(PoisonError::into_inner));
    result
}

fn observe(
    course: Course,
    weather: &Weather,
    world: &World,
    storm: &Arc<Storm>,
    settings: &Settings,
) -> Result<End, String> {
    let calm = world.engine();
    let mut requests = Vec::new();
    for (person, right) in course.wishes() {
        let wish = match right {
            Right::Rectification => Wish::rectify(World::correction()),
            other => Wish::of(other.clone()),
        };
        let identifiers = vec![Identifier::mail(person.mail()).unwrap()];
        let intake = Intake::new(Channel::Form, identifiers, [wish]);
        let submitted = calm.submit(&world.acme, &Actor::Person, intake);
        requests.push(world.clock.drive(submitted).unwrap().unwrap()[0].request);
    }
    let due: Vec<_> = { requests.iter() }
        .map(|request| world.see(&calm, *request).answer_due())
        .collect();

    let run = Arc::new(Run {
        world: world.clone(),
        storm: Arc::clone(storm),
        engines: Mutex::default(),
        reported: Mutex::default(),
        open: AtomicUsize::new(requests.len()),
    });
    let mut crew = Crew::new(&world.clock, &storm.chance);
    for number in 0..weather.workers {
        let live = Arc::clone(&run).live(number, weather.skew, weather.scarce, settings.clone());
        crew.add(live.boxed());
    }
    let people = Life::new("people".to_owned(), false, false, &world.clock);
    let office = run.engine(&people, Skewed::new(&world.clock), settings);
    for request in &requests {
        let attend = Arc::clone(&run).attend(office.clone(), *request, weather.pace, course.asks);
        crew.add(attend.boxed());
    }
    let still = |run: &Run, span: TimeDelta| {
        let now = world.now();
        run.next_wake().is_none_or(|next| next > now + span)
    };
    let answered = crew.run(world.now() + TimeDelta::days(600), || {
        run.open.load(Ordering::SeqCst) == 0 && still(&run, TimeDelta::hours(3))
    });
    let see = |request: &RequestId| world.see(&calm, *request);
    if !answered {
        let seen: Vec<_> = { requests.iter() }
            .map(|request| {
                let seen = see(request);
                let work = seen.fulfilment.map(|work| work.phase);
                format!("{:?}/{work:?}", seen.lifecycle.phase)
            })
            .collect();
        return Err(format!("stands still: {seen:?}"));
    }

    // What is said of the requests is said before they are swept.
    let mut end = End {
        requests: Vec::new(),
        rows: String::new(),
        sent: BTreeMap::new(),
        stopped: Vec::new(),
        left: String::new(),
    };
    let tolerance = TimeDelta::seconds(2 * weather.skew + 3 * 3_600);
    let eve = common::staff("eve");
    for (nth, request) in requests.iter().enumerate() {
        let seen = see(request);
        let timeline = calm.timeline(&world.acme, *request, &eve);
        let timeline = world.clock.drive(timeline).unwrap();
        let timeline = timeline.map_err(|error| format!("the history: {error}"))?;
        if Request::fold(&timeline).as_ref() != Ok(&seen) {
            return Err("the stored events do not fold to the stored state".to_owned());
        }
        overdue(&seen, &timeline, due[nth], world.now(), tolerance)?;
        package(world, &calm, *request, &seen, &timeline)?;
        end.requests.push(if course.races(nth) {
            let outcome = &seen.lifecycle.outcome;
            if !matches!(
                outcome,
                Some(Outcome::Done | Outcome::Partly | Outcome::NothingFound)
            ) {
                return Err(format!(
                    "{} beside an erasure: {outcome:?}",
                    seen.facts.right
                ));
            }
            None
        } else {
            Some(shape(&seen))
        });
    }
    if course.long {
        let until = world.now() + TimeDelta::days(20 * 365);
        let swept = crew.run(until, || run.next_wake().is_none());
        if !swept {
            return Err("what must be swept is not".to_owned());
        }
        let open = world.store.open(&world.acme, None, 10);
        end.left = format!(
            "{:?} {:?} {}",
            open.now_or_never(),
            world.artifacts.keys(),
            requests
                .iter()
                .filter(|r| world.store.load(&world.acme, **r).now_or_never().unwrap() != Ok(None))
                .count(),
        );
    }
    let nth = |request: RequestId| requests.iter().position(|r| *r == request).unwrap();
    for letter in world.outbox.letters() {
        let place = (nth(letter.request), letter.notice.kind.to_string());
        *end.sent.entry(place).or_default() += 1;
    }
    for received in world.recipient.received() {
        let what = received
            .order
            .map(|order| format!("{:?}", order.instruction));
        let number = nth(received.request);
        let orders = { end.sent.entry((number, what.unwrap_or_default())) }.or_default();
        // Who is faster also decides whether a recipient hears of a second identifier.
        *orders = if course.races(number) { 1 } else { *orders + 1 };
    }
    for person in [Ada, Grace] {
        let who = Identifier::mail(person.mail()).unwrap();
        end.stopped
            .push(world.desk.is_stopped(&world.acme, &who, &Use::Consent));
    }
    end.rows = format!("{:?} {:?}", world.desk.rows(), world.log.rows());
    let mut wrongs = storm.witness.wrongs();
    wrongs.append(&mut run.reported.lock().unwrap_or_else(PoisonError::into_inner));
    match wrongs.is_empty() {
        true => Ok(end),
        false => Err(wrongs.join("; ")),
    }
}

/// A deadline that passed unanswered is in the history, and none that did not.
fn overdue(
    seen: &Request,
    timeline: &[datarights::workflow::Envelope],
    due: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    tolerance: TimeDelta,
) -> Result<(), String> {
    let Some(due) = due else { return Ok(()) };
    if let Some(datarights::model::End::Joined(_)) = seen.lifecycle.end {
        return Ok(());
    }
    let recorded =
        { timeline.iter() }.any(|envelope| matches!(envelope.event, Event::DeadlinePassed { .. }));
    let answered = seen.lifecycle.answered_at.unwrap_or(now);
    if answered > due + tolerance && !recorded {
        return Err(format!("due {due}, answered {answered}, and not recorded"));
    }
    if answered + tolerance < due && recorded {
        return Err(format!("due {due}, answered {answered}, and called late"));
    }
    Ok(())
}

/// The package that is recorded is there; its stream fails unless it is the very one. Where another
/// request takes long, its days may be over: it is gone then, and no sooner.
fn package(
    world: &World,
    engine: &Engine,
    request: RequestId,
    seen: &Request,
    timeline: &[datarights::workflow::Envelope],
) -> Result<(), String> {
    let made = seen
        .fulfilment
        .as_ref()
        .is_some_and(|w| w.package.is_some());
    if !made {
        return Ok(());
    }
    let (acme, eve) = (&world.acme, common::staff("eve"));
    let fetch = async {
        let pieces = engine.package(acme, request, &eve).await;
        let pieces = pieces.map_err(|error| format!("the package: {error}"))?;
        let pieces: Result<Vec<_>, _> = pieces.try_collect().await;
        pieces.map_err(|error| format!("the package: {error}"))
    };
    let fetched = world.clock.drive(fetch).unwrap();
    let deleted = |envelope: &&datarights::workflow::Envelope| {
        matches!(envelope.event, Event::PackageDeleted)
    };
    let Some(deleted) = timeline.iter().find(deleted) else {
        return fetched.map(|_| ());
    };
    let keep = world.controller.policy.keep_package;
    let until = seen.lifecycle.answered_at.map(|answered| answered + keep);
    // By the clocks of workers, each of which may be wrong by hours.
    let early = until.is_none_or(|until| deleted.at + TimeDelta::hours(6) < until);
    match fetched.is_ok() || early {
        true => Err(format!(
            "the package that went at {}, to go at {until:?}",
            deleted.at
        )),
        false => Ok(()),
    }
}
