//! What an operator sees of the attempts: each has its span and its counts, with names, codes and
//! numbers, and nothing of the person.
#![cfg(all(feature = "testkit", feature = "tracing", feature = "metrics"))]
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic)] // tests

mod common;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use common::World;
use datarights::model::{Right, Wish};
use datarights::ports::ErrorKind;
use datarights::testkit::{Fault, Method};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// The fields of every span that ended and of every event, by name.
#[derive(Clone, Default)]
struct Seen {
    spans: Arc<Mutex<Vec<Fields>>>,
    events: Arc<Mutex<Vec<Fields>>>,
}

#[derive(Clone, Default, Debug)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, span: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let name = span.metadata().name().to_owned();
        fields.0.insert("name".to_owned(), name);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let fields = context.span(&id).unwrap().extensions_mut().remove();
        self.spans.lock().unwrap().push(fields.unwrap());
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.events.lock().unwrap().push(fields);
    }
}

/// An erasure whose source does not answer at first, seen by an operator.
fn erasure(world: &World) {
    let engine = world.engine();
    let busy = [
        Fault::Fail(ErrorKind::Unavailable),
        Fault::Fail(ErrorKind::Busy),
    ];
    world.log_port.will(Method::Erase, busy);
    let request = world.submit(&engine, Wish::of(Right::Erasure));
    world.work(&engine);
    world.carry_out(&engine, request);
}

/// One test for both: whether anybody wants a span is remembered for the whole process, so nothing
/// may run beside it that nobody watches.
#[test]
fn every_attempt_has_its_span_and_its_counts() {
    let (seen, recorder, world) = (Seen::default(), DebuggingRecorder::new(), World::new());
    let counts = recorder.snapshotter();
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    tracing::subscriber::with_default(subscriber, || {
        metrics::with_local_recorder(&recorder, || erasure(&world));
    });
    every_attempt_has_a_span_with_its_outcome(&seen);
    attempts_are_counted_by_what_for_whom_and_how_they_ended(&counts);
}

fn every_attempt_has_a_span_with_its_outcome(seen: &Seen) {
    let spans: Vec<Fields> = seen.spans.lock().unwrap().clone();
    let of = |effect: &str, target: &str| {
        let matches = |fields: &&Fields| {
            fields.0["name"] == "datarights.attempt"
                && fields.0["effect"] == effect
                && fields.0["target"] == target
        };
        let told = |fields: &Fields| {
            let code = fields.0.get("code").cloned();
            (
                fields.0["attempt"].clone(),
                fields.0["outcome"].clone(),
                code,
            )
        };
        spans.iter().filter(matches).map(told).collect::<Vec<_>>()
    };
    let [first, second, third] = &of("erase", "source/log")[..] else {
        panic!("{spans:?}");
    };
    assert_eq!((&*first.0, &*first.1), ("1", "later"));
    assert_eq!((&*second.0, &*second.1), ("2", "later"));
    assert_eq!(*third, ("3".to_owned(), "done".to_owned(), None));
    assert!(first.2.is_some() && second.2.is_some(), "with a code");
    assert_eq!(of("locate", "source/desk").len(), 1);
    assert_eq!(of("inform", "recipient/mailer").len(), 1);
    assert!(!of("notify_response", "request").is_empty());

    let events = seen.events.lock().unwrap().clone();
    assert_eq!(events.len(), 2, "one for each attempt that came to nothing");
    let told = format!("{spans:?} {events:?}").to_lowercase();
    for personal in ["ada", "lovelace", "example.org", "1815"] {
        assert!(!told.contains(personal), "{personal} in {told}");
    }
}

fn attempts_are_counted_by_what_for_whom_and_how_they_ended(counts: &Snapshotter) {
    let mut counted = BTreeMap::new();
    let mut running = None;
    let mut timed = 0;
    for (key, _, _, value) in counts.snapshot().into_vec() {
        let labels: Vec<&str> = key.key().labels().map(|label| label.value()).collect();
        match (key.key().name(), value) {
            ("datarights_attempts_total", DebugValue::Counter(count)) => {
                counted.insert(labels.join(" "), count);
            }
            ("datarights_attempt_seconds", DebugValue::Histogram(values)) => timed += values.len(),
            ("datarights_attempts_running", DebugValue::Gauge(value)) => running = Some(value),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counted["erase source/log later"], 2);
    assert_eq!(counted["erase source/log done"], 1);
    assert_eq!(counted["locate source/desk done"], 1);
    assert_eq!(
        running.map(f64::from),
        Some(0.0),
        "nothing is under way any more"
    );
    assert_eq!(timed as u64, counted.values().sum::<u64>());
}
