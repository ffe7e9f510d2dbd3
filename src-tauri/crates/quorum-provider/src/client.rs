//! The calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer::{Effect, Failure, RateLimits, not_json};
use crate::error::{ConfigError, EffectError, ProviderError};
use crate::limits;
use crate::lines::{self, Outcome};
use crate::pace::{Pace, RetryPolicy, SystemPace};
use crate::transport::Transport;
use crate::wire::{Batch, CreateBatch, Deleted, FileObject, Model, Page};

const CLIENT_REQUEST_ID: &str = "x-client-request-id";

/// Where the provider is and how to treat it.
pub struct ProviderConfig {
    /// Such as `https://api.openai.com/v1`; http only for this machine.
    pub base_url: String,
    /// Sent as a bearer token. None for servers that want none.
    pub key: Option<SecretString>,
    pub timeouts: Timeouts,
    pub retry: RetryPolicy,
    pub pace: Arc<dyn Pace>,
    pub user_agent: String,
}

impl ProviderConfig {
    /// The default times and rules for an address and a key.
    pub fn new(base_url: impl Into<String>, key: Option<SecretString>) -> Self {
        ProviderConfig {
            base_url: base_url.into(),
            key,
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            pace: Arc::new(SystemPace),
            user_agent: concat!("quorum/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// How long each part of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To reach the server.
    pub connect: Duration,
    /// For a whole JSON answer, and for the head of a download.
    pub answer: Duration,
    /// For a whole chat completion.
    pub chat: Duration,
    /// Longest silence inside a download.
    pub stall: Duration,
    /// Slowest upload or download put up with.
    pub transfer_bytes_per_s_min: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: limits::CONNECT_TIMEOUT,
            answer: limits::ANSWER_TIMEOUT,
            chat: limits::CHAT_TIMEOUT,
            stall: limits::STALL_TIMEOUT,
            transfer_bytes_per_s_min: limits::TRANSFER_BYTES_PER_S_MIN,
        }
    }
}

impl Timeouts {
    /// Time that moving `bytes` may take at the slowest rate.
    pub(crate) fn transfer(&self, bytes: u64) -> Duration {
        // A length is what a server says, up to figures that no span of time holds.
        let seconds = bytes as f64 / self.transfer_bytes_per_s_min.max(1) as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// A 2xx answer to a synchronous chat completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatAnswer {
    pub status: u16,
    pub body: Vec<u8>,
    pub rate_limits: RateLimits,
}

impl ChatAnswer {
    /// The answer, sorted as a line of a result file is.
    pub fn outcome(&self) -> Outcome<'_> {
        lines::chat_outcome(self.status, &self.body)
    }
}

/// A provider of the Batch API. Cheap to clone; every clone shares one pool of connections.
#[derive(Clone)]
pub struct Provider {
    pub(crate) transport: Arc<Transport>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is not in here, and nothing that holds it.
        f.debug_struct("Provider").field("host", &self.transport.host()).finish_non_exhaustive()
    }
}

impl Provider {
    /// Checks the address and the key's form; makes no call.
    pub fn new(config: ProviderConfig) -> Result<Self, ConfigError> {
        Ok(Provider { transport: Arc::new(Transport::new(config)?) })
    }

    pub async fn get_file(&self, file_id: &str) -> Result<FileObject, ProviderError> {
        self.fetch(Method::GET, &["files", file_id], &[]).await
    }

    /// One page of files of `purpose` (all where it is none), from behind `after`; `limit` up to 10,000.
    pub async fn list_files(
        &self,
        purpose: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<FileObject>, ProviderError> {
        let limit = limit.to_string();
        let query = [("limit", Some(limit.as_str())), ("after", after), ("purpose", purpose)];
        self.fetch(Method::GET, &["files"], &query).await
    }

    /// Deletes a file. A file that is not there any more is deleted too, so a repeated call is no error.
    pub async fn delete_file(&self, file_id: &str) -> Result<(), ProviderError> {
        match self.fetch::<Deleted>(Method::DELETE, &["files", file_id], &[]).await {
            Ok(Deleted { deleted: true }) | Err(ProviderError::NotFound { .. }) => Ok(()),
            Ok(Deleted { deleted: false }) => Err(ProviderError::InvalidRequest {
                status: 200,
                code: None,
                param: None,
                words: "deleted: false".to_owned(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Creates a batch. Sent once, whatever happens.
    pub async fn create_batch(&self, batch: &CreateBatch) -> Result<Batch, EffectError> {
        let made = self.post(&["batches"], batch);
        let made = match made {
            Ok(request) => self.transport.json(request, self.transport.timeouts.answer).await,
            Err(failure) => Err(failure),
        };
        made.map_err(effect)
    }

    pub async fn get_batch(&self, batch_id: &str) -> Result<Batch, ProviderError> {
        self.fetch(Method::GET, &["batches", batch_id], &[]).await
    }

    /// One page of batches, newest first as observed, from behind `after`; `limit` up to 100.
    pub async fn list_batches(&self, after: Option<&str>, limit: u32) -> Result<Page<Batch>, ProviderError> {
        let limit = limit.to_string();
        self.fetch(Method::GET, &["batches"], &[("limit", Some(&limit)), ("after", after)]).await
    }

    /// Asks for a batch to be cancelled. Sent once: the caller sees at its next look whether it was.
    /// A batch that has ended answers 409, as [`ProviderError::InvalidRequest`].
    pub async fn cancel_batch(&self, batch_id: &str) -> Result<Batch, ProviderError> {
        let made = match self.transport.request(Method::POST, &["batches", batch_id, "cancel"]) {
            Ok(request) => self.transport.json(request, self.transport.timeouts.answer).await,
            Err(failure) => Err(failure),
        };
        made.map_err(|failure| failure.error)
    }

    pub async fn list_models(&self) -> Result<Vec<Model>, ProviderError> {
        let page: Page<Model> = self.fetch(Method::GET, &["models"], &[]).await?;
        Ok(page.data)
    }

    /// Asks for one chat completion at once, at the full price. Sent once, whatever happens. `body` is JSON; `request_id` is
    /// kept by the provider beside its own (API reference, `X-Client-Request-Id`).
    pub async fn chat_completion(&self, body: String, request_id: &str) -> Result<ChatAnswer, EffectError> {
        let answer = match self.transport.request(Method::POST, &["chat", "completions"]) {
            Ok(request) => {
                let request = request.header(CONTENT_TYPE, "application/json").header(CLIENT_REQUEST_ID, request_id);
                self.transport.answer(request.body(body), self.transport.timeouts.chat).await
            }
            Err(failure) => Err(failure),
        };
        let answer = answer.map_err(chat_effect)?;
        // A page from something in between: what is behind it may have answered, and billed, all the same.
        if serde_json::from_slice::<AnyObject>(&answer.body).is_err() {
            let error = not_json(answer.status, &answer.headers, &answer.body, &self.transport.redactor());
            return Err(EffectError::Ambiguous(error));
        }
        Ok(ChatAnswer {
            status: answer.status,
            rate_limits: RateLimits::read(&answer.headers),
            body: self.transport.redactor().body(answer.body).into(),
        })
    }

    fn post(&self, segments: &[&str], body: &impl Serialize) -> Result<reqwest::RequestBuilder, Failure> {
        Ok(self.transport.request(Method::POST, segments)?.json(body))
    }

    async fn fetch<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<T, ProviderError> {
        let mut tries = self.transport.tries(self.transport.retry.retries_max);
        loop {
            match self.fetch_once(method.clone(), segments, query).await {
                Ok(value) => return Ok(value),
                Err(failure) => tries.again(failure).await?,
            }
        }
    }

    async fn fetch_once<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, Option<&str>)],
    ) -> Result<T, Failure> {
        let mut request = self.transport.request(method, segments)?;
        if query.iter().any(|(_, value)| value.is_some()) {
            request = request.query(query);
        }
        self.transport.json(request, self.transport.timeouts.answer).await
    }
}

/// Statuses with which the provider itself gives a completion up. 408, 502, 504 and the like are a gateway's: it stopped waiting,
/// and what it waited for may be answered and billed.
const COMPLETION_FAULTS: [u16; 3] = [500, 503, 529];

/// Any JSON object.
#[derive(Deserialize)]
struct AnyObject {}

/// A completion, unlike a batch, is over with its answer: the provider's own fault in place of one leaves nothing behind.
fn chat_effect(failure: Failure) -> EffectError {
    match failure.error {
        error @ ProviderError::Server { status, .. } if failure.is_own && COMPLETION_FAULTS.contains(&status) => {
            EffectError::Refused(error)
        }
        error => effect(Failure { error, ..failure }),
    }
}

fn effect(failure: Failure) -> EffectError {
    match failure.effect {
        Effect::NotSent => EffectError::NotSent(failure.error),
        Effect::Refused => EffectError::Refused(failure.error),
        Effect::Unclear => EffectError::Ambiguous(failure.error),
    }
}
