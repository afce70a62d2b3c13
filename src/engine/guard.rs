//! Calling a host's code so that it cannot take the engine along: a time limit, panics caught, and
//! nobody who stands still with what others wait for.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::task::Poll;

use chrono::TimeDelta;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::ports::{Cancel, Clock, PortError};

/// The code of a call that panicked.
pub(super) const PANICKED: &str = "panicked";

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
        Either::Left((Err(_), _)) => Err(PortError::unavailable(PANICKED)),
        Either::Right(_) => {
            cancel.cancel();
            Err(PortError::unavailable("timed_out"))
        }
    }
}

/// Waits for `one` while the others go on, and keeps what comes of them. One that stood still could
/// hold what `one` waits for: the last connection of a pool.
pub(super) async fn meanwhile<T, F: Future>(
    one: impl Future<Output = T>,
    others: &mut FuturesUnordered<F>,
    done: &mut VecDeque<F::Output>,
) -> T {
    let mut one = std::pin::pin!(one);
    std::future::poll_fn(|context| {
        while let Poll::Ready(Some(output)) = others.poll_next_unpin(context) {
            done.push_back(output);
        }
        one.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::lock::Mutex;

    #[test]
    fn who_holds_what_is_waited_for_goes_on() {
        let connection = Mutex::new(());
        let take = || async {
            let _held = connection.lock().await;
            let mut gave = false;
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                match std::mem::replace(&mut gave, true) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
        };
        let (mut others, mut done) = (FuturesUnordered::new(), VecDeque::new());
        others.push(take());
        // It has the one connection now, and must be asked again to give it back.
        assert!(others.next().now_or_never().is_none());
        futures::executor::block_on(meanwhile(take(), &mut others, &mut done));
        assert_eq!(done.len(), 1);
    }
}
