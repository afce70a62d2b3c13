use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;
use datarights::model::*;
use datarights::ports::*;
use datarights::testkit::Cut;
use futures::TryStreamExt;

/// A print shop that has letters of our customers, and its interface. It stands for a server:
/// between a call and its answer lies a network.
#[derive(Clone, Default)]
struct PrintShop(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    /// The jobs, in the order they came in, under the references their senders gave them.
    jobs: Vec<Job>,
    /// Pieces of packages that are not complete.
    uploads: Vec<Vec<u8>>,
    /// A person at the shop confirms; until then a job is only accepted.
    silent: bool,
    /// What the network does to the next job.
    cut: Option<Cut>,
}

struct Job {
    reference: String,
    content: Vec<u8>,
    confirmed: bool,
}

/// No answer came: the job may be there or not.
struct Lost;

impl PrintShop {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job, unless one of this reference is there, and says whether it is confirmed.
    async fn put(&self, reference: &str, content: Vec<u8>) -> Result<bool, Lost> {
        tokio::task::yield_now().await;
        let cut = self.books().cut.take();
        if cut == Some(Cut::There) {
            return Err(Lost);
        }
        let confirmed = {
            let mut books = self.books();
            let known = books.jobs.iter().find(|job| job.reference == reference);
            known.map(|job| job.confirmed).unwrap_or_else(|| {
                let job = Job {
                    reference: reference.to_owned(),
                    content,
                    confirmed: !books.silent,
                };
                books.jobs.push(job);
                !books.silent
            })
        };
        tokio::task::yield_now().await;
        match cut {
            Some(_) => Err(Lost),
            None => Ok(confirmed),
        }
    }

    /// Whether the job of a reference is confirmed; `None` when there is none.
    async fn status(&self, reference: &str) -> Result<Option<bool>, Lost> {
        tokio::task::yield_now().await;
        let books = self.books();
        let known = books.jobs.iter().find(|job| job.reference == reference);
        Ok(known.map(|job| job.confirmed))
    }

    /// Begins an upload of its own.
    async fn begin(&self) -> Result<usize, Lost> {
        tokio::task::yield_now().await;
        let mut books = self.books();
        books.uploads.push(Vec::new());
        Ok(books.uploads.len() - 1)
    }

    /// Adds a piece. It is no job yet; the shop throws away what is not completed in a day.
    async fn add(&self, upload: usize, piece: &[u8]) -> Result<(), Lost> {
        tokio::task::yield_now().await;
        self.books().uploads[upload].extend_from_slice(piece);
        Ok(())
    }

    /// Makes a job of an upload.
    async fn complete(&self, upload: usize, reference: &str) -> Result<bool, Lost> {
        let content = self.books().uploads[upload].clone();
        self.put(reference, content).await
    }
}
