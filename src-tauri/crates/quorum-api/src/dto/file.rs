//! Files that the window makes itself: pictures of charts, tables as CSV.

use serde::{Deserialize, Serialize};
use specta::Type;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum FileContent {
    /// A table; UTF-8.
    Csv(String),
    Svg(String),
    /// The bytes of a PNG picture.
    Png(Vec<u8>),
}
