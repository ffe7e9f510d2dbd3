//! What the desktop app and the command line both do, without Tauri: command bodies and their DTOs.
//!
//! [`Quorum`] is the open program; its methods carry the names of the commands in [`dto`]. Reading and computing are free
//! functions over the store and the catalog, one noun a file.
//!
//! Not here: windows, tray, notifications and argument parsing; those are the shells.

mod activity;
mod agreement;
mod app;
pub mod business;
mod catalog;
mod catalog_drafts;
mod catalog_files;
mod catalog_impact;
mod catalog_prompt;
pub mod compare;
pub mod confidence;
pub mod coverage;
pub mod coverage_kept;
mod datasets;
mod day_budget;
pub mod decisions;
mod doctor;
pub mod dto;
mod ensembles;
mod errors;
mod estimates;
mod experience;
mod export;
mod failures;
mod files;
pub mod ground_truth;
mod hold;
pub mod judgments;
mod labels;
mod models;
pub mod open_dataset;
pub mod overrides;
mod plan_warnings;
mod plans;
mod polling;
mod provider;
pub mod queue;
mod removed;
mod restored;
pub mod results;
pub mod review;
mod run_choices;
mod runs;
mod sandbox;
mod secrets;
mod session;
mod settings;
mod spend;
mod spool;
mod stakes;
mod storage;
pub mod topics;
pub mod trust;
pub mod verdicts;
pub mod vote_cache;
pub mod what_if;
mod whole_file;

pub use catalog::read_builtin_catalog;
pub use datasets::SAMPLE_NAME;
pub use doctor::Check;
pub use ensembles::ensemble_of;
pub use failures::RetryOffer;
pub use files::file_save;
pub use plans::{K_PRESETS, Wish};
pub use provider::Address;
pub use quorum_core::words;
pub use restored::{Restored, restore};
pub use run_choices::Again;
pub use session::{OpenOptions, Quorum, default_data_dir};
