//! Every error on its way to a person: what happened, what is safe, what to do, and the original words beneath.

use std::error::Error;

use quorum_engine::{ConnectError, EngineError};
use quorum_provider::ProviderError;
use quorum_store::StoreError;

use crate::dto::error::{ApiError, ErrorCode};

impl ApiError {
    /// An error with a code and what happened.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None, safe: None, action: None }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn safe(mut self, safe: impl Into<String>) -> Self {
        self.safe = Some(safe.into());
        self
    }

    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// A request that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidInput, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)?;
        for more in [&self.safe, &self.action].into_iter().flatten() {
            write!(out, " {more}")?;
        }
        if let Some(detail) = &self.detail {
            write!(out, "\n  {detail}")?;
        }
        Ok(())
    }
}

impl Error for ApiError {}

/// An error's sources as one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Transparent wrappers say the same as what they wrap.
        if !words.ends_with(&next) {
            words.push_str(": ");
            words.push_str(&next);
        }
        source = error.source();
    }
    words
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let detail = chain(&error);
        match &error {
            StoreError::InUse { .. } => Self::new(ErrorCode::StoreLocked, "Another Quorum has this data open.")
                .safe("Nothing was changed.")
                .action("Use that window, or close it and try again.")
                .detail(detail),
            StoreError::Newer { found, known, .. } => Self::new(
                ErrorCode::StoreNewer,
                format!("This data was written by a newer Quorum (store {found}, this one reads {known})."),
            )
            .safe("Nothing was changed.")
            .action("Install the newer version.")
            .detail(detail),
            StoreError::NotAStore { .. } => Self::new(ErrorCode::StoreDamaged, "The data file is not a Quorum store.")
                .safe("Nothing was changed.")
                .action("Move the file away, or restore a backup.")
                .detail(detail),
            StoreError::DiskFull { .. } => Self::new(ErrorCode::DiskFull, "The disk is full.")
                .safe("Everything stored before is safe; nothing of this step was kept.")
                .action("Free some space and try again.")
                .detail(detail),
            StoreError::NoDataset(name) => Self::not_found(format!("There is no dataset \"{name}\"."))
                .action("Import it, or choose one of the list."),
            StoreError::DatasetInUse(name) => {
                Self::new(ErrorCode::DatasetInUse, format!("A live run needs the dataset \"{name}\"."))
                    .safe("Nothing was changed.")
                    .action("Wait for the run, or cancel it.")
            }
            StoreError::NotRemoved(_) => Self::not_found("This dataset cannot be put back.")
                .safe("Nothing was changed.")
                .action("It is back already, or was removed too long ago. Import its file again."),
            StoreError::Taken { .. } => Self::new(ErrorCode::PlanChanged, "The plan changed while you looked at it.")
                .safe("Nothing was sent.")
                .action("Look at the new figures and confirm again.")
                .detail(detail),
            StoreError::NoManifest(id) => Self::not_found(format!("There is no run {id}.")),
            StoreError::NoBatch(id) => Self::not_found(format!("There is no batch {id}.")),
            StoreError::NoOverride(id) => Self::not_found(format!("There is no correction {id}.")),
            StoreError::Row { .. }
            | StoreError::Damaged { .. }
            | StoreError::Votes { .. }
            | StoreError::RowVersion { .. } => Self::new(ErrorCode::StoreDamaged, "A row of the store cannot be read.")
                .safe("The other rows are not affected.")
                .action("Restore a backup, or ask the doctor (`quorumctl doctor`) what is damaged.")
                .detail(detail),
            _ => Self::new(ErrorCode::StoreFailed, "The store could not be read or written.")
                .safe("Everything stored before is safe.")
                .detail(detail),
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            error @ EngineError::Results { .. } => {
                Self::new(ErrorCode::FileUnreadable, "Downloaded results could not be read.")
                    .safe("They stay at the provider and are fetched again.")
                    .detail(chain(&error))
            }
            EngineError::Run { run, source } => {
                let error = Self::from(*source);
                Self { message: format!("Run {run} is left as it is for now. {}", error.message), ..error }
            }
            error @ EngineError::Stopped(_) => {
                Self::new(ErrorCode::Internal, "A background task was stopped.").detail(chain(&error))
            }
        }
    }
}

impl From<ConnectError> for ApiError {
    fn from(error: ConnectError) -> Self {
        let detail = chain(&error);
        match error {
            ConnectError::NoKey => Self::new(ErrorCode::KeyMissing, "No API key is stored.")
                .safe("Nothing was sent.")
                .action("Add a key in Settings or with `quorumctl key set`."),
            ConnectError::Keyring(_) => {
                Self::new(ErrorCode::KeyringFailed, "The keyring cannot be read.").detail(detail)
            }
            ConnectError::Address(_) => Self::invalid("The provider's address cannot be used.").detail(detail),
            ConnectError::Sandbox(_) => {
                Self::new(ErrorCode::Internal, "The sandbox could not be started.").detail(detail)
            }
        }
    }
}

impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        let (code, message) = match &error {
            ProviderError::Offline { .. } | ProviderError::Timeout { .. } | ProviderError::Interrupted { .. } => {
                (ErrorCode::Offline, "The provider cannot be reached.")
            }
            ProviderError::Unauthorized { .. } | ProviderError::Forbidden { .. } => {
                (ErrorCode::KeyRefused, "The provider refused the key.")
            }
            ProviderError::QuotaExhausted { .. } => {
                (ErrorCode::QuotaExceeded, "The account's credit or limit is used up.")
            }
            ProviderError::RateLimited { .. } | ProviderError::QueueFull { .. } => {
                (ErrorCode::RateLimited, "The provider asks to slow down.")
            }
            ProviderError::Server { .. } => (ErrorCode::ProviderFailed, "The provider has a fault."),
            ProviderError::NotJson { .. } | ProviderError::TooLarge { .. } | ProviderError::LastLineCut { .. } => {
                (ErrorCode::ProviderUnexpected, "What answers at the provider's address is not a Batch API.")
            }
            ProviderError::Io { .. } => (ErrorCode::FileUnwritable, "A file could not be written."),
            _ => (ErrorCode::ProviderRejected, "The provider refused the request."),
        };
        let words = error.provider_words().map_or_else(|| chain(&error), str::to_owned);
        Self::new(code, message).safe("Everything that was fetched is safe here.").detail(words)
    }
}
