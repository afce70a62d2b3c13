//! Checks a gateway, line by line, against the contract of [`ProcessorGateway`].
//!
//! You provide a function that makes a fresh [`Specimen`]: your gateway, and the [`OtherEnd`] it
//! leads to, which can be looked at past the gateway. `docs/write-a-gateway.md` shows one.

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _, stream};

use super::contract::{Checked, Report, Violations, ensure, lines};
use super::delivery::{self, Delivery, OtherEnd, context, differ, person};
use crate::model::{Correction, Personal, Use};
use crate::ports::{Instruction, Order, Package, PortError, ProcessorGateway, Statement};

lines! {
    /// The lines of the contract of [`ProcessorGateway`].
    GatewayLine {
        Describes = "`describe` does not change",
        Informs = "`inform` passes on what is asked, about whom, and what the law wants told with it",
        Once = "`inform` and `transmit` are idempotent by key: what is sent twice takes effect once",
        Apart = "other keys, and the same key of another controller, are other effects",
        Confirmed = "*done* means that the recipient confirmed; until then it is *pending*, and the next call finds the confirmation, with the handle or without",
        Trouble = "what did not get there is a temporary error, or *pending*; the next call of the key sends what is missing, and nothing twice",
        Transmits = "`transmit` hands a package over whole",
        Broken = "a package whose content ends in an error: the error is passed on, and nothing takes effect",
        QuietErrors = "errors carry codes, never a value",
    }
}

/// A gateway that has sent nothing yet, and where it leads.
#[non_exhaustive]
pub struct Specimen {
    /// The gateway.
    pub gateway: Arc<dyn ProcessorGateway>,
    /// The recipient behind it.
    pub end: Arc<dyn OtherEnd>,
}

impl Specimen {
    /// A gateway and its recipient.
    pub fn new(gateway: Arc<dyn ProcessorGateway>, end: Arc<dyn OtherEnd>) -> Self {
        Self { gateway, end }
    }
}

/// Checks a gateway; `fresh` makes a new specimen for every check.
///
/// Not checked: that memory does not grow with the size of a package.
///
/// # Errors
/// The lines that it breaks.
pub async fn check(fresh: impl AsyncFn() -> Specimen) -> Result<(), Violations<GatewayLine>> {
    let mut report = Report::new();
    let inform = async || informs(fresh().await);
    let transmit = async || transmits(fresh().await);
    macro_rules! both {
        ($line:ident, $check:path) => {
            report.run(GatewayLine::$line, $check(&inform)).await;
            report.run(GatewayLine::$line, $check(&transmit)).await;
        };
    }
    report.run(GatewayLine::Describes, describes(&fresh)).await;
    report.run(GatewayLine::Informs, passes_on(&fresh)).await;
    both!(Once, delivery::once);
    both!(Apart, delivery::apart);
    both!(Confirmed, delivery::confirmed);
    both!(Trouble, delivery::trouble);
    report.run(GatewayLine::Transmits, whole(&fresh)).await;
    report.run(GatewayLine::Broken, broken(&fresh)).await;
    both!(QuietErrors, delivery::quiet);
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

fn order(nth: u8, instruction: Instruction) -> Order {
    Order {
        instruction,
        identifiers: person(nth),
        contents: Vec::new(),
    }
}

fn informs(Specimen { gateway, end }: Specimen) -> Delivery {
    let send = move |context, nth| {
        let gateway = Arc::clone(&gateway);
        async move {
            gateway
                .inform(&context, &order(nth, Instruction::Erase))
                .await
        }
        .boxed()
    };
    Delivery {
        send: Box::new(send),
        end,
    }
}

/// Not a multiple of anybody's buffer, and no two pieces or packages alike.
fn content(nth: u8) -> Vec<Vec<u8>> {
    let piece = |n: u32| (0..10_007 + n).map(|byte| (byte * 7 + n) as u8).collect();
    let mut pieces: Vec<Vec<u8>> = (0..5).map(piece).collect();
    pieces.push(vec![nth; 3]);
    pieces
}

fn package(pieces: Vec<Vec<u8>>, end: Option<PortError>) -> Package {
    let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
    let items = pieces.into_iter().map(Ok).chain(end.map(Err));
    Package {
        bytes,
        content: stream::iter(items).boxed(),
    }
}

fn transmits(Specimen { gateway, end }: Specimen) -> Delivery {
    let send = move |context, nth| {
        let gateway = Arc::clone(&gateway);
        async move {
            gateway
                .transmit(&context, package(content(nth), None))
                .await
        }
        .boxed()
    };
    Delivery {
        send: Box::new(send),
        end,
    }
}

async fn describes(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    let specimen = fresh().await;
    let gateway = Arc::clone(&specimen.gateway);
    let before = gateway.describe();
    informs(specimen).settle(context("described")?, 0).await?;
    ensure!(
        gateway.describe() == before && fresh().await.gateway.describe() == before,
        "it describes itself in two ways"
    );
    Ok(())
}

async fn passes_on(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    let correct = |value: &str| {
        Instruction::Rectify(vec![Correction {
            collection: "people".to_owned(),
            field: "name".to_owned(),
            value: Personal::new(value.to_owned()),
        }])
    };
    let mut told = order(0, Instruction::Erase);
    told.contents.push(Statement {
        item: "passing_on".to_owned(),
        article: "Art. 19".to_owned(),
        about: "what the suite wants told".to_owned(),
        words: Some("the suite's words".to_owned()),
    });
    let orders = [
        ("an erasure of which the law wants something told", told),
        ("an erasure", order(0, Instruction::Erase)),
        (
            "the erasure of another person",
            order(1, Instruction::Erase),
        ),
        ("a correction", order(0, correct("the suite's first name"))),
        (
            "a correction to another value",
            order(0, correct("the suite's other name")),
        ),
        ("a restriction", order(0, Instruction::Restrict(true))),
        (
            "the end of a restriction",
            order(0, Instruction::Restrict(false)),
        ),
        (
            "the end of a use",
            order(0, Instruction::Stop(vec![Use::DirectMarketing])),
        ),
    ];
    let mut seen = Vec::new();
    for (what, order) in orders {
        let Specimen { gateway, end } = fresh().await;
        let it = Delivery {
            send: Box::new(move |context, _| {
                let (gateway, order) = (Arc::clone(&gateway), order.clone());
                async move { gateway.inform(&context, &order).await }.boxed()
            }),
            end,
        };
        if it.settle(context("passed-on")?, 0).await? {
            let mut arrived = it.end.arrived().await;
            let content = arrived.pop().ok_or("it is *done*, and nothing arrived")?;
            seen.push((what, content));
        }
    }
    differ(&seen)
}

async fn whole(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    let it = transmits(fresh().await);
    if !it.settle(context("whole")?, 7).await? {
        return Ok(());
    }
    let arrived = it.end.arrived().await;
    let package = arrived.last().ok_or("it is *done*, and nothing arrived")?;
    ensure!(
        *package.expose() == content(7).concat(),
        "the package that arrived is another one: {} bytes, not {}",
        package.expose().len(),
        content(7).concat().len()
    );
    Ok(())
}

async fn broken(fresh: &impl AsyncFn() -> Specimen) -> Checked {
    if !delivery::supported(&async || transmits(fresh().await)).await? {
        return Ok(());
    }
    let mut pieces = content(0);
    pieces.pop();
    for cut in [0, 1, pieces.len()] {
        let Specimen { gateway, end } = fresh().await;
        let altered = PortError::refused("altered_for_the_suite");
        let half = package(pieces[..cut].to_vec(), Some(altered.clone()));
        match gateway.transmit(&context("broken")?, half).await {
            Ok(_) => return Err("a broken package was handed over without an error".into()),
            Err(error) => ensure!(
                error == altered,
                "the error of the content became another one, of kind {:?}",
                error.kind
            ),
        }
        end.confirm().await;
        ensure!(
            end.arrived().await.is_empty(),
            "of a package that broke after {cut} pieces, something took effect"
        );
        // The same key again, with the package as it should be.
        let it = transmits(Specimen { gateway, end });
        it.settle(context("broken")?, 0).await?;
        let arrived = it.end.arrived().await;
        ensure!(
            arrived.len() == 1 && *arrived[0].expose() == content(0).concat(),
            "after a package that broke, the whole one does not arrive as it is"
        );
    }
    Ok(())
}
