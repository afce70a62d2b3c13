//! What the conformance suites share: lines of a contract, and the report of those that are broken.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// A line of a contract that was broken, and how it showed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation<L> {
    /// Which line.
    pub line: L,
    /// What was seen, without any value.
    pub seen: String,
}

/// All lines that an implementation breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violations<L>(Vec<Violation<L>>);

impl<L: Copy + PartialEq> Violations<L> {
    /// One by one, in the order of the contract.
    pub fn all(&self) -> &[Violation<L>] {
        &self.0
    }

    /// Whether this line is among them.
    pub fn has(&self, line: L) -> bool {
        self.0.iter().any(|violation| violation.line == line)
    }

    /// The lines, each once.
    pub fn lines(&self) -> Vec<L> {
        let mut lines = Vec::new();
        for violation in &self.0 {
            if !lines.contains(&violation.line) {
                lines.push(violation.line);
            }
        }
        lines
    }
}

impl<L: fmt::Display> fmt::Display for Violations<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines of the contract are broken:", self.0.len())?;
        for violation in &self.0 {
            write!(f, "\n- {}\n  {}", violation.line, violation.seen)?;
        }
        Ok(())
    }
}

impl<L: fmt::Display + fmt::Debug> std::error::Error for Violations<L> {}

/// Why a check failed. Anything with a `Display` becomes one.
pub(super) struct Seen(pub(super) String);

impl<E: fmt::Display> From<E> for Seen {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// How a check ends.
pub(super) type Checked = Result<(), Seen>;

/// Runs checks and gathers what they see. A check that panics has seen something too.
pub(super) struct Report<L>(Vec<Violation<L>>);

impl<L> Report<L> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) async fn run(&mut self, line: L, check: impl Future<Output = Checked>) {
        let seen = match AssertUnwindSafe(check).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(Seen(seen))) => seen,
            Err(_) => "it panicked".to_owned(),
        };
        self.add(line, seen);
    }

    pub(super) fn add(&mut self, line: L, seen: String) {
        self.0.push(Violation { line, seen });
    }

    pub(super) fn end(self) -> Result<(), Violations<L>> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Violations(self.0))
    }
}

/// Fails a check unless something holds.
macro_rules! ensure {
    ($holds:expr, $($seen:tt)+) => {
        if !$holds {
            return Err($crate::testkit::contract::Seen(format!($($seen)+)));
        }
    };
}

/// The lines of a contract: an enum whose variants print as the text of their line.
macro_rules! lines {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $text] $variant,)+
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }
    };
}

pub(super) use {ensure, lines};
