//! Declared transition tables: which command is open in which phase, and where it may lead.

use std::fmt::{Debug, Write as _};

/// One line of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transition<P: 'static, C> {
    /// In this phase …
    pub from: P,
    /// … this command is open …
    pub on: C,
    /// … and leads to one of these.
    pub to: &'static [P],
}

/// All transitions of a machine. What is not in it is illegal.
#[derive(Clone, Copy, Debug)]
pub struct Table<P: 'static, C: 'static>(pub &'static [Transition<P, C>]);

impl<P: Copy + Eq + Debug, C: Copy + Eq + Debug> Table<P, C> {
    /// Where a command may lead in a phase; `None` when it is illegal there.
    pub fn targets(&self, from: P, on: C) -> Option<&'static [P]> {
        self.0
            .iter()
            .find(|line| line.from == from && line.on == on)
            .map(|line| line.to)
    }

    /// The commands that are open in a phase.
    pub fn open_in(&self, from: P) -> impl Iterator<Item = C> + '_ {
        self.0
            .iter()
            .filter(move |line| line.from == from)
            .map(|line| line.on)
    }

    /// The machine as a Mermaid state diagram, from `first` to the phases that lead nowhere else.
    /// Commands that lead back to their own phase are left out: they are in the table.
    pub fn diagram(&self, first: P) -> String {
        let mut edges: Vec<(P, P, Vec<String>)> = Vec::new();
        for line in self.0 {
            for &to in line.to.iter().filter(|&&to| to != line.from) {
                let label = snake(&format!("{:?}", line.on));
                match edges.iter_mut().find(|e| e.0 == line.from && e.1 == to) {
                    Some(edge) => edge.2.push(label),
                    None => edges.push((line.from, to, vec![label])),
                }
            }
        }
        let mut text = format!("stateDiagram-v2\n    [*] --> {first:?}\n");
        for (from, to, labels) in &edges {
            let _ = writeln!(text, "    {from:?} --> {to:?}: {}", labels.join(", "));
        }
        for (_, end, _) in &edges {
            let line = format!("    {end:?} --> [*]\n");
            if !edges.iter().any(|edge| edge.0 == *end) && !text.contains(&line) {
                text.push_str(&line);
            }
        }
        text
    }
}

/// `RequestIdentity` → `request_identity`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// Writes a table line by line: `Phase { Command => Phase | Phase; }`.
macro_rules! table {
    ($phase:ident, $command:ident; $($from:ident { $($on:ident => $($to:ident)|+;)+ })+) => {
        $crate::workflow::table::Table(&[
            $($($crate::workflow::table::Transition {
                from: $phase::$from,
                on: $command::$on,
                to: &[$($phase::$to),+],
            },)+)+
        ])
    };
}
pub(crate) use table;
