use datarights::testkit::gateway_suite::{Specimen, assert_conforms};
use datarights::testkit::{OtherEnd, TestClock};

/// Looks into the books of the shop past the gateway.
#[async_trait]
impl OtherEnd for PrintShop {
    async fn arrived(&self) -> Vec<Personal<Vec<u8>>> {
        let content = |job: &Job| Personal::new(job.content.clone());
        self.books().jobs.iter().map(content).collect()
    }

    async fn hold(&self) -> bool {
        self.books().silent = true;
        true
    }

    async fn confirm(&self) {
        let mut books = self.books();
        books.silent = false;
        books.jobs.iter_mut().for_each(|job| job.confirmed = true);
    }

    async fn cut(&self, cut: Cut) -> bool {
        self.books().cut = Some(cut);
        true
    }
}

/// A gateway to a shop without jobs, made anew for every check.
async fn specimen() -> Specimen {
    let shop = PrintShop::default();
    let id = PartyId::new("print-shop").expect("a valid name");
    let gateway = ShopGateway {
        shop: shop.clone(),
        description: GatewayDescription::new(id, "Inkwell Print Ltd"),
        clock: Arc::new(TestClock::at(
            "2026-11-22T09:00:00Z".parse().expect("an instant"),
        )),
    };
    Specimen::new(Arc::new(gateway), Arc::new(shop))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_conforms(async || specimen().await).await;
}
