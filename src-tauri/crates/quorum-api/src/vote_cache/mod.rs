//! The predecessor's vote cache (`policy_cache.json`): import and export.
//!
//! Files reach gigabytes and may have been cut short by a crash. They are read as a stream, twice or three times: first for
//! their shape, `_metadata` (which may stand last) and keys that stand twice; then, for topics whose term hash nobody knows
//! any more, for the values that they used; then for the votes. Nothing is stored before the first passes are through.
//!
//! Not here: what is stored of `aggregated`, which is nothing: consensus is computed when someone looks.

mod export;
mod file;
mod import;
mod scan;
mod twice;

pub use export::{VotesExport, votes_export};
pub use file::{Metadata, Pass, VoteKey, read_key, read_vote, read_votes};
pub use import::{ImportOptions, StaleImport, VotesImport, votes_import};
