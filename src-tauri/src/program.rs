//! The program behind the window, opened once and off the window's thread.
//!
//! Opening can fail: the data may be in use, newer or damaged. The failure is the answer of every command, the window shows it, and
//! the next command tries again, so "Try again" works without a restart.
//!
//! Deliberately not here: what the commands do. That is `quorum-api`.

use std::{path::PathBuf, sync::mpsc, thread, time::Duration};

use quorum_api::{
    OpenOptions, Quorum, default_data_dir,
    dto::error::{ApiError, ErrorCode},
};
use tauri::{
    AppHandle, Manager, Wry,
    async_runtime::spawn_blocking,
    plugin::{self, TauriPlugin},
};
use tokio::sync::OnceCell;

use crate::{events, notify::Notifier, tray::Tray, window};

/// An ending waits this long for a write that is under way.
const REST_WAIT: Duration = Duration::from_millis(500);

/// The window's first picture waits for the answers to its first commands. What nobody waits for begins after them.
const START_PAUSE: Duration = Duration::from_millis(500);

pub struct Program {
    app: AppHandle,
    /// As the person named it; else the platform's.
    data_dir: Option<PathBuf>,
    open: OnceCell<Quorum>,
}

/// Opens the program before there is a window to ask for it. A plugin, because the one before it ends a second launch, and nothing
/// of a second launch may touch the data.
pub fn plugin(data_dir: Option<PathBuf>) -> TauriPlugin<Wry> {
    plugin::Builder::new("program")
        .setup(move |app, _| {
            app.manage(window::Shown::default());
            app.manage(Tray::new());
            app.manage(Notifier::start(app));
            app.manage(Program::new(app.clone(), data_dir));
            let opener = app.clone();
            tauri::async_runtime::spawn(async move {
                // Its failure is logged there, and the window's first command says it again.
                let _shown_by_the_window = opener.state::<Program>().quorum().await;
            });
            Ok(())
        })
        .build()
}

impl Program {
    fn new(app: AppHandle, data_dir: Option<PathBuf>) -> Self {
        Self { app, data_dir, open: OnceCell::new() }
    }

    /// The open program; the first caller opens it, the others wait for that. It must be polled to its end: dropped in between,
    /// the next caller would open the data a second time beside the first.
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

    /// Leaves the data so that the next start is quick: the process ends without closing it. What is written is safe in any case.
    pub fn rest(&self) {
        let Some(quorum) = self.opened().cloned() else { return };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            if let Err(error) = quorum.rest() {
                tracing::warn!(%error, "the data was not left at rest; the next start takes longer");
            }
            // Nobody hears it where the wait is over.
            tell.send(()).ok();
        });
        if told.recv_timeout(REST_WAIT).is_err() {
            tracing::info!("a write is still under way at the end; the next start takes longer");
        }
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
        tauri::async_runtime::spawn(async move { window::follow_settings(&app).await });
        let (app, polling) = (self.app.clone(), quorum.clone());
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(START_PAUSE).await;
            let looking = polling.clone();
            tauri::async_runtime::spawn(async move { polling.run_polling().await });
            // It may wait for a person at the keyring.
            spawn_blocking(move || {
                if let Err(error) = looking.key_look_first() {
                    tracing::warn!(%error, "the key could not be looked for");
                }
            });
            app.state::<Tray>().follow(&app).await;
        });
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
