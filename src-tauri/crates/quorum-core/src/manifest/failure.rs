//! Failed requests: why one has no vote, and whether asking again can help.

use serde::{Deserialize, Serialize};

/// A request without a vote, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub cause: Cause,
    /// HTTP status of the line, 0 when there was none.
    #[serde(default)]
    pub status: u16,
    /// The provider's code, for example `context_length_exceeded`.
    #[serde(default)]
    pub code: String,
    /// The provider's words, or ours where it said none.
    pub words: String,
}

/// What kind of failure a request met; decides whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The batch ended before its turn came.
    Expired,
    Cancelled,
    /// No or a temporary answer: status 0, 408, 409, 429, 5xx.
    Temporary,
    /// In neither result file.
    Lost,
    /// The answer was cut off at the output limit (and paid).
    CutOff,
    /// The model refused.
    Refused,
    /// The provider's content filter.
    Filtered,
    /// The answer cannot be read as a vote.
    Unreadable,
    /// The provider rejected the request itself; it would again.
    Rejected,
    /// No answer arrived, of a synchronous call or in a result file that was cut short: it may have been answered and billed all
    /// the same.
    Unclear,
}

impl Cause {
    /// Asking the same again can help and the round may take it up.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::Expired | Self::Temporary | Self::Lost | Self::Unreadable | Self::CutOff => true,
            Self::Cancelled | Self::Refused | Self::Filtered | Self::Rejected | Self::Unclear => false,
        }
    }
}
