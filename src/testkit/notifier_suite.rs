//! Checks a notifier, line by line, against the contract of [`Notifier`].
//!
//! You provide a function that makes a fresh [`Specimen`]: your notifier, and the [`OtherEnd`] that
//! shows what went out, e.g. a mail server of the test's own.

use std::sync::Arc;

use futures::FutureExt as _;

use super::contract::{Checked, Report, Violations, lines};
use super::delivery::{self, Delivery, OtherEnd, context, differ, person};
use crate::model::{RequestId, Right};
use crate::ports::{Notice, Notifier, Statement};

lines! {
    /// The lines of the contract of [`Notifier`].
    NotifierLine {
        Says = "a letter goes to whom it is for, and says all of its contents",
        Once = "`notify` is idempotent by key: a letter goes out once",
        Apart = "other keys, and the same key of another controller, are other letters",
        HandedOver = "*done* means handed over to what delivers it; on paper it is *pending* until it is posted",
        Trouble = "what was not handed over is a temporary error, or *pending*; the next call of the key makes it good, and sends nothing twice",
        QuietErrors = "errors carry codes, never a value",
    }
}

/// A notifier that has sent nothing yet, and where its letters go.
#[non_exhaustive]
pub struct Specimen {
    /// The notifier.
    pub notifier: Arc<dyn Notifier>,
    /// What delivers its letters.
    pub end: Arc<dyn OtherEnd>,
}

impl Specimen {
    /// A notifier and what delivers its letters.
    pub fn new(notifier: Arc<dyn Notifier>, end: Arc<dyn OtherEnd>) -> Self {
        Self { notifier, end }
    }
}

/// Checks a notifier; `fresh` makes a new specimen for every check.
///
/// Not checked: what a letter of the host's own wording says.
///
/// # Errors
/// The lines that it breaks.
pub async fn check(fresh: impl AsyncFn() -> Specimen) -> Result<(), Violations<NotifierLine>> {
    let mut report = Report::new();
    let letters = async || sends(fresh().await, notice);
    report.run(NotifierLine::Says, says(&fresh)).await;
    report
        .run(NotifierLine::Once, delivery::once(&letters))
        .await;
    report
        .run(NotifierLine::Apart, delivery::apart(&letters))
        .await;
    report
        .run(NotifierLine::HandedOver, delivery::confirmed(&letters))
        .await;
    report
        .run(NotifierLine::Trouble, delivery::trouble(&letters))
        .await;
    report
        .run(NotifierLine::QuietErrors, delivery::quiet(&letters))
        .await;
    report.end()
}

/// Like [`check`], and panics with the broken lines.
///
/// # Panics
/// When a line is broken.
#[allow(clippy::panic, reason = "an assertion for tests")]
pub async fn assert_conforms(fresh: impl AsyncFn() -> Specimen) {
    if let Err(violations) = check(fresh).await {
        panic!("{violations}");
    }
}

fn sends(
    Specimen { notifier, end }: Specimen,
    notice: impl Fn(RequestId, u8) -> Notice + Send + Sync + 'static,
) -> Delivery {
    Delivery {
        send: Box::new(move |context, nth| {
            let (notifier, notice) = (Arc::clone(&notifier), notice(context.request, nth));
            async move { notifier.notify(&context, &notice).await }.boxed()
        }),
        end,
    }
}

/// A response to one of the suite's people.
fn notice(request: RequestId, nth: u8) -> Notice {
    let mut notice = Notice::new("response", request, Right::Access, person(nth));
    notice.contents = vec![statement("purposes", "the suite's purposes")];
    notice
}

fn statement(item: &str, words: &str) -> Statement {
    Statement {
        item: item.to_owned(),
        article: "Art. 15(1)".to_owned(),
        about: "what the suite wants said".to_owned(),
        words: Some(words.to_owned()),
    }
}

async fn says(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    type Change = fn(&mut Notice);
    let letters: [(&str, Change); 5] = [
        ("a letter", |_| {}),
        ("one to another person", |notice| notice.to = person(1)),
        ("one of another kind", |notice| {
            notice.kind = "refusal".into()
        }),
        ("one with other words", |notice| {
            notice.contents = vec![statement("purposes", "the suite's other purposes")];
        }),
        ("one that says more", |notice| {
            notice
                .contents
                .push(statement("complaint", "the suite's authority"));
        }),
    ];
    let mut seen = Vec::new();
    for (what, change) in letters {
        let changed = move |request, nth| {
            let mut notice = notice(request, nth);
            change(&mut notice);
            notice
        };
        let it = sends(fresh().await, changed);
        if it.settle(context("says")?, 0).await? {
            let mut arrived = it.end.arrived().await;
            let content = arrived.pop().ok_or("it is *done*, and nothing went out")?;
            seen.push((what, content));
        }
    }
    differ(&seen)
}
