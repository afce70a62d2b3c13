//! What proves that things happened as they are told: the log's chain.
//!
//! Reads what the workflow wrote; decides nothing and stores nothing.
//! May use `model`, `law` and `workflow`.

mod chain;

pub use chain::verify;
