/// Where a reading stands. It holds no rows: each is fetched when it is asked for.
enum At {
    Begin,
    Writer(u32),
    Entries,
    Entry(u32),
}

impl Tables {
    /// The next thing to hand over, and where the reading stands then.
    fn next(&self, writers: &[u32], at: At) -> Option<(Item, At)> {
        let columns = |names: &[&str]| {
            names
                .iter()
                .map(|name| Column::new(*name))
                .collect::<Vec<_>>()
        };
        match at {
            At::Begin => {
                let shape = Collection::new("writers", columns(&["name", "mail", "password"]));
                Some((Item::Collection(shape), At::Writer(0)))
            }
            At::Writer(after) => {
                let mut rest = self.writers.range(after + 1..);
                let Some((number, writer)) = rest.find(|(number, _)| writers.contains(number))
                else {
                    return self.next(writers, At::Entries);
                };
                let cells = vec![
                    Cell::from(writer.name.as_str()),
                    Cell::from(writer.mail.as_str()),
                    Cell::Value(Value::Secret), // named, not shown
                ];
                Some((Item::Row(cells), At::Writer(*number)))
            }
            At::Entries => {
                let shape = Collection::new("entries", columns(&["text"]));
                Some((Item::Collection(shape), At::Entry(0)))
            }
            At::Entry(after) => {
                let mut rest = self.entries.range(after + 1..);
                let (number, entry) = rest.find(|(_, entry)| writers.contains(&entry.writer))?;
                let cells = vec![Cell::from(entry.text.as_str())];
                Some((Item::Row(cells), At::Entry(*number)))
            }
        }
    }
}
