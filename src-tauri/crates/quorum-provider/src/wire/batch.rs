//! A batch at the provider, and the request that creates one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::lenient::{self, Maybe, Text};
use crate::limits::COMPLETION_WINDOW_WIRE;
use crate::queue_limit::queue_limit;
use crate::wire::{Identified, Usage};

/// One batch. `completed` says nothing about success: every request in it may have failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Batch {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub endpoint: String,
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub input_file_id: String,
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub completion_window: String,
    #[serde(default, deserialize_with = "status")]
    pub status: BatchStatus,
    /// The exact model behind the name that was asked for.
    #[serde(default, deserialize_with = "lenient::text")]
    pub model: Option<String>,
    /// Validation errors, many at once; filled when `status` is `Failed`.
    #[serde(default, deserialize_with = "errors")]
    pub errors: Vec<BatchError>,
    /// Absent while the batch runs and where no request succeeded. An empty string on the wire is absent too.
    #[serde(default, deserialize_with = "lenient::text")]
    pub output_file_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub error_file_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub created_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub in_progress_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub expires_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub finalizing_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub completed_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub failed_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub expired_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub cancelling_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub cancelled_at: Option<u64>,
    /// The provider's own tally, which was seen to disagree with the files: for progress only.
    #[serde(default, deserialize_with = "counts")]
    pub request_counts: RequestCounts,
    /// Only for batches created after 7 September 2025.
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub usage: Option<Usage>,
    #[serde(default, deserialize_with = "metadata")]
    pub metadata: BTreeMap<String, String>,
}

impl Identified for Batch {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Batch {
    /// Whether the batch failed only because too much was enqueued: a wait, not a failure.
    pub fn is_over_queue_limit(&self) -> bool {
        self.status == BatchStatus::Failed && self.errors.iter().any(BatchError::is_over_queue_limit)
    }
}

/// Where a batch is in its life. Compatible servers spell states in upper case; both are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStatus {
    Validating,
    /// The input failed validation, or the queue allowance was used up. No request ran.
    Failed,
    InProgress,
    Finalizing,
    Completed,
    Expired,
    Cancelling,
    Cancelled,
    /// A state that this client does not know; treat it as still running.
    Unknown(String),
}

impl Default for BatchStatus {
    fn default() -> Self {
        BatchStatus::Unknown(String::new())
    }
}

impl BatchStatus {
    pub fn parse(wire: &str) -> Self {
        match wire.to_ascii_lowercase().as_str() {
            "validating" => BatchStatus::Validating,
            "failed" => BatchStatus::Failed,
            "in_progress" => BatchStatus::InProgress,
            "finalizing" => BatchStatus::Finalizing,
            "completed" => BatchStatus::Completed,
            "expired" => BatchStatus::Expired,
            "cancelling" | "canceling" => BatchStatus::Cancelling,
            "cancelled" | "canceled" => BatchStatus::Cancelled,
            _ => BatchStatus::Unknown(wire.to_owned()),
        }
    }

    /// Whether nothing more will happen to the batch.
    pub fn is_terminal(&self) -> bool {
        use BatchStatus::{Cancelled, Completed, Expired, Failed};
        matches!(self, Completed | Failed | Expired | Cancelled)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct RequestCounts {
    #[serde(default, deserialize_with = "lenient::count")]
    pub total: u64,
    #[serde(default, deserialize_with = "lenient::count")]
    pub completed: u64,
    #[serde(default, deserialize_with = "lenient::count")]
    pub failed: u64,
}

/// One validation error. `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BatchError {
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub code: String,
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub message: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub param: Option<String>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub line: Option<u64>,
}

impl BatchError {
    /// The code of the requests form was never captured, so its text counts too.
    pub fn is_over_queue_limit(&self) -> bool {
        self.code == "token_limit_exceeded" || queue_limit(&self.message).is_some()
    }
}

/// The body of `POST /batches`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreateBatch {
    pub input_file_id: String,
    pub endpoint: String,
    completion_window: &'static str,
    /// At most 16 pairs, keys up to 64 and values up to 512 characters; the only way to know the batch again.
    pub metadata: BTreeMap<String, String>,
}

impl CreateBatch {
    /// A batch of chat completions over an uploaded file.
    pub fn chat_completions(input_file_id: impl Into<String>, metadata: BTreeMap<String, String>) -> Self {
        CreateBatch {
            input_file_id: input_file_id.into(),
            endpoint: "/v1/chat/completions".to_owned(),
            completion_window: COMPLETION_WINDOW_WIRE,
            metadata,
        }
    }
}

fn status<'de, D: Deserializer<'de>>(d: D) -> Result<BatchStatus, D::Error> {
    Ok(BatchStatus::parse(&Text::deserialize(d)?.or_empty()))
}

fn counts<'de, D: Deserializer<'de>>(d: D) -> Result<RequestCounts, D::Error> {
    Ok(Maybe::deserialize(d)?.0.unwrap_or_default())
}

fn errors<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<BatchError>, D::Error> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        data: Option<Vec<BatchError>>,
    }
    Ok(Maybe::<List>::deserialize(d)?.0.and_then(|list| list.data).unwrap_or_default())
}

fn metadata<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let pairs = Maybe::<BTreeMap<String, Text>>::deserialize(d)?.0.unwrap_or_default();
    Ok(pairs.into_iter().map(|(key, value)| (key, value.or_empty().into_owned())).collect())
}
