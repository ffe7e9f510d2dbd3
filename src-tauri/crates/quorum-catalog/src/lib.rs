//! The 18 topics and 72 policies as YAML, embedded, and the reader for catalogs in the wild.
//!
//! [`builtin`] is the embedded catalog, [`read`] and [`read_dir`] read another one, [`Catalog::overlay`] puts a user's on
//! top; [`Catalog::draft`] begins a policy of one's own. Reading never fails as a whole: every problem is a [`Problem`] with file, line and column, and a topic with an
//! error is left out. The formats are those of `domain.md`, Formats. Keys of our own: `question` in a term, and
//! `topic_name`, `relevant`, `not_relevant`, `relevance_cues` in a policy's `overview`.
//!
//! Not here: what policies do ([`quorum_core::verdict`]), and keeping users' catalogs (quorum-store).

mod builtin;
mod catalog;
mod draft;
mod extends;
mod fields;
mod folder;
mod identity;
mod library;
mod mapping;
mod policy;
mod problem;
mod rules;
mod scoring;
mod source;
mod thresholds;
mod vocabulary;
mod yaml;

pub use builtin::{builtin, builtin_files};
pub use catalog::{Catalog, FileHolds, read};
pub use draft::{Draft, Step};
pub use folder::{CatalogFile, FolderError, load_folder, read_dir};
pub use identity::OWN_VARIANTS;
pub use library::Library;
pub use problem::{Problem, Severity};
pub use source::{CATALOG_BYTES_MAX, CATALOG_FILES_MAX, FILE_BYTES_MAX};
