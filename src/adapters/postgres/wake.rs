//! Word between processes that there may be work: `NOTIFY` after the commit, `LISTEN` before the
//! wait. The channel bears the schema's name and carries nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures::{Stream, StreamExt as _, stream};
use sqlx::PgPool;
use sqlx::postgres::PgListener;

use super::Answer;
use super::error::store_error;
use super::schema::SchemaName;

const STILL: u8 = 0;
const RINGING: u8 = 1;
/// Ringing, and somebody has committed since.
const ONCE_MORE: u8 = 2;

/// Sends one notification at a time. One in a commit itself would make all commits of the database
/// wait for each other.
#[derive(Clone, Default)]
pub(super) struct Bell(Arc<AtomicU8>);

impl Bell {
    pub(super) fn ring(&self, pool: &PgPool, schema: &SchemaName) {
        let before = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
                Some(if now == STILL { RINGING } else { ONCE_MORE })
            });
        if before != Ok(STILL) {
            return;
        }
        let mut ended = StillAtLast(Some(Arc::clone(&self.0)));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (pool, schema) = (pool.clone(), schema.clone());
        runtime.spawn(async move {
            while let Some(state) = &ended.0 {
                // What cannot be sent is found by polling.
                let notify = sqlx::query("SELECT pg_notify($1, '')").bind(schema.as_str());
                drop(notify.execute(&pool).await);
                let still = (Ordering::AcqRel, Ordering::Acquire);
                match state.compare_exchange(RINGING, STILL, still.0, still.1) {
                    Ok(_) => ended.0 = None,
                    Err(_) => state.store(RINGING, Ordering::Release),
                }
            }
        });
    }
}

/// Lets the next one ring, also when the runtime ends in the middle.
struct StillAtLast(Option<Arc<AtomicU8>>);

impl Drop for StillAtLast {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.store(STILL, Ordering::Release);
        }
    }
}

pub(super) async fn listen(
    pool: &PgPool,
    schema: &SchemaName,
) -> Answer<impl Stream<Item = ()> + Send + Unpin + 'static> {
    let listening = async {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(schema.as_str()).await?;
        Ok(listener)
    };
    let listener = listening
        .await
        .map_err(|error: sqlx::Error| store_error(&error))?;
    // A connection that was lost and made again may have missed one: that rings too.
    Ok(stream::unfold(listener, |mut listener| async move {
        listener.try_recv().await.ok()?;
        while listener.next_buffered().is_some() {}
        Some(((), listener))
    })
    .boxed())
}
