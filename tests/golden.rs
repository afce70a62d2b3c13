//! Persisted shapes, for ever: one stored event of every type, and a state of every machine.
//!
//! A file is never changed. A type without one fails; `NEW_GOLDEN=1` writes the files that are
//! missing, and only those.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)] // tests

#[path = "machines/world.rs"]
mod world;

use std::path::PathBuf;

use chrono::TimeDelta;
use datarights::law::{ClockEventKind, ClockHistory, Due, DueOn, RegimePin};
use datarights::model::{
    Channel, Digest, End, Failure, Ground, Handle, IdentifierKind, IntakeId, KeyedDigest, Outcome,
    Pending, Purpose, RequestId, Right, SearchDepth, Task as ManualTask, Until, Use, Verdict,
};
use datarights::workflow::fulfilment::Phase;
use datarights::workflow::{
    Approval, Cause, Clock, CodecError, EffectKey, Envelope, Event, Finding, Letter, Received,
    Request, SCHEMA, SourceInfo, StepResult, Target, Task, Timer, lifecycle,
};
use world::*;

fn folder(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(kind)
        .join("v1")
}

/// What is stored under a name; written first if it is new and that was asked for.
fn stored(kind: &str, name: &str, written: &[u8]) -> Vec<u8> {
    let path = folder(kind).join(format!("{name}.json"));
    if !path.exists() && std::env::var_os("NEW_GOLDEN").is_some() {
        std::fs::create_dir_all(folder(kind)).unwrap();
        std::fs::write(&path, written).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|_| panic!("no golden file {}", path.display()))
}

fn clock() -> Clock {
    let pin = r#"{"id":"eu_gdpr","version":"1","digest":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}"#;
    let due = Due::Due {
        on: DueOn::Date(day(31)),
        late_from: start() + TimeDelta::days(31),
        provisional: false,
    };
    Clock {
        regime: serde_json::from_str::<RegimePin>(pin).unwrap(),
        history: ClockHistory::received(start()).with(
            ClockEventKind::IdentityRequested,
            start() + TimeDelta::days(1),
        ),
        response: Some(due),
        refusal: None,
        acknowledgement: None,
        extension_notice: Some(due),
        appeal: None,
        appeal_history: None,
        appeal_extension_notice: None,
        fee: None,
    }
}

fn manual() -> Pending {
    Pending {
        handle: Handle("task-7".to_owned()),
        look_again: start() + TimeDelta::days(14),
        task: Some(ManualTask {
            title: "Search the paper archive".to_owned(),
        }),
    }
}

/// An answer of a step.
fn step(task: Task, target: Target, result: StepResult) -> Event {
    Event::StepAnswered {
        task,
        target,
        result,
    }
}

/// One event of every type, several where their content differs in kind. The first word of a
/// name is the type.
fn events() -> Vec<(&'static str, Event)> {
    let crm = || Target::Source(source_id("crm"));
    let letter = Letter::Response;
    let located = Finding::Located {
        rows: rows(3),
        locators: Some(part("locators/crm")),
        keys: vec![KeyedDigest::from_bytes([1; 32])],
        identified: Some((
            part("identifiers/1"),
            vec![
                IdentifierKind::Account,
                IdentifierKind::Custom("badge".into()),
            ],
        )),
        horizon: Some(start()),
    };
    vec![
        (
            "received",
            Event::Received(Box::new(Received {
                intake: IntakeId::new(uuid::Uuid::from_u128(2)),
                right: Right::Rectification,
                channel: Channel::Custom("kiosk".into()),
                received_at: start(),
                person: vec![KeyedDigest::from_bytes([7; 32])],
                kinds: vec![IdentifierKind::Mail, IdentifierKind::NameAndBirth],
                identifiers: part("identifiers/0"),
                corrections: Some(part("corrections")),
                deliver_to: Some(party("other-bank")),
                uses: Vec::new(),
                beside: None,
                clock: clock(),
            })),
        ),
        ("identity_requested", Event::IdentityRequested),
        ("identity_attempted", Event::IdentityAttempted),
        ("identity_rejected", Event::IdentityRejected),
        ("identity_confirmed", Event::IdentityConfirmed),
        ("clarification_requested", Event::ClarificationRequested),
        ("clarification_received", Event::ClarificationReceived),
        (
            "fee_requested",
            Event::FeeRequested {
                minor_units: 1250,
                currency: "EUR".to_owned(),
                ground: None,
            },
        ),
        ("fee_paid", Event::FeePaid),
        ("fee_waived", Event::FeeWaived),
        (
            "extended",
            Event::Extended {
                ground: ground(),
                until: None,
            },
        ),
        ("clock_moved", Event::ClockMoved(Box::new(clock()))),
        ("approved", Event::Approved),
        ("refused", Event::Refused { ground: ground() }),
        (
            "started",
            Event::Started {
                sources: vec![SourceInfo {
                    id: source_id("crm"),
                    accepts: vec![IdentifierKind::Mail, IdentifierKind::IpDuring],
                    erase_after: vec![source_id("orders")],
                }],
                recipients: vec![party("mailer")],
            },
        ),
        (
            "entered",
            Event::Entered {
                phase: Phase::Locating,
            },
        ),
        (
            "step_answered.located",
            step(Task::Locate, crm(), StepResult::done(located)),
        ),
        (
            "step_answered.planned",
            step(
                Task::Plan,
                crm(),
                StepResult::done(planned(
                    "crm",
                    "a",
                    3,
                    vec![withheld(Until::Date(day(400)))],
                )),
            ),
        ),
        (
            "step_answered.read",
            step(
                Task::Read,
                crm(),
                StepResult::Done {
                    finding: read("crm", vec![withheld(Until::Always)]),
                    missing: vec![missing(Failure::Code("too_large".into()))],
                },
            ),
        ),
        (
            "step_answered.packed",
            step(
                Task::Pack,
                Target::Request,
                StepResult::done(Finding::Packed {
                    bytes: 1000,
                    digest: Digest::of(b"package"),
                    name: None,
                }),
            ),
        ),
        (
            "step_answered.changed",
            step(
                Task::Rectify,
                crm(),
                StepResult::done(Finding::Changed { rows: rows(1) }),
            ),
        ),
        (
            "step_answered.erased",
            step(
                Task::Erase,
                crm(),
                StepResult::done(erased(3, vec![withheld(Until::HoldLifted)])),
            ),
        ),
        (
            "step_answered.left",
            step(Task::Search, crm(), StepResult::done(left(rows(1)))),
        ),
        (
            "step_answered.nothing",
            step(
                Task::Inform,
                Target::Recipient(party("mailer")),
                StepResult::done(Finding::Nothing),
            ),
        ),
        (
            "step_answered.unsupported",
            step(Task::Restrict, crm(), StepResult::Unsupported),
        ),
        (
            "step_answered.pending",
            step(Task::Locate, crm(), StepResult::Pending(manual())),
        ),
        (
            "step_answered.failed",
            step(Task::Verify, crm(), StepResult::Failed(Failure::Broke)),
        ),
        ("step_reopened", Event::StepReopened { target: crm() }),
        ("step_blocked", Event::StepBlocked { target: crm() }),
        (
            "plan_approved",
            Event::PlanApproved {
                digest: Digest::of(b"plan"),
            },
        ),
        ("plan_changed", Event::PlanChanged),
        ("confirmed", Event::Confirmed),
        (
            "grace_granted",
            Event::GraceGranted {
                until: start() + TimeDelta::days(14),
            },
        ),
        (
            "withholding",
            Event::Withholding {
                until: Some(start() + TimeDelta::days(400)),
                again: false,
            },
        ),
        ("cancelled", Event::Cancelled),
        ("hold_lifted", Event::HoldLifted),
        (
            "ended",
            Event::Ended {
                outcome: Outcome::Partly,
            },
        ),
        ("reworked", Event::Reworked),
        ("released", Event::Released),
        ("letter_sent", Event::LetterSent { letter }),
        (
            "letter_failed",
            Event::LetterFailed {
                letter,
                failure: Failure::Unavailable,
            },
        ),
        (
            "letter_pending",
            Event::LetterPending {
                letter,
                pending: manual(),
            },
        ),
        ("letter_resent", Event::LetterResent { letter }),
        ("appealed", Event::Appealed),
        ("appeal_decided", Event::AppealDecided { granted: true }),
        ("deadline_near", Event::DeadlineNear),
        (
            "deadline_passed",
            Event::DeadlinePassed {
                at: start() + TimeDelta::days(31),
            },
        ),
        (
            "closed",
            Event::Closed {
                end: End::Refused(Ground::new("excessive")),
            },
        ),
        ("package_deleted", Event::PackageDeleted),
        ("shredded", Event::Shredded),
        // New ones come last: an event is stored with its place in this list.
        (
            "identifiers_added",
            Event::IdentifiersAdded {
                identifiers: part("identifiers/by-hand"),
                kinds: vec![IdentifierKind::Phone],
            },
        ),
        (
            "step_answered.packed_named",
            step(
                Task::Pack,
                Target::Request,
                StepResult::done(Finding::Packed {
                    bytes: 1000,
                    digest: Digest::of(b"package"),
                    name: Some("package-3-5-1.zip".to_owned()),
                }),
            ),
        ),
        (
            "received.uses",
            Event::Received(Box::new(Received {
                intake: IntakeId::new(uuid::Uuid::from_u128(2)),
                right: Right::Objection,
                channel: Channel::Form,
                received_at: start(),
                person: vec![KeyedDigest::from_bytes([7; 32])],
                kinds: vec![IdentifierKind::Mail],
                identifiers: part("identifiers/0"),
                corrections: None,
                deliver_to: None,
                uses: vec![
                    Use::DirectMarketing,
                    Use::Consent,
                    Use::SaleOrSharing,
                    Use::SensitiveBeyondNeeds,
                    Use::Purpose(Purpose("newsletter".into())),
                ],
                beside: None,
                clock: clock(),
            })),
        ),
        ("granted", Event::Granted),
        (
            "step_answered.stopped",
            step(
                Task::Stop,
                crm(),
                StepResult::done(stopped(3, Some(IdentifierKind::Account))),
            ),
        ),
        (
            "step_answered.reviewed",
            step(
                Task::Review,
                Target::Request,
                StepResult::done(Finding::Reviewed {
                    verdict: Verdict::Changed,
                }),
            ),
        ),
        (
            "restricted",
            Event::Restricted {
                outcome: Outcome::Done,
            },
        ),
        // A file holds its place in this list: what is new comes last.
        (
            "fee_requested.ground",
            Event::FeeRequested {
                minor_units: 1250,
                currency: "EUR".to_owned(),
                ground: Some(ground()),
            },
        ),
        (
            "extended.until",
            Event::Extended {
                ground: ground(),
                until: Some(day(60)),
            },
        ),
        (
            "clock_moved.appeal",
            Event::ClockMoved(Box::new(Clock {
                appeal: clock().response,
                ..clock()
            })),
        ),
        (
            "letter_overdue",
            Event::LetterOverdue {
                letter: Letter::Acknowledgement,
                at: start() + TimeDelta::days(14),
            },
        ),
        ("left_as_it_is", Event::LeftAsItIs),
        ("unanswered", Event::Unanswered),
        (
            "step_answered.planned_untaken",
            step(
                Task::Plan,
                crm(),
                StepResult::Done {
                    finding: planned_without_the_first("crm", 3),
                    missing: vec![missing(Failure::NoSuchField)],
                },
            ),
        ),
        (
            "withholding.again",
            Event::Withholding {
                until: Some(start()),
                again: true,
            },
        ),
        (
            "challenge_failed",
            Event::ChallengeFailed {
                failure: Failure::Unavailable,
            },
        ),
        ("challenged_again", Event::ChallengedAgain),
        (
            "joined_by",
            Event::JoinedBy {
                request: RequestId::new(uuid::Uuid::from_u128(3)),
            },
        ),
        ("fraud_suspected", Event::FraudSuspected),
        ("results_announced", Event::ResultsAnnounced { at: start() }),
        (
            "appeal_extended",
            Event::AppealExtended {
                ground: Ground::new("complexity"),
            },
        ),
        (
            "clock_moved.appeal_extended",
            Event::ClockMoved(Box::new(Clock {
                appeal: clock().response,
                appeal_history: Some(clock().history),
                appeal_extension_notice: clock().response,
                fee: clock().response,
                ..clock()
            })),
        ),
        (
            "received.beside",
            Event::Received(Box::new(Received {
                intake: IntakeId::new(uuid::Uuid::from_u128(2)),
                right: Right::Erasure,
                channel: Channel::Form,
                received_at: start(),
                person: vec![KeyedDigest::from_bytes([7; 32])],
                kinds: vec![IdentifierKind::Mail],
                identifiers: part("identifiers/0"),
                corrections: None,
                deliver_to: None,
                uses: Vec::new(),
                beside: Some(RequestId::new(uuid::Uuid::from_u128(3))),
                clock: clock(),
            })),
        ),
        (
            "step_answered.left_by_value",
            step(
                Task::Search,
                crm(),
                StepResult::done(Finding::Left {
                    rows: rows(1),
                    depth: SearchDepth::ByValue,
                }),
            ),
        ),
        ("resumed", Event::Resumed),
        ("repaired", Event::Repaired),
    ]
}

/// Each with another actor and cause, so that those are stored too.
fn envelopes() -> Vec<(&'static str, Envelope)> {
    let causes = [
        Cause::Command,
        Cause::Timer(Timer::Deadline),
        Cause::Effect(EffectKey("locate/crm/1".to_owned())),
    ];
    events()
        .into_iter()
        .enumerate()
        .map(|(index, (name, event))| {
            let envelope = Envelope {
                schema: SCHEMA,
                controller: controller(),
                request: RequestId::new(uuid::Uuid::from_u128(1)),
                sequence: index as u64 + 1,
                at: start() + TimeDelta::milliseconds(1500 * index as i64),
                actor: actors()[index % 7].clone(),
                cause: causes[index % 3].clone(),
                previous: Digest::of(&index.to_be_bytes()),
                event,
            };
            (name, envelope)
        })
        .collect()
}

#[test]
fn stored_events_are_read_and_written_as_ever() {
    for (name, envelope) in envelopes() {
        let encoded = envelope.encode().unwrap();
        let golden = stored("events", name, &encoded);
        let text = String::from_utf8_lossy(&golden);
        assert_eq!(Envelope::decode(&golden).unwrap(), envelope, "{name}");
        assert_eq!(String::from_utf8_lossy(&encoded), text, "{name}");
    }
}

/// The names of the variants of a type, as its own reader lists them.
fn variants<T: serde::de::DeserializeOwned>() -> Vec<String> {
    let Err(error) = serde_json::from_str::<T>("\"no_such_name\"") else {
        panic!("a name that is none was read");
    };
    let error = error.to_string();
    let (_, list) = error.split_once("expected one of ").unwrap();
    list.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_type_is_without_a_golden_file() {
    let golden = events();
    let names: Vec<_> = golden.iter().map(|(name, _)| *name).collect();
    for kind in variants::<Event>() {
        let has = |name: &&str| name.split('.').next() == Some(kind.as_str());
        assert!(
            names.iter().any(has),
            "no golden file for the event `{kind}`"
        );
    }
    let results = variants::<StepResult>()
        .into_iter()
        .filter(|name| name != "done");
    for kind in variants::<Finding>().into_iter().chain(results) {
        let name = format!("step_answered.{kind}");
        assert!(
            names.contains(&name.as_str()),
            "no golden file for `{name}`"
        );
    }
    // A file that nothing reads any more is a shape that was forgotten.
    for entry in std::fs::read_dir(folder("events")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(names.contains(&name.as_str()), "nothing reads {name}");
    }
}

/// The golden file of an event as JSON, altered.
fn altered(name: &str, alter: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let bytes = std::fs::read(folder("events").join(format!("{name}.json"))).unwrap();
    let mut value = serde_json::from_slice(&bytes).unwrap();
    alter(&mut value);
    serde_json::to_vec(&value).unwrap()
}

#[test]
fn what_is_unknown_or_damaged_is_an_error_that_says_so() {
    let newer = altered("approved", |event| event["schema"] = 2.into());
    let read = Envelope::decode(&newer);
    assert!(
        matches!(read, Err(CodecError::UnknownSchema { found: 2 })),
        "{read:?}"
    );

    // A newer schema may look like nothing we know, and is still told as such.
    let foreign = br#"{"schema":9,"what":"ever"}"#;
    let read = Envelope::decode(foreign);
    assert!(
        matches!(read, Err(CodecError::UnknownSchema { found: 9 })),
        "{read:?}"
    );

    for (what, bytes) in [
        (
            "an unknown type",
            altered("approved", |e| e["event"] = "approved_twice".into()),
        ),
        (
            "a missing field",
            altered("closed", |e| e["event"]["closed"] = serde_json::json!({})),
        ),
        (
            "a missing actor",
            altered("approved", |e| {
                e.as_object_mut().unwrap().remove("actor");
            }),
        ),
        (
            "an unknown field",
            altered("approved", |e| e["extra"] = 1.into()),
        ),
        (
            "an unknown field of a type",
            altered("grace_granted", |e| {
                e["event"]["grace_granted"]["extra"] = 1.into();
            }),
        ),
        (
            "a wrong value",
            altered("deadline_passed", |e| {
                e["event"]["deadline_passed"]["at"] = "yesterday".into();
            }),
        ),
        (
            "another phase",
            altered("entered", |e| {
                e["event"]["entered"]["phase"] = "dancing".into();
            }),
        ),
        ("nothing", Vec::new()),
        ("no JSON", b"\xff\xfe".to_vec()),
        ("no schema", b"{}".to_vec()),
    ] {
        let read = Envelope::decode(&bytes);
        assert!(
            matches!(read, Err(CodecError::Malformed { .. })),
            "{what}: {read:?}"
        );
    }
}

#[test]
fn an_event_cut_anywhere_is_not_read() {
    for (name, envelope) in envelopes() {
        let bytes = envelope.encode().unwrap();
        for end in 0..bytes.len() {
            let read = Envelope::decode(&bytes[..end]);
            assert!(
                matches!(read, Err(CodecError::Malformed { .. })),
                "{name} cut at {end}"
            );
        }
    }
}

/// Stored when the person was waited for since the question was decided on, and the clock moved
/// with that: one event more.
fn waits_as_before(course: &mut Course) {
    course.situation.request.lifecycle.waiting_since = Some(start());
    course.situation.request.sequence += 1;
}

/// A request of every machine where it is most eventful.
fn states() -> Vec<(&'static str, Request)> {
    let world = |right| {
        let mut world = World::simple(right);
        world.policy.plan_approval = Approval::FourEyes;
        world.landscape = landscapes().swap_remove(1);
        world
    };
    let learned = StepResult::done(located("accounts", 3, Some(IdentifierKind::Account)));

    let learned_again = learned.clone();

    let mut lifecycle = Course::of(world(Right::Access));
    lifecycle.give(lifecycle::Command::RequestIdentity);
    lifecycle.give(lifecycle::Command::AttemptIdentity);
    for letter in [Letter::IdentityRequest, Letter::Acknowledgement] {
        let failure = Failure::Unavailable;
        lifecycle.give(lifecycle::Command::LetterFailed { letter, failure });
    }
    waits_as_before(&mut lifecycle);

    let mut access = Course::approved(world(Right::Access));
    access.answer_source("accounts", learned.clone());
    access.answer_source("orders", StepResult::Pending(manual()));

    let mut export = world(Right::Export);
    export.delivery = datarights::workflow::Delivery::Transmit(party("other-bank"));
    let mut export = Course::approved(export);
    export.work_until(Phase::Sending);
    export.give(extend());

    let mut rectification = Course::approved(world(Right::Rectification));
    rectification.work_until(Phase::Approval);

    let mut erasure = Course::approved(world(Right::Erasure));
    erasure.answer_source("accounts", learned);
    erasure.work_until(Phase::Approval);
    let digest = erasure.work().plan_digest();
    erasure.give(datarights::workflow::fulfilment::Command::ApprovePlan { digest });
    erasure.work_until(Phase::Erasing);
    let kept = vec![withheld(Until::Date(day(400)))];
    erasure.answer_source("orders", StepResult::done(erased(3, kept)));
    erasure.answer_source("accounts", StepResult::Failed(Failure::Refused));
    erasure.work_until(Phase::Withholding);

    let mut letters = Course::of(world(Right::Access));
    letters.give(extend());
    letters.give(lifecycle::Command::ConfirmIdentity);
    letters.give(lifecycle::Command::ChargeFee {
        minor_units: 1250,
        currency: "EUR".to_owned(),
        ground: Some(ground()),
    });
    letters.give(lifecycle::Command::LetterSent {
        letter: Letter::Acknowledgement,
    });
    for letter in [Letter::FeeRequest, Letter::Extension] {
        let pending = manual();
        letters.give(lifecycle::Command::LetterPending { letter, pending });
    }
    waits_as_before(&mut letters);

    let mut named = export.request().clone();
    named.fulfilment.as_mut().unwrap().package_name = Some("package-3-5-1.zip".to_owned());

    let mut restriction = Course::approved(world(Right::Restriction));
    restriction.answer_source("accounts", learned_again);
    restriction.work_until(Phase::Restricted).answered();
    restriction.give(datarights::workflow::fulfilment::Command::Lift);
    restriction.give(lifecycle::Command::LetterSent {
        letter: Letter::RestrictionLifted,
    });

    let mut stop = Course::of(world(Right::ConsentWithdrawal));
    let learned = StepResult::done(stopped(3, Some(IdentifierKind::Account)));
    stop.answer_source("accounts", learned);

    let mut review = Course::approved(world(Right::HumanReview));
    review.work_until(Phase::Ended);
    // Stored when a verdict could come before its task was handed out: one event fewer.
    review.situation.request.sequence -= 1;

    let mut states = [
        ("restriction", restriction),
        ("stop", stop),
        ("human_review", review),
        ("lifecycle", lifecycle),
        ("access", access),
        ("export", export),
        ("rectification", rectification),
        ("erasure", erasure),
        ("letters", letters),
    ]
    .map(|(name, course)| (name, course.request().clone()))
    .to_vec();
    states.push(("export_named", named));
    states
}

#[test]
fn stored_states_are_read_and_written_as_ever() {
    for (name, state) in states() {
        let golden = stored("states", name, &serde_json::to_vec(&state).unwrap());
        let mut read: Request = serde_json::from_slice(&golden).unwrap();
        // Written as it was read.
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written, String::from_utf8_lossy(&golden), "{name}");
        // The law is pinned by its digest, which changes with our tables.
        read.clock = state.clock.clone();
        // Once, what went out and on which ground it was extended was told by the events alone.
        let text = String::from_utf8_lossy(&golden);
        if !text.contains(r#""sent":"#) {
            assert_eq!(read.lifecycle.sent, []);
            read.lifecycle.sent.clone_from(&state.lifecycle.sent);
        }
        if !text.contains(r#""extension":"#) {
            assert_eq!(read.lifecycle.extension, None);
            read.lifecycle
                .extension
                .clone_from(&state.lifecycle.extension);
        }
        assert_eq!(read, state, "{name}");
    }
}

/// One letter at most could wait when there was a place for one.
#[test]
fn a_letter_that_waited_alone_still_waits() {
    let written = r#""pending_letter":["response",{"handle":"task-7","look_again":"2026-03-16T09:00:00Z","task":null}]"#;
    let golden = std::fs::read_to_string(folder("states").join("lifecycle.json")).unwrap();
    let golden = golden.replace(r#""pending_letter":null"#, written);
    assert!(golden.contains(written));
    let read: Request = serde_json::from_str(&golden).unwrap();
    let waiting = &read.lifecycle.pending_letters;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].0, Letter::Response);
    let again: Request = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read);
}
