//! What the desktop app and the command line both do, without Tauri: command bodies and their DTOs.
//!
//! [`Quorum`] is the open program; its methods carry the names of the commands in [`dto`]. Reading and computing are free
//! functions over the store and the catalog, one noun a file.
//!
//! Not here: windows, tray, notifications and argument parsing; those are the shells.

mod whole_file;
pub mod verdicts;
pub mod open_dataset;
pub mod judgments;
pub mod ground_truth;
mod activity;
mod app;
mod catalog;
mod datasets;
pub mod dto;
mod errors;
mod plans;
mod polling;
mod provider;
mod runs;
mod sandbox;
mod secrets;
mod session;
mod settings;

pub use datasets::SAMPLE_NAME;
pub use plans::{K_PRESETS, Wish, ensemble_of};
pub use provider::Address;
pub use session::{OpenOptions, Quorum};
