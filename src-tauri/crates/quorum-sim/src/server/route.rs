//! Which call a request is.

use axum::http::Method;

use crate::scenario::Call;

/// A call with the id in its path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    UploadFile,
    ListFiles,
    GetFile(String),
    Download(String),
    DeleteFile(String),
    CreateBatch,
    GetBatch(String),
    ListBatches,
    CancelBatch(String),
    ListModels,
    GetModel(String),
    Chat,
    Control(String),
    Unknown,
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (get, post, delete) = (method == Method::GET, method == Method::POST, method == Method::DELETE);
        match parts.as_slice() {
            ["v1", "files"] if post => Self::UploadFile,
            ["v1", "files"] if get => Self::ListFiles,
            ["v1", "files", id] if get => Self::GetFile((*id).to_owned()),
            ["v1", "files", id] if delete => Self::DeleteFile((*id).to_owned()),
            ["v1", "files", id, "content"] if get => Self::Download((*id).to_owned()),
            ["v1", "batches"] if post => Self::CreateBatch,
            ["v1", "batches"] if get => Self::ListBatches,
            ["v1", "batches", id] if get => Self::GetBatch((*id).to_owned()),
            ["v1", "batches", id, "cancel"] if post => Self::CancelBatch((*id).to_owned()),
            ["v1", "models"] if get => Self::ListModels,
            ["v1", "models", id] if get => Self::GetModel((*id).to_owned()),
            ["v1", "chat", "completions"] if post => Self::Chat,
            ["_sim", rest @ ..] => Self::Control(rest.join("/")),
            _ => Self::Unknown,
        }
    }

    pub(crate) fn call(&self) -> Call {
        match self {
            Self::UploadFile => Call::UploadFile,
            Self::ListFiles => Call::ListFiles,
            Self::GetFile(_) => Call::GetFile,
            Self::Download(_) => Call::Download,
            Self::DeleteFile(_) => Call::DeleteFile,
            Self::CreateBatch => Call::CreateBatch,
            Self::GetBatch(_) => Call::GetBatch,
            Self::ListBatches => Call::ListBatches,
            Self::CancelBatch(_) => Call::CancelBatch,
            Self::ListModels | Self::GetModel(_) => Call::ListModels,
            Self::Chat => Call::Chat,
            Self::Control(_) | Self::Unknown => Call::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_calls() {
        let of = |method: &Method, path| Route::of(method, path);
        assert_eq!(of(&Method::POST, "/v1/files"), Route::UploadFile);
        assert_eq!(of(&Method::GET, "/v1/files/f/content"), Route::Download("f".to_owned()));
        assert_eq!(of(&Method::POST, "/v1/batches/b/cancel"), Route::CancelBatch("b".to_owned()));
        assert_eq!(of(&Method::PUT, "/v1/files"), Route::Unknown);
        assert_eq!(of(&Method::POST, "/_sim/advance"), Route::Control("advance".to_owned()));
    }
}
