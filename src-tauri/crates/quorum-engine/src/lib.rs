//! The reconcile loop: compares what the store says should be with what the provider says is, and takes the one next
//! action per batch.
//!
//! [`step`] decides (pure), [`Engine::tick`] looks, commits intents and carries actions out. Everything that costs money or creates
//! something goes intent → effect → record; after a crash or an unclear answer the loop looks and adopts before it
//! does anything again. [`draft`] turns a wish into a plan and its price, [`submit`] makes it durable.
//!
//! Not here: when to tick and whom to tell (quorum-api), what an answer means (quorum-core).

mod allowance;
mod at_once;
mod buffers;
mod clock;
mod draft;
mod drive;
mod engine;
mod error;
mod events;
mod execute;
mod expected;
mod fetch;
mod input;
mod listing;
mod lookup;
mod mark;
mod model_table;
mod money;
mod pace;
mod parts;
mod queue;
mod results;
mod rounds;
pub mod step;
mod submit;

pub use allowance::Allowances;
pub use at_once::ASKED_MAX;
pub use clock::{Clock, SystemClock};
pub use draft::{Draft, DraftBatch, DraftRequest, LadderStep, ModelShare, draft, draft_with_ladder, is_current};
pub use engine::{Connect, Engine, Options, Tick, Topics};
pub use error::{ConnectError, EngineError};
pub use events::{Connection, Event};
pub use expected::{Expected, expected};
pub use fetch::ingest_files;
pub use input::{length as input_bytes, stream as input_stream};
pub use model_table::{announced, change_model_edits, model_edits, model_table, save_announced, table_without_edits};
pub use money::{expected as expected_usd, outstanding};
pub use pace::Pacer;
pub use parts::crumbs;
pub use results::{Asked, Results, ResultsError, read as read_results};
pub use rounds::{OpenFailure, open_failures};
pub use submit::{CANARY_REQUESTS, SubmitRequest, submit, trial_surcharge, trials};
