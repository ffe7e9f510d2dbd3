//! A batch's record and its wire form.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::completion::Usage;
use crate::scenario::{Fault, Kind};

/// The provider's batch statuses.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    Validating,
    Failed,
    InProgress,
    Finalizing,
    Completed,
    Expired,
    Cancelling,
    Cancelled,
}

impl BatchStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validating => "validating",
            Self::Failed => "failed",
            Self::InProgress => "in_progress",
            Self::Finalizing => "finalizing",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Failed | Self::Completed | Self::Expired | Self::Cancelled)
    }
}

/// One entry of a failed batch's `errors`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Problem {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) param: Option<String>,
    pub(crate) line: Option<u64>,
}

/// How the rows of a batch that ran came to their end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Completed,
    Expired,
    Cancelled,
    /// It failed while it ran.
    Broken,
}

/// One batch; times in virtual milliseconds since 1970.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct BatchRecord {
    pub(crate) id: String,
    pub(crate) serial: u64,
    pub(crate) endpoint: String,
    pub(crate) input_file_id: String,
    pub(crate) completion_window: String,
    pub(crate) metadata: Value,
    pub(crate) output_expires_after_s: Option<i64>,
    pub(crate) status: BatchStatus,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) in_progress_ms: Option<i64>,
    pub(crate) finalizing_ms: Option<i64>,
    pub(crate) completed_ms: Option<i64>,
    pub(crate) failed_ms: Option<i64>,
    pub(crate) expired_ms: Option<i64>,
    pub(crate) cancelling_ms: Option<i64>,
    pub(crate) cancelled_ms: Option<i64>,
    pub(crate) model: Option<String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) total: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) usage: Option<Usage>,
    pub(crate) enqueued_tokens: u64,
    pub(crate) output_file_id: Option<String>,
    pub(crate) error_file_id: Option<String>,
    /// Observations since it entered its status; they drive [`crate::Speed::Instant`].
    pub(crate) observations: u32,
    pub(crate) ending: Option<Ending>,
    /// Share of the rows that were done when it ended.
    pub(crate) fraction: f64,
    /// The faults that were drawn for it at creation.
    pub(crate) faults: Vec<Fault>,
    /// The account no longer knows it.
    pub(crate) gone: bool,
}

impl BatchRecord {
    /// The batch faults that concern it, now that its model may be known.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.faults.iter().filter(|fault| self.concerned_by(fault)).map(|fault| &fault.kind)
    }

    pub(crate) fn concerned_by(&self, fault: &Fault) -> bool {
        match (&fault.model, &self.model) {
            (None, _) => true,
            (Some(wanted), Some(model)) => wanted == model,
            (Some(_), None) => false,
        }
    }

    /// Whether the account's list shows it yet.
    pub(crate) fn is_listed(&self, now_ms: i64) -> bool {
        self.kinds().all(|kind| match kind {
            Kind::Unlisted { seconds } => now_ms >= self.created_ms.saturating_add(seconds.saturating_mul(1_000)),
            _ => true,
        })
    }

    /// Whether its tokens count against the allowance.
    pub(crate) fn holds_allowance(&self) -> bool {
        matches!(self.status, BatchStatus::InProgress | BatchStatus::Finalizing | BatchStatus::Cancelling) && !self.gone
    }

    pub(crate) fn enter(&mut self, status: BatchStatus, at_ms: i64) {
        self.status = status;
        self.observations = 0;
        let at = Some(at_ms);
        match status {
            BatchStatus::Validating => {}
            BatchStatus::Failed => self.failed_ms = at,
            BatchStatus::InProgress => self.in_progress_ms = at,
            BatchStatus::Finalizing => self.finalizing_ms = at,
            BatchStatus::Completed => self.completed_ms = at,
            BatchStatus::Expired => self.expired_ms = at,
            BatchStatus::Cancelling => self.cancelling_ms = at,
            BatchStatus::Cancelled => self.cancelled_ms = at,
        }
    }

    /// Whether its output and its error file are named yet.
    fn names_files(&self, now_ms: i64) -> [bool; 2] {
        let ended = [self.completed_ms, self.failed_ms, self.expired_ms, self.cancelled_ms].into_iter().flatten().max();
        let is_due =
            |seconds: i64| ended.is_some_and(|ended| now_ms >= ended.saturating_add(seconds.saturating_mul(1_000)));
        let mut names = [true; 2];
        for kind in self.kinds() {
            match kind {
                Kind::FilesLate { seconds } => names = names.map(|named| named && is_due(*seconds)),
                Kind::OutputFileLate { seconds } => names[0] &= is_due(*seconds),
                _ => {}
            }
        }
        names
    }

    /// The provider's Batch object. `done` is the count of finished rows to show while it runs.
    pub(crate) fn object(&self, done: u64, now_ms: i64) -> Value {
        let seconds = |ms: Option<i64>| ms.map(|ms| ms.div_euclid(1000));
        let errors =
            if self.problems.is_empty() { Value::Null } else { json!({"object": "list", "data": self.problems}) };
        let empty_id = self.status.is_terminal() && self.kinds().any(|kind| *kind == Kind::EmptyErrorFileId);
        let [names_output, names_errors] = self.names_files(now_ms);
        let output_file_id = self.output_file_id.as_ref().filter(|_| names_output);
        let error_file_id = match self.error_file_id.as_ref().filter(|_| names_errors) {
            Some(id) => Value::from(id.as_str()),
            None if empty_id => Value::from(""),
            None => Value::Null,
        };
        let (mut completed, mut failed) = (self.completed, self.failed);
        if !self.status.is_terminal() {
            (completed, failed) = (done, 0);
        } else if self.total > 0 {
            // What never ran is not counted at all.
            for kind in self.kinds() {
                if let Kind::CountsOff { completed: by_completed, failed: by_failed } = kind {
                    completed = completed.saturating_add_signed(*by_completed);
                    failed = failed.saturating_add_signed(*by_failed);
                }
            }
        }
        json!({
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.model,
            "errors": errors,
            "input_file_id": self.input_file_id,
            "completion_window": self.completion_window,
            "status": self.status.as_str(),
            "output_file_id": output_file_id,
            "error_file_id": error_file_id,
            "created_at": self.created_ms.div_euclid(1000),
            "in_progress_at": seconds(self.in_progress_ms),
            "expires_at": self.expires_ms.div_euclid(1000),
            "finalizing_at": seconds(self.finalizing_ms),
            "completed_at": seconds(self.completed_ms),
            "failed_at": seconds(self.failed_ms),
            "expired_at": seconds(self.expired_ms),
            "cancelling_at": seconds(self.cancelling_ms),
            "cancelled_at": seconds(self.cancelled_ms),
            "request_counts": {"total": self.total, "completed": completed, "failed": failed},
            "usage": self.usage.unwrap_or_default().of_batch(),
            "metadata": if self.kinds().any(|kind| *kind == Kind::NoMetadata) { &Value::Null } else { &self.metadata },
        })
    }
}
