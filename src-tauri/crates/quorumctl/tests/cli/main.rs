//! `quorumctl` as a process of its own, against the sandbox and against servers that misbehave: what scripts rely on.
//!
//! Everything runs on the bundled sample. Where the shared reviews are present (`QUORUM_SHARED`, else `../shared` beside the
//! repository) the commands that are promised for them run on them too.

mod bad_input;
mod catalogs;
mod datasets;
mod extraction;
mod interface;
mod kills;
mod marked_key;
mod models;
mod program;
mod providers;
mod proxy;
mod reviews;
mod topics;
mod trust;
mod vote_cache;
