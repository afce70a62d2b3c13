impl Tables {
    /// Does an effect once: a second call with the same key answers what the first one did.
    fn once(
        &mut self,
        context: &CallContext,
        effect: impl FnOnce(&mut Self) -> Vec<RowCount>,
    ) -> Vec<RowCount> {
        let name = (context.controller.clone(), context.key.clone());
        if let Some(done) = self.effects.get(&name) {
            return done.clone();
        }
        let done = effect(self);
        self.effects.insert(name, done.clone());
        done
    }

    /// Erases entries first, and last the row by which the writer is found.
    fn erase(&mut self, writers: &[u32]) -> Vec<RowCount> {
        let erased = self.count(writers);
        self.entries
            .retain(|_, entry| !writers.contains(&entry.writer));
        self.writers.retain(|number, _| !writers.contains(number));
        erased
    }

    /// The corrections that are ours; one that cannot be made is refused before anything is
    /// written.
    fn ours<'a>(&self, wishes: &'a [Correction]) -> Result<Vec<&'a Correction>, PortError> {
        let ours: Vec<_> = wishes
            .iter()
            .filter(|wish| matches!(wish.collection.as_str(), "writers" | "entries"))
            .collect();
        match ours
            .iter()
            .find(|wish| (wish.collection.as_str(), wish.field.as_str()) != ("writers", "name"))
        {
            // Of the wish, only the place is told. The field's name came from outside: it is not.
            Some(wrong) => Err(PortError::refused("not_correctable").at(&wrong.collection)),
            None => Ok(ours),
        }
    }
}
