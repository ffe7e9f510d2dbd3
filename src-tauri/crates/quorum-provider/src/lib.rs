//! Client for the Batch API: files, batches, models and chat completions over HTTP, and the lines of result files.
//!
//! [`Provider`] makes the calls, [`lines`] reads what the result files hold, [`ProviderError`] and
//! [`EffectError`] say what went wrong in terms that a caller can act on without reading English.
//!
//! Deliberately not here: any state that outlives a call, any decision about what to submit or when (the
//! engine's), the `/v1/responses` body (Quorum asks `/v1/chat/completions` only), and any way to send a
//! request that costs or creates something a second time. `POST /batches` has no idempotency key, so a
//! second sending after a lost answer would buy the same batch twice; the caller has to look first.

mod address;
mod answer;
mod client;
mod download;
mod error;
mod lenient;
pub mod limits;
pub mod lines;
mod pace;
mod queue_limit;
mod redact;
mod transport;
mod upload;
pub mod wire;

pub use address::{AddressProblem, Host};
pub use answer::{RateLimits, refusal_of};
pub use client::{ChatAnswer, Provider, ProviderConfig, Timeouts};
pub use download::Downloaded;
pub use error::{ConfigError, EffectError, ProviderError};
pub use pace::{Pace, RetryPolicy, SystemPace};
pub use queue_limit::{QueueAllowance, QueueLimit, queue_limit};
