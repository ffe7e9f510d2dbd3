//! The one error that crosses the boundary. The face that shows it keeps a table from code to severity and action.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What happened, to what, what is safe, what to do; the provider's words beneath.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    pub code: ErrorCode,
    /// What happened and to what, as a sentence. Faces put a headline of their own for the code before it, so it says
    /// the particulars rather than the code again.
    pub message: String,
    /// The words of the provider, the system or a file's line and field.
    pub detail: Option<String>,
    /// What is still safe.
    pub safe: Option<String>,
    /// What to do next.
    pub action: Option<String>,
}

/// Closed on purpose: a new code needs an entry in every face's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    /// The request makes no sense, such as K of 0 or an empty ensemble.
    InvalidInput,
    /// No such dataset, topic, policy, business, review or run.
    NotFound,
    /// The file is missing or may not be read.
    FileUnreadable,
    /// The file is not UTF-8 JSON Lines, or holds no business.
    FileFormat,
    /// The file or directory may not be written.
    FileUnwritable,
    DiskFull,
    /// A live run needs the dataset.
    DatasetInUse,
    /// Another Quorum has the data open.
    StoreLocked,
    /// The data was written by a newer Quorum.
    StoreNewer,
    StoreDamaged,
    StoreFailed,
    KeyMissing,
    KeyRefused,
    KeyringAbsent,
    KeyringLocked,
    KeyringFailed,
    Offline,
    /// The provider's answer is no answer of this protocol, such as HTML.
    ProviderUnexpected,
    /// The provider rejects the request.
    ProviderRejected,
    /// The provider fails (HTTP 5xx).
    ProviderFailed,
    RateLimited,
    /// The account has no credit or has reached its limit.
    QuotaExceeded,
    ModelUnavailable,
    /// The plan is above the budget and consent is missing.
    BudgetExceeded,
    /// The plan is no longer the one that was shown.
    PlanChanged,
    /// The run is not in a state that allows it.
    RunState,
    /// A bug: the log has more.
    Internal,
}
