//! What can go wrong with a call, by what the caller can do about it.
//!
//! Messages are lower-case and do not repeat their source; the provider's own words are kept apart, in
//! [`ProviderError::provider_words`], cleaned of the key. Not here: how an HTTP answer is sorted into these,
//! see `answer`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::address::AddressProblem;
use crate::queue_limit::QueueLimit;

/// Why a [`crate::Provider`] could not be set up.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("the provider address is not usable")]
    Address(#[source] AddressProblem),
    /// The key is not shown.
    #[error("the key holds characters that cannot be sent in a header")]
    Key,
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// Why a call failed.
#[derive(Debug, Error)]
pub enum ProviderError {
    /// No connection was made, so nothing was sent: no network, unknown name, refused, TLS failure.
    #[error("cannot reach {host}")]
    Offline {
        host: String,
        #[source]
        source: reqwest::Error,
    },
    /// The request was sent, or partly sent, and no whole answer came in time.
    #[error("no whole answer from {host} within {} s", .waited.as_secs_f64())]
    Timeout { host: String, waited: Duration },
    /// The connection broke after it was made. `source` is absent where the answer just ended early.
    #[error("the connection to {host} broke after {bytes_received} bytes of the answer")]
    Interrupted {
        host: String,
        bytes_received: u64,
        #[source]
        source: Option<reqwest::Error>,
    },
    /// 401.
    #[error("the provider refuses the key")]
    Unauthorized { words: String },
    /// 403: the key is known, but may not do this (permissions, country).
    #[error("the provider does not allow this to the key")]
    Forbidden { words: String },
    /// The account's credit or spend limit is used up: waiting does not help, paying does.
    #[error("the account's credit or spend limit is used up")]
    QuotaExhausted { code: String, words: String },
    /// As much is enqueued as the account may: a wait for a batch to end.
    #[error("the account's queue allowance is used up")]
    QueueFull { limit: Option<QueueLimit>, words: String },
    /// 429. `retry_after` is what the provider asks for, where it does.
    #[error("the provider asks to slow down")]
    RateLimited { retry_after: Option<Duration>, words: String },
    /// 5xx and 408: the fault is on the provider's side or on the way.
    #[error("the provider has a fault (status {status})")]
    Server { status: u16, retry_after: Option<Duration>, words: String },
    /// 404 in the provider's own form. Also what another project's key gets for a batch that exists.
    #[error("the provider does not know what was asked for")]
    NotFound { words: String },
    /// Any other 4xx in the provider's own form.
    #[error("the provider refuses the request (status {status})")]
    InvalidRequest { status: u16, code: Option<String>, param: Option<String>, words: String },
    /// An answer that no Batch API gives: HTML of a gateway or a login page, a redirect, JSON of another shape.
    #[error("the answer (status {status}, {content_type}) does not come from a Batch API")]
    NotJson { status: u16, content_type: String, snippet: String },
    /// The JSON answer went past [`crate::limits::ANSWER_BYTES_MAX`].
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    /// A downloaded file arrived with its full length and still ends inside a line.
    #[error("file {file_id} ends in the middle of a line, after {bytes} bytes")]
    LastLineCut { file_id: String, bytes: u64 },
    /// The stream to upload did not hold what was announced; nothing is at the provider.
    #[error("{bytes_announced} bytes were announced for upload and the input held {}", if *.bytes_read > *.bytes_announced { "more".to_owned() } else { .bytes_read.to_string() })]
    UploadLength { bytes_announced: u64, bytes_read: u64 },
    /// The stream to upload could not be read.
    #[error("the input of the upload cannot be read")]
    UploadInput(#[source] io::Error),
    #[error("cannot {doing} {path}", path = .path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// An id that no path of the API can hold, so the call was not made.
    #[error("{id:?} is not an id")]
    BadId { id: String },
    /// The request could not be put together, so nothing was sent.
    #[error("the request could not be put together")]
    Unsendable(#[source] reqwest::Error),
}

impl ProviderError {
    /// Whether the same call may work later with nobody doing anything. It says nothing about whether
    /// sending it again is safe, see [`EffectError`].
    pub fn retryable(&self) -> bool {
        match self {
            ProviderError::Offline { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::Interrupted { .. }
            | ProviderError::QueueFull { .. }
            | ProviderError::RateLimited { .. }
            | ProviderError::Server { .. }
            | ProviderError::LastLineCut { .. }
            // A login page or a gateway goes away by itself.
            | ProviderError::NotJson { .. } => true,
            ProviderError::InvalidRequest { status, .. } => *status == 409,
            ProviderError::Unauthorized { .. }
            | ProviderError::Forbidden { .. }
            | ProviderError::QuotaExhausted { .. }
            | ProviderError::NotFound { .. }
            | ProviderError::TooLarge { .. }
            | ProviderError::UploadLength { .. }
            | ProviderError::UploadInput(_)
            | ProviderError::Io { .. }
            | ProviderError::BadId { .. }
            | ProviderError::Unsendable(_) => false,
        }
    }

    /// Whether the whole account is stopped until a person acts: key, permission, money.
    pub fn stops_account(&self) -> bool {
        matches!(
            self,
            ProviderError::Unauthorized { .. } | ProviderError::Forbidden { .. } | ProviderError::QuotaExhausted { .. }
        )
    }

    /// How long the provider asks to wait, where it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            ProviderError::RateLimited { retry_after, .. } | ProviderError::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the provider itself said, cleaned of the key, to be shown beneath our own words.
    pub fn provider_words(&self) -> Option<&str> {
        let words = match self {
            ProviderError::Unauthorized { words }
            | ProviderError::Forbidden { words }
            | ProviderError::QuotaExhausted { words, .. }
            | ProviderError::QueueFull { words, .. }
            | ProviderError::RateLimited { words, .. }
            | ProviderError::Server { words, .. }
            | ProviderError::NotFound { words }
            | ProviderError::InvalidRequest { words, .. } => words,
            ProviderError::NotJson { snippet, .. } => snippet,
            _ => return None,
        };
        (!words.is_empty()).then_some(words.as_str())
    }
}

/// Why a call that creates or costs something failed, by whether it had its effect.
///
/// Such a call is never sent a second time by this crate.
#[derive(Debug, Error)]
pub enum EffectError {
    /// No connection was made: it certainly had no effect, and may be made again.
    #[error("the request was not sent")]
    NotSent(#[source] ProviderError),
    /// The provider refused it in its own form: it certainly had no effect.
    #[error("the request was refused")]
    Refused(#[source] ProviderError),
    /// It may have had its effect: look at what is at the provider before anything else.
    #[error("it is not known whether the request took effect")]
    Ambiguous(#[source] ProviderError),
}

impl EffectError {
    /// What went wrong with the call itself.
    pub fn cause(&self) -> &ProviderError {
        match self {
            EffectError::NotSent(error) | EffectError::Refused(error) | EffectError::Ambiguous(error) => error,
        }
    }
}
