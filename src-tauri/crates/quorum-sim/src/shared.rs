//! What every connection and every background job shares.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore, watch};

use crate::account::lifecycle::{Job, JobResult};
use crate::account::{Account, JobKind};
use crate::clock::Clock;
use crate::error::SimError;
use crate::execute::execute;
use crate::model::completion::Models;
use crate::server::listen::Want;
use crate::validate::{file_missing, validate};

/// Jobs that run at once.
const JOBS_MAX: usize = 2;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seed: u64,
    pub(crate) ranges: bool,
    pub(crate) clock: Clock,
    pub(crate) models: Models,
    pub(crate) want: watch::Sender<Want>,
    /// Calls that were left without an answer, see [`crate::Kind::Hang`].
    pub(crate) hanging: watch::Sender<u64>,
    account: Mutex<Account>,
    requests: AtomicU64,
    /// The virtual minute of the last chat request, and how many it had.
    chat: Mutex<(i64, u32)>,
    job_ended: Notify,
    job_failures: AtomicU64,
    permits: Semaphore,
    /// The folder of a simulator without one of its own; goes with it.
    _folder: Option<TempDir>,
}

impl Shared {
    pub(crate) fn new(
        seed: u64,
        ranges: bool,
        clock: Clock,
        models: Models,
        account: Account,
        want: watch::Sender<Want>,
        folder: Option<TempDir>,
    ) -> Self {
        Self {
            seed,
            ranges,
            clock,
            models,
            want,
            hanging: watch::Sender::new(0),
            account: Mutex::new(account),
            requests: AtomicU64::new(0),
            chat: Mutex::new((0, 0)),
            job_ended: Notify::new(),
            job_failures: AtomicU64::new(0),
            permits: Semaphore::new(JOBS_MAX),
            _folder: folder,
        }
    }

    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a chat request; answers how many its virtual minute has had, and the seconds that are left of it.
    pub(crate) fn chat_window(&self, now_ms: i64) -> (u32, i64) {
        let minute = now_ms.div_euclid(60_000);
        let mut chat = self.chat.lock().unwrap_or_else(PoisonError::into_inner);
        if chat.0 != minute {
            *chat = (minute, 0);
        }
        chat.1 = chat.1.saturating_add(1);
        (chat.1, 60 - now_ms.div_euclid(1_000).rem_euclid(60))
    }

    /// Moves batches on and starts the work they wait for, without waiting for it.
    pub(crate) fn settle(self: &Arc<Self>, observed: &[String]) -> Result<(), SimError> {
        let jobs = self.account().settle(self.clock.now_ms(), self.clock.speed(), observed)?;
        for job in jobs {
            tokio::spawn(Arc::clone(self).work(job));
        }
        Ok(())
    }

    /// The same, and gives the work a moment, so that small batches move without a race.
    pub(crate) async fn observe(self: &Arc<Self>, observed: &[String]) -> Result<(), SimError> {
        let failures = self.job_failures.load(Ordering::Relaxed);
        self.settle(observed)?;
        let waited = tokio::time::timeout(Account::PATIENCE, async {
            while self.job_failures.load(Ordering::Relaxed) == failures {
                let ended = self.job_ended.notified();
                if !self.account().jobs_running() {
                    break;
                }
                ended.await;
                self.settle(&[])?;
            }
            Ok(())
        });
        // Work that takes longer goes on; the batch is answered as it stands.
        waited.await.unwrap_or(Ok(()))
    }

    /// Waits until no background work is left.
    pub(crate) async fn jobs_finished(&self) {
        loop {
            let ended = self.job_ended.notified();
            if !self.account().jobs_running() {
                return;
            }
            ended.await;
        }
    }

    async fn work(self: Arc<Self>, job: Job) {
        let id = job.batch.id.clone();
        let kind = job.kind;
        // The semaphore is never closed; without a permit the job would only start earlier.
        let _permit = self.permits.acquire().await.ok();
        let shared = Arc::clone(&self);
        let done = tokio::task::spawn_blocking(move || shared.run(&job)).await;
        match done.unwrap_or_else(|join| Err(io::Error::other(join))) {
            Ok(result) => self.account().job_done(&id, kind, result),
            Err(error) => {
                tracing::error!(%error, batch = id, ?kind, "the simulator's work on a batch failed");
                self.account().job_failed(&id, kind);
                self.job_failures.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.job_ended.notify_waiters();
    }

    fn run(&self, job: &Job) -> io::Result<JobResult> {
        let batch = &job.batch;
        let now_ms = self.clock.now_ms();
        let now_s = now_ms.div_euclid(1_000);
        let (input, present, work, limits) = {
            let account = self.account();
            (
                account.body_path(&batch.input_file_id),
                account.file(&batch.input_file_id, now_ms).is_some(),
                account.work_folder(),
                account.limits.clone(),
            )
        };
        match job.kind {
            JobKind::Validate => {
                let hidden = batch.kinds().any(|kind| {
                    matches!(kind, crate::scenario::Kind::FileNotVisible { at: crate::scenario::Stage::Validation })
                });
                let report = if hidden || !present {
                    file_missing(&batch.input_file_id)
                } else {
                    validate(&input, &batch.endpoint, &limits, &self.models, now_s)?
                };
                Ok(JobResult::Validated(report))
            }
            JobKind::Execute => execute(batch, &input, &work, &self.models, self.seed, now_s).map(JobResult::Executed),
        }
    }

    pub(crate) fn go_offline_for(self: &Arc<Self>, time: Duration) {
        self.want.send_replace(Want::Offline);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            // Only back online if nobody has stopped it meanwhile.
            shared.want.send_if_modified(|want| {
                let back = *want == Want::Offline;
                if back {
                    *want = Want::Online;
                }
                back
            });
        });
    }
}
