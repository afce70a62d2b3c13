//! Calling a host's code so that it cannot take the engine along: a time limit, and panics caught.

use std::panic::AssertUnwindSafe;

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::{Either, select};

use crate::ports::{Cancel, Clock, PortError};

/// Waits for `call` no longer than `limit`; then it is told to stop, and dropped where it stands.
///
/// # Errors
/// *Unavailable*, with the code `timed_out` or `panicked`.
pub(super) async fn guard<T>(
    clock: &dyn Clock,
    limit: TimeDelta,
    cancel: &Cancel,
    call: impl Future<Output = T> + Send,
) -> Result<T, PortError> {
    let until = clock
        .now()
        .checked_add_signed(limit)
        .unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let call = std::pin::pin!(AssertUnwindSafe(call).catch_unwind());
    match select(call, clock.sleep_until(until)).await {
        Either::Left((Ok(answer), _)) => Ok(answer),
        Either::Left((Err(_), _)) => Err(PortError::unavailable("panicked")),
        Either::Right(_) => {
            cancel.cancel();
            Err(PortError::unavailable("timed_out"))
        }
    }
}
