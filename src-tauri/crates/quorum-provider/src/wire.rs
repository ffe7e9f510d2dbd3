//! What the Batch API's JSON objects say, as Rust values.
//!
//! Readers are liberal (null, "", absent and unknown members are fine) because compatible servers differ;
//! only an id is required. Times are seconds since 1970 UTC. Not here: result lines, see [`crate::lines`].

mod batch;
mod file;
mod model;
mod page;
mod usage;

pub use batch::{Batch, BatchError, BatchStatus, CreateBatch, RequestCounts};
pub use file::FileObject;
pub use model::Model;
pub use page::{Identified, Page};
pub use usage::Usage;

pub(crate) use file::Deleted;
