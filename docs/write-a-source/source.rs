fn go_on(context: &CallContext) -> Result<(), PortError> {
    if context.cancel.is_cancelled() {
        return Err(PortError::new(ErrorKind::Cancelled, "cancelled"));
    }
    Ok(())
}

#[async_trait]
impl PersonalDataSource for Guestbook {
    fn describe(&self) -> SourceDescription {
        SourceDescription::new(self.id.clone(), "Guestbook", [IdentifierKind::Mail])
    }

    async fn locate(
        &self,
        context: &CallContext,
        identifiers: &[Identifier],
    ) -> Result<Answer<Located>, PortError> {
        go_on(context)?;
        Ok(Answer::Done(self.begin().find(identifiers)))
    }

    async fn plan(
        &self,
        context: &CallContext,
        locators: &[Locator],
        work: &Work,
    ) -> Result<Answer<SourcePlan>, PortError> {
        go_on(context)?;
        let (tables, writers) = (self.begin(), writers(locators));
        let line = |count: RowCount, action: PlannedAction| PlannedRows {
            collection: count.collection,
            action,
            rows: count.rows,
        };
        match work {
            Work::Erase => {
                let rows = tables.count(&writers).into_iter();
                let lines = rows
                    .map(|count| line(count, PlannedAction::Delete))
                    .collect();
                Ok(Answer::Done(SourcePlan::new(lines)))
            }
            Work::Rectify(wishes) => {
                let (mut lines, mut current) = (Vec::new(), Vec::new());
                for wish in tables.ours(wishes)? {
                    for writer in writers
                        .iter()
                        .filter_map(|number| tables.writers.get(number))
                    {
                        let field = wish.field.clone();
                        lines.push(line(
                            RowCount::new("writers", 1),
                            PlannedAction::Correct { field },
                        ));
                        current.push(Correction {
                            value: Personal::new(writer.name.clone()),
                            ..wish.clone()
                        });
                    }
                }
                let mut plan = SourcePlan::new(lines);
                plan.current = current;
                Ok(Answer::Done(plan))
            }
            _ => Ok(Answer::Unsupported),
        }
    }

    async fn read(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Reading>, PortError> {
        go_on(context)?;
        let (book, context, writers) = (self.clone(), context.clone(), writers(locators));
        let items = stream::unfold(Some(At::Begin), move |at| {
            let next = match (at, go_on(&context)) {
                (None, _) => None, // the stream ended with an error
                (Some(_), Err(cancelled)) => Some((Err(cancelled), None)),
                (Some(at), Ok(())) => {
                    let next = book.begin().next(&writers, at);
                    next.map(|(item, at)| (Ok(item), Some(at)))
                }
            };
            async { next }
        });
        Ok(Answer::Done(items.boxed()))
    }

    async fn rectify(
        &self,
        context: &CallContext,
        locators: &[Locator],
        corrections: &[Correction],
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        go_on(context)?;
        let (mut tables, writers) = (self.begin(), writers(locators));
        let names = tables.ours(corrections)?;
        let Some(name) = names.last() else {
            return Ok(Answer::Done(Vec::new())); // nothing here is ours
        };
        let changed = tables.once(context, |tables| {
            let mut rows = 0;
            for number in &writers {
                if let Some(writer) = tables.writers.get_mut(number) {
                    writer.name.clone_from(name.value.expose());
                    rows += 1;
                }
            }
            vec![RowCount::new("writers", rows)]
        });
        Ok(Answer::Done(changed))
    }

    /// The application has no way to store rows without using them.
    async fn restrict(
        &self,
        _: &CallContext,
        _: &[Locator],
        _: bool,
    ) -> Result<Answer<Vec<RowCount>>, PortError> {
        Ok(Answer::Unsupported)
    }

    /// The application sends no advertisement, and can put what it wrote to no other purpose.
    async fn stop(
        &self,
        context: &CallContext,
        _: &[Identifier],
        uses: &[Use],
    ) -> Result<Answer<Stopped>, PortError> {
        go_on(context)?;
        Ok(match uses {
            [Use::DirectMarketing] => Answer::Done(Stopped::default()),
            _ => Answer::Unsupported,
        })
    }

    async fn erase(
        &self,
        context: &CallContext,
        locators: &[Locator],
        _: &SourcePlan,
    ) -> Result<Answer<Erased>, PortError> {
        go_on(context)?;
        let writers = writers(locators);
        let rows = self.begin().once(context, |tables| tables.erase(&writers));
        Ok(Answer::Done(Erased {
            rows,
            withheld: Vec::new(),
            assurance: Assurance::Deleted,
        }))
    }

    async fn residue(
        &self,
        context: &CallContext,
        locators: &[Locator],
    ) -> Result<Answer<Residue>, PortError> {
        go_on(context)?;
        let left = self.begin().count(&writers(locators));
        Ok(Answer::Done(left.into()))
    }
}
