//! The embedded store: everything that Quorum knows, in one redb file with one writer.
//!
//! Every method that writes is one transaction: all of it or nothing. Rows start with a version byte, keys are fixed-width and
//! big-endian (redb compares integers by value), tables carry their version in the name. A file of a newer Quorum is refused
//! and not touched. After a failed write (a full disk) the next action opens the file anew; no restart is needed.
//!
//! An error leaves everything before the action in place. The action itself is whole or absent, and absent wherever the error
//! came before the commit; only a failing disk can lose the answer to a commit that was made.
//!
//! One noun a file. Not here: clocks (callers pass the time), the API key (it lives in the keyring and nowhere else), network,
//! and anything derived: consensus and verdicts are computed when someone looks.

mod activity;
mod answers;
mod backup;
mod batches;
mod catalog;
mod claims;
mod datasets;
mod disk;
mod error;
mod failures;
mod gold;
mod handle;
mod ingest;
mod manifests;
mod migrations;
mod models;
mod open;
mod overrides;
mod recode;
mod removed;
mod restore;
mod reviews;
mod rows;
mod settings;
mod spaces;
mod tables;
#[cfg(feature = "testing")]
pub mod testing;
mod usage;
mod votes;

pub use activity::{Activity, ActivityKind};
pub use answers::Answers;
pub use backup::StoreFile;
pub use claims::{Claims, Place};
pub use datasets::{BusinessRow, DatasetInfo, DatasetView, ImportReport, PreparedBusiness, PreparedReview, ReviewFact};
pub use error::StoreError;
pub use failures::FailedRequest;
pub use gold::{DrawnReview, GoldEvent, GoldKind};
pub use ingest::{Ingest, Ingested};
pub use manifests::{NewBatch, NewManifest};
pub use open::Store;
pub use overrides::{OverrideEvent, OverrideKind};
pub use reviews::ReviewRow;
pub use spaces::{Space, SpaceField};
pub use usage::UsageEntry;
pub use votes::NewVote;
