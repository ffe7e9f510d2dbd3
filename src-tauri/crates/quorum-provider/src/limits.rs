//! The provider's published limits that calls go by, as numbers with units, and this client's own bounds.
//!
//! Not here: how batches are planned (`quorum_core::plan`), queue allowances per model and prices. The last two change by
//! account and month, so they are data that the user can edit, not constants.

use std::time::Duration;

/// Batches that an organization may create in an hour. Source: batch guide.
pub const BATCH_CREATIONS_PER_HOUR_MAX: u32 = 2_000;
/// Requests of one batch. Source: batch guide.
pub const BATCH_REQUESTS_MAX: u32 = 50_000;
/// File uploads that an organization may make in a minute. Source: files reference.
pub const UPLOADS_PER_MINUTE_MAX: u32 = 1_000;
/// Time the provider gives itself for a batch, as it is spelled on the wire. Source: `completion_window` accepts nothing else.
pub const COMPLETION_WINDOW_WIRE: &str = "24h";
/// Largest page of `GET /files`. Source: API reference.
pub const FILES_PAGE_MAX: u32 = 10_000;

/// Repeats of a call that may be repeated. Source: the provider's Python SDK, `max_retries`.
pub const RETRIES_MAX: u32 = 2;
/// Repeats of an upload: each one may be 200 MB, and a lost one leaves an orphan file behind.
pub const UPLOAD_RETRIES_MAX: u32 = 1;
/// First delay between two tries. Source: SDK, `INITIAL_RETRY_DELAY`.
pub const RETRY_DELAY_FIRST: Duration = Duration::from_millis(500);
/// Longest delay that this client chooses itself. Source: SDK, `MAX_RETRY_DELAY`.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(8);
/// Longest `retry-after` waited for inside a call; a longer one is handed to the caller. Source: SDK.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);
/// Share of a delay that jitter may take away. Source: SDK, `1 - 0.25 * random()`.
pub const RETRY_JITTER_SHARE: f64 = 0.25;

/// Time to reach the server (name, TCP, TLS).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a whole JSON answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for a chat completion: models that reason take minutes. Source: SDK, 600 s.
pub const CHAT_TIMEOUT: Duration = Duration::from_secs(600);
/// Longest silence inside a download.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Slowest transfer put up with, bytes a second, so that a server that drips cannot hold a call for ever.
pub const TRANSFER_BYTES_PER_S_MIN: u64 = 16 * 1024;
/// Tries of one download in all. Tries that bring nothing new are bounded by the retry policy instead.
pub const DOWNLOAD_TRIES_MAX: u32 = 64;

/// Largest JSON answer read into memory, bytes; a full page of 10,000 files is about 4 MB.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest result line read, bytes. 128k output tokens are below 1 MB of text.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest excerpt of an unreadable answer kept in an error, characters.
pub const SNIPPET_CHARS_MAX: usize = 200;
/// Longest text of the provider kept in an error, characters.
pub const WORDS_CHARS_MAX: usize = 2_000;
