struct ShopGateway {
    shop: PrintShop,
    description: GatewayDescription,
    clock: Arc<dyn Clock>,
}

impl From<Lost> for PortError {
    fn from(_: Lost) -> Self {
        Self::unavailable("print_shop_does_not_answer")
    }
}

/// The name of an effect at the shop: the same over all attempts, another for each controller.
fn reference(context: &CallContext) -> String {
    format!("{}/{}", context.controller, context.key)
}

/// An order in the words of the shop; `None` for what it cannot do.
fn words(order: &Order) -> Option<String> {
    let mut words = match &order.instruction {
        Instruction::Erase => "delete all letters".to_owned(),
        Instruction::Rectify(corrections) => {
            let mut words = "correct".to_owned();
            for Correction { field, value, .. } in corrections {
                words += &format!(" {field}={}", value.expose());
            }
            words
        }
        Instruction::Stop(uses) if uses[..] == [Use::DirectMarketing] => "send no more".to_owned(),
        _ => return None, // it knows no restriction, and uses the letters for nothing else
    };
    for normal in order.identifiers.iter().filter_map(|i| i.normal().ok()) {
        words += &format!("\nof {}", normal.expose());
    }
    for told in order.contents.iter().filter_map(|told| told.words.as_ref()) {
        words += &format!("\n{told}");
    }
    Some(words)
}

impl ShopGateway {
    fn answer(&self, context: &CallContext, confirmed: bool) -> Answer<()> {
        if confirmed {
            return Answer::Done(());
        }
        Answer::Pending(Pending {
            handle: Handle(reference(context)),
            look_again: self.clock.now() + TimeDelta::hours(4),
            task: None,
        })
    }
}

#[async_trait]
impl ProcessorGateway for ShopGateway {
    fn describe(&self) -> GatewayDescription {
        self.description.clone()
    }

    async fn inform(&self, context: &CallContext, order: &Order) -> Result<Answer<()>, PortError> {
        let Some(words) = words(order) else {
            return Ok(Answer::Unsupported);
        };
        // Also when asked again: a job that is there is left alone, and says how far it is.
        let reference = reference(context);
        let confirmed = self.shop.put(&reference, words.into_bytes()).await?;
        Ok(self.answer(context, confirmed))
    }

    async fn transmit(
        &self,
        context: &CallContext,
        mut package: Package,
    ) -> Result<Answer<()>, PortError> {
        let reference = reference(context);
        // Asked again for a large package: it need not be sent again.
        if let Some(confirmed) = self.shop.status(&reference).await? {
            return Ok(self.answer(context, confirmed));
        }
        let upload = self.shop.begin().await?;
        // An error of the content leaves here, and the upload never becomes a job.
        while let Some(piece) = package.content.try_next().await? {
            self.shop.add(upload, &piece).await?;
        }
        let confirmed = self.shop.complete(upload, &reference).await?;
        Ok(self.answer(context, confirmed))
    }
}
