//! A file at the provider.

use serde::Deserialize;

use crate::lenient;
use crate::wire::Identified;

/// One file: an input that was uploaded, or the output or error file of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FileObject {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Size in bytes.
    #[serde(default, deserialize_with = "lenient::number")]
    pub bytes: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub created_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub expires_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub filename: String,
    /// `batch`, `batch_output` and others.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub purpose: String,
    /// Deprecated by the provider: `uploaded`, `processed` or `error`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: Option<String>,
}

impl Identified for FileObject {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Answer of a deletion.
#[derive(Debug, Deserialize)]
pub(crate) struct Deleted {
    /// Servers that leave it out answer 2xx only when the file is gone.
    #[serde(default = "deleted_by_default")]
    pub(crate) deleted: bool,
}

fn deleted_by_default() -> bool {
    true
}
