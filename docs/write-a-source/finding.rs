/// A locator is `writer:` and a number. One that is not leads nowhere.
fn writers(locators: &[Locator]) -> Vec<u32> {
    let number = |locator: &Locator| locator.expose().strip_prefix("writer:")?.parse().ok();
    locators.iter().filter_map(number).collect()
}

impl Tables {
    /// The writers with one of these addresses. Both sides are compared in their normal form.
    fn find(&self, identifiers: &[Identifier]) -> Located {
        let wanted: Vec<NormalForm> = identifiers.iter().filter_map(|i| i.normal().ok()).collect();
        let is_wanted = |writer: &Writer| {
            let mail = Identifier::mail(&writer.mail).and_then(|mail| mail.normal());
            mail.is_ok_and(|mail| wanted.contains(&mail))
        };
        let mut located = Located::default();
        for (number, writer) in &self.writers {
            if is_wanted(writer) {
                located
                    .locators
                    .push(Locator::new(format!("writer:{number}")));
            }
        }
        located.rows = self.count(&writers(&located.locators));
        located
    }

    /// How many rows these writers have.
    fn count(&self, writers: &[u32]) -> Vec<RowCount> {
        let entries = self
            .entries
            .values()
            .filter(|e| writers.contains(&e.writer));
        let known = self
            .writers
            .keys()
            .filter(|number| writers.contains(number));
        let mut rows = vec![
            RowCount::new("entries", entries.count() as u64),
            RowCount::new("writers", known.count() as u64),
        ];
        rows.retain(|count| count.rows > 0);
        rows
    }
}
