//! Work of the published size, made from a seed, and the timing of Quorum on it.
//!
//! [`folder`] makes a dataset, a store in which everything is planned, and the files that a provider would have written;
//! [`runs`] and [`mod@trust`] time the product's own code on them. The figures are plain data: printing them and comparing them
//! with other programs is the caller's. [`hot`] has the innermost loops alone, [`stock`] a data directory to open the window on.
//!
//! Not here: anything that the product needs.

mod answers;
mod draws;
pub mod folder;
pub mod hot;
pub mod measure;
mod reviews;
pub mod runs;
pub mod stock;
pub mod trust;

use std::{io, path::PathBuf};

use quorum_api::dto::error::ApiError;
use quorum_engine::EngineError;
use quorum_store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{path} cannot be read or written")]
    File { path: PathBuf, source: io::Error },
    #[error("{0} is not there; make the folder first with `quorumctl bench generate`")]
    NotMade(PathBuf),
    #[error("a folder holds 1 to {topics_max} topics, and at least 1 review")]
    Scale { topics_max: usize },
    #[error("an input file of {sent} bytes was announced with {expected}")]
    Length { sent: u64, expected: u64 },
    #[error("the pipe broke")]
    Pipe(#[source] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Api(#[from] ApiError),
}
