//! One page of a list.

use serde::{Deserialize, Deserializer};

use crate::lenient;

/// What a list holds has an id, which is also the cursor for the page behind it.
pub trait Identified {
    fn id(&self) -> &str;
}

/// One page of a list, in the server's order (newest first as observed, not as promised).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Page<T> {
    /// The key is required: an object without it is no list, and reading it as an empty one would say "your batch is
    /// not there" to a caller that then buys it again. Null stands for empty on some servers.
    #[serde(deserialize_with = "null_is_empty")]
    pub data: Vec<T>,
    #[serde(default, deserialize_with = "null_is_false")]
    pub has_more: bool,
    #[serde(default, deserialize_with = "lenient::text")]
    pub last_id: Option<String>,
}

impl<T: Identified> Page<T> {
    /// The `after` cursor of the next page, or nothing where this page is the last.
    pub fn next_after(&self) -> Option<&str> {
        if !self.has_more {
            return None;
        }
        self.last_id.as_deref().or_else(|| self.data.last().map(Identified::id))
    }
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

fn null_is_false<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}
