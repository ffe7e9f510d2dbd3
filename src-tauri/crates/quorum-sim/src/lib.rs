//! The simulated provider: a Batch API server on loopback with its own clock and faults.
//!
//! It is two things at once: the app's *sandbox*, which needs no key and costs nothing, and the laboratory in which everything
//! that a provider can do wrong is done on purpose. Clients reach it over HTTP like the real one.
//!
//! Contract: files, batches, chat completions and models as of November 2026, for the endpoint `/v1/chat/completions`. Not here:
//! `/v1/responses` and other endpoints, streaming, webhooks, projects, billing. It shares no code with Quorum's own client or
//! prompt renderer, so that a mistake there is not repeated here.
//!
//! Parts: [`Simulator`] is the handle; `server` speaks HTTP; `account` holds files and batches and journals every change;
//! `validate` and `execute` do a batch's work; `model` answers; [`scenario`] says what goes wrong
//! and documents the scenario files; examples lie in `scenarios/`.

mod account;
mod clock;
mod config;
mod draw;
mod error;
mod execute;
mod faults;
mod model;
pub mod scenario;
mod server;
mod shared;
mod simulator;
mod validate;

pub use account::batch::BatchStatus;
pub use account::logs::{CallRow, DuplicateRequest};
pub use clock::Speed;
pub use config::{AccountLimits, Durations, SimConfig};
pub use error::SimError;
pub use execute::ExecutedRow;
pub use scenario::{Call, Fault, Kind, Scenario, Stage};
pub use simulator::{BatchSummary, Simulator};
