//! Trying again: what stood in another one's way, and what a statement over all tables cannot tell.

/// How often a write is begun anew when another one was in its way.
pub(super) const ATTEMPTS: usize = 5;

/// Tries again what stood in another one's way.
macro_rules! persistently {
    ($work:expr) => {{
        let mut attempt = 1;
        loop {
            match $work {
                Err(error)
                    if error.kind == $crate::ports::ErrorKind::Busy
                        && attempt < $crate::adapters::sql::again::ATTEMPTS =>
                {
                    attempt += 1;
                }
                result => break result,
            }
        }
    }};
}

/// Lets sets stand inside statements. A statement over all tables cannot say which of them refused:
/// the steps can.
macro_rules! inside_or_not {
    ($work:expr) => {
        match $work(true).await {
            Err(error) if $crate::adapters::sql::inside::names_no_table(&error) => {
                $work(false).await
            }
            result => result,
        }
    };
}

pub(super) use {inside_or_not, persistently};
