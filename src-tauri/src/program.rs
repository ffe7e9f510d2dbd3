//! The program behind the window, opened once and off the window's thread.
//!
//! Opening can fail: the data may be in use, newer or damaged. The failure is the answer of every command, the window shows it, and
//! the next command tries again, so "Try again" works without a restart.
//!
//! Deliberately not here: what the commands do. That is `quorum-api`.

use std::path::PathBuf;

use quorum_api::{
    OpenOptions, Quorum, default_data_dir,
    dto::error::{ApiError, ErrorCode},
};
use tauri::{AppHandle, Manager, async_runtime::spawn_blocking};
use tokio::sync::OnceCell;

use crate::{events, tray::Tray, window};

pub struct Program {
    app: AppHandle,
    /// As the person named it; else the platform's.
    data_dir: Option<PathBuf>,
    open: OnceCell<Quorum>,
}

impl Program {
    pub fn new(app: AppHandle, data_dir: Option<PathBuf>) -> Self {
        Self { app, data_dir, open: OnceCell::new() }
    }

    /// The open program; the first caller opens it, the others wait for that.
    pub async fn quorum(&self) -> Result<&Quorum, ApiError> {
        self.open
            .get_or_try_init(|| async {
                let data_dir = self.data_dir.clone();
                let opened = off_the_window(move || {
                    let data_dir = data_dir.map_or_else(default_data_dir, Ok)?;
                    Quorum::open(OpenOptions::new(data_dir))
                })
                .await;
                match &opened {
                    Ok(quorum) => self.start(quorum),
                    Err(error) => tracing::error!(%error, "the data could not be opened"),
                }
                opened
            })
            .await
    }

    /// The open program, if it is.
    pub fn opened(&self) -> Option<&Quorum> {
        self.open.get()
    }

    /// Runs what may take a while, such as reading the store, where it cannot freeze the window.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Quorum) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let quorum = self.quorum().await?.clone();
        off_the_window(move || work(&quorum)).await
    }

    fn start(&self, quorum: &Quorum) {
        // Listen before anything can happen.
        tauri::async_runtime::spawn(events::forward(self.app.clone(), quorum.subscribe()));
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move { app.state::<Tray>().follow(&app).await });
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move { window::follow_settings(&app).await });
        let polling = quorum.clone();
        tauri::async_runtime::spawn(async move { polling.run_polling().await });
    }
}

async fn off_the_window<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    // A panic in there was logged by the panic hook; it reaches people as an error.
    spawn_blocking(work).await.unwrap_or_else(|failure| {
        tracing::error!(%failure, "a command ended early");
        Err(ApiError::new(ErrorCode::Internal, "Quorum stumbled over a bug of its own.")
            .safe("What was stored before is safe.")
            .action("Try again. If it happens again, the log says where."))
    })
}
