//! The embedded store: everything that Quorum knows, in one redb file with one writer.
//!
//! Every method that writes is one transaction: all of it or nothing. Rows start with a version byte, keys are fixed-width and
//! big-endian (redb compares integers by value), tables carry their version in the name. A file of a newer Quorum is refused
//! and not touched.
//!
//! One noun a file. Not here: clocks (callers pass the time), the API key (it lives in the keyring and nowhere else), network,
//! and anything derived: consensus and verdicts are computed when someone looks.

mod activity;
mod batches;
mod catalog;
mod datasets;
mod error;
mod failures;
mod ingest;
mod manifests;
mod open;
mod overrides;
mod reviews;
mod rows;
mod settings;
mod spaces;
mod tables;
mod usage;
mod votes;

pub use activity::{Activity, ActivityKind};
pub use datasets::{BusinessRow, DatasetInfo, DatasetView, ImportReport, PreparedBusiness, PreparedReview, ReviewFact};
pub use error::StoreError;
pub use failures::FailedRequest;
pub use ingest::{Ingest, Ingested};
pub use manifests::{NewBatch, NewManifest};
pub use open::{Integrity, Store};
pub use overrides::{OverrideEvent, OverrideKind};
pub use reviews::ReviewRow;
pub use spaces::{Space, SpaceField};
pub use usage::UsageEntry;
pub use votes::NewVote;
