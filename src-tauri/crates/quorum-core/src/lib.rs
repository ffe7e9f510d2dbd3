//! The domain of Quorum: what is asked of reviews, what was answered, and what follows from it.
//!
//! Pure: no clock, no randomness but from a seed, no files, no network, no tokio, reqwest or redb. The same input gives the same output on every
//! run and machine. Readers take `BufRead`, writers append to a `String`; who opens files and sockets is somebody else.

pub mod answer;
pub mod dataset;
pub mod date;
pub mod ensemble;
pub mod estimate;
pub mod form;
pub mod ids;
pub mod manifest;
pub mod models;
pub mod overrides;
pub mod plan;
pub mod policy;
pub mod prng;
pub mod prompt;
pub mod recoding;
pub mod schema;
pub mod tally;
pub mod tokens;
pub mod topic;
pub mod trust;
pub mod verdict;
pub mod votes;
pub mod words;
