//! A stored file's record and its wire form. Bodies lie beside the journal, one file each.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One uploaded or produced file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FileRecord {
    pub(crate) id: String,
    pub(crate) serial: u64,
    pub(crate) bytes: u64,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) filename: String,
    pub(crate) purpose: String,
    #[serde(default)]
    pub(crate) deleted: bool,
}

impl FileRecord {
    pub(crate) fn visible(&self, now_ms: i64) -> bool {
        !self.deleted && self.expires_ms.is_none_or(|expires| now_ms < expires)
    }

    /// The provider's File object.
    pub(crate) fn object(&self) -> Value {
        json!({
            "object": "file",
            "id": self.id,
            "purpose": self.purpose,
            "filename": self.filename,
            "bytes": self.bytes,
            "created_at": self.created_ms.div_euclid(1000),
            "expires_at": self.expires_ms.map(|ms| ms.div_euclid(1000)),
            "status": "processed",
            "status_details": null,
        })
    }
}
