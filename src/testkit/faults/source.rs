//! A source that misbehaves.

use async_trait::async_trait;
use futures::{Stream, StreamExt, stream};

use super::{CanFail, Fakes, Fault, Faulty, Method, break_down};
use crate::model::{
    Assurance, Collection, Column, Correction, Identifier, Personal, RowCount, Use, Value,
};
use crate::ports::{
    Answer, CallContext, Cell, Erased, Item, Located, Locator, PersonalDataSource, PlannedAction,
    PlannedRows, PortError, Reading, Residue, SourceDescription, SourcePlan, Stopped, Work,
};

/// A count that cannot be, of a collection that is not there.
fn absurd() -> Vec<RowCount> {
    vec![RowCount::new("no_such_collection", u64::MAX)]
}

/// What an erasure claims that did as planned.
fn claimed(plan: &SourcePlan) -> Erased {
    let mut erased = Erased {
        rows: Vec::new(),
        withheld: Vec::new(),
        assurance: Assurance::Deleted,
    };
    for line in &plan.rows {
        match line.withheld() {
            Some(kept) => erased.withheld.push(kept),
            None => erased.rows.push(RowCount::new(&line.collection, line.rows)),
        }
    }
    erased
}

fn nonsense_items() -> Reading {
    let one_column = Collection::new("no_such_collection", [Column::new("a")]);
    let row = || Item::Row(vec![Cell::Value(Value::Null), Cell::Value(Value::Null)]);
    stream::iter([Ok(row()), Ok(Item::Collection(one_column)), Ok(row())]).boxed()
}

fn endless_items() -> Reading {
    let collection = Collection::new("endless", [Column::new("number")]);
    let rows = (0..=i64::MAX).map(|n| Ok(Item::Row(vec![Cell::from(n)])));
    stream::iter(std::iter::once(Ok(Item::Collection(collection))).chain(rows)).boxed()
}

/// The first items of a stream, and then what `end` says.
pub(super) fn cut<S, T>(
    items: S,
    steps: usize,
    end: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> futures::stream::BoxStream<'static, Result<T, PortError>>
where
    S: Stream<Item = Result<T, PortError>> + Send + 'static,
    T: Send + 'static,
{
    items
        .take(steps)
        .chain(stream::once(async move { end() }))
        .boxed()
}

#[async_trait]
impl<S: PersonalDataSource> PersonalDataSource for Faulty<S> {
    fn describe(&self) -> SourceDescription {
        self.inner.describe()
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        let fault = self.begin(Method::Locate, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.locate(context, identifiers),
            Fakes {
                lie: &|| Answer::Done(Located::default()),
                garbage: &|| {
                    Ok(Answer::Done(Located {
                        locators: (0..=10_000).map(|n| Locator::new(n.to_string())).collect(),
                        rows: absurd(),
                        ..Located::default()
                    }))
                },
            },
        )
        .await
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        let fault = self.begin(Method::Plan, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.plan(context, locators, work),
            Fakes {
                lie: &|| Answer::Done(SourcePlan::new(Vec::new())),
                garbage: &|| {
                    Ok(Answer::Done(SourcePlan::new(vec![PlannedRows {
                        collection: String::new(),
                        action: PlannedAction::Delete,
                        rows: u64::MAX,
                    }])))
                },
            },
        )
        .await
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        let fault = self.begin(Method::Read, Some(context));
        let fakes = Fakes {
            lie: &|| Answer::Done(stream::empty().boxed()),
            garbage: &|| Ok(Answer::Done(nonsense_items())),
        };
        let perform = || self.inner.read(context, locators);
        match fault {
            Fault::Endless => Ok(Answer::Done(endless_items())),
            Fault::FailMidway { steps, kind } => Ok(match perform().await? {
                Answer::Done(items) => {
                    Answer::Done(cut(items, steps, move || Err(PortError::failed(kind))))
                }
                other => other,
            }),
            Fault::PanicMidway { steps } => Ok(match perform().await? {
                Answer::Done(items) => Answer::Done(cut(items, steps, || break_down())),
                other => other,
            }),
            fault => self.happen(fault, Some(context), &perform, fakes).await,
        }
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let fault = self.begin(Method::Rectify, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.rectify(context, locators, corrections),
            Fakes {
                lie: &|| {
                    Answer::Done(
                        corrections
                            .iter()
                            .map(|c| RowCount::new(&c.collection, 1))
                            .collect(),
                    )
                },
                garbage: &|| Ok(Answer::Done(absurd())),
            },
        )
        .await
    }

    async fn restrict(
        &self,
        context: &CallContext,
        locators: &[Locator],
        restricted: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        let fault = self.begin(Method::Restrict, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.restrict(context, locators, restricted),
            Fakes {
                lie: &|| Answer::Done(Vec::new()),
                garbage: &|| Ok(Answer::Done(absurd())),
            },
        )
        .await
    }

    async fn stop(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        let fault = self.begin(Method::Stop, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.stop(context, identifiers, uses),
            Fakes {
                lie: &|| Answer::Done(Stopped::default()),
                garbage: &|| {
                    Ok(Answer::Done(Stopped {
                        rows: absurd(),
                        identifiers: vec![Identifier::Mail(Personal::new(String::new()))],
                    }))
                },
            },
        )
        .await
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        plan: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        let fault = self.begin(Method::Erase, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.erase(context, locators, plan),
            Fakes {
                lie: &|| Answer::Done(claimed(plan)),
                garbage: &|| {
                    Ok(Answer::Done(Erased {
                        rows: absurd(),
                        withheld: Vec::new(),
                        assurance: Assurance::AgedOut,
                    }))
                },
            },
        )
        .await
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        let fault = self.begin(Method::Residue, Some(context));
        self.happen(
            fault,
            Some(context),
            &|| self.inner.residue(context, locators),
            Fakes {
                lie: &|| Answer::Done(Residue::default()),
                garbage: &|| Ok(Answer::Done(absurd().into())),
            },
        )
        .await
    }
}
