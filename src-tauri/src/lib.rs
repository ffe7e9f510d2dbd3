//! The desktop shell of Quorum: window, tray, notifications, and the wires between the window and `quorum-api`.
//!
//! Deliberately not here: anything that `quorumctl` does as well. What a command does is in `quorum-api`.

mod arguments;
mod commands;
mod desktop;
mod events;
mod log;
mod login;
mod look;
mod menu;
mod notify;
mod program;
mod tray;
#[cfg(target_os = "linux")]
mod tray_host;
mod window;

use std::{path::PathBuf, process::ExitCode, thread};

use quorum_api::read_builtin_catalog;
use tauri::{App, AppHandle, Manager, RunEvent, WindowEvent};
use tauri_plugin_window_state::StateFlags;

use crate::{
    arguments::{Arguments, USAGE},
    program::Program,
    tray::Tray,
};

pub use commands::builder;

/// Runs the app until it is quit.
pub fn run() -> ExitCode {
    let arguments = Arguments::read(std::env::args_os().skip(1), std::env::var_os("QUORUM_DATA"));
    let (data_dir, hidden) = match arguments {
        Ok(Arguments::Open { data_dir, hidden }) => (data_dir, hidden),
        Ok(Arguments::Help) => return said(USAGE),
        Ok(Arguments::Version) => return said(concat!("quorum ", env!("CARGO_PKG_VERSION"))),
        Err(error) => {
            eprintln!("quorum: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    log::start();
    // While the toolkit of the window starts, the catalog is read: the data can then be opened at once.
    let _reading = thread::spawn(read_builtin_catalog);
    match open(data_dir, hidden) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a window there is nothing else to say it with.
            tracing::error!(%error, "the window could not be opened");
            ExitCode::FAILURE
        }
    }
}

fn said(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

fn open(data_dir: Option<PathBuf>, hidden: bool) -> tauri::Result<()> {
    let context = tauri::generate_context!();
    let instance = arguments::instance_name(&context.config().identifier, data_dir.as_ref());
    let commands = builder();
    // The place and size of the window, but not that it was hidden: a launch always shows it.
    let kept = StateFlags::all() & !StateFlags::VISIBLE;
    let app = tauri::Builder::default()
        // First, so that a second launch ends before it touches anything.
        .plugin(
            tauri_plugin_single_instance::Builder::new()
                .dbus_id(instance)
                .callback(|app, _arguments, _directory| window::show(app))
                .build(),
        )
        // Then the data, while menu and window are made.
        .plugin(program::plugin(data_dir.clone()))
        .plugin(tauri_plugin_window_state::Builder::new().with_state_flags(kept).build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(login::plugin(data_dir.as_deref()))
        .menu(menu::make)
        .on_menu_event(|app, event| menu::chosen(app, &event))
        .invoke_handler(commands.invoke_handler())
        .setup(move |app| {
            commands.mount_events(app);
            set_up(app, hidden)?;
            Ok(())
        })
        .on_window_event(|window, event| {
            if let WindowEvent::CloseRequested { api, .. } = event {
                window::close_requested(window, api);
            }
        })
        .build(context)?;
    app.run(|app, event| {
        if let (RunEvent::Exit, Some(program)) = (event, app.try_state::<Program>()) {
            program.rest();
        }
    });
    Ok(())
}

/// A logout and `kill` ask with a signal: it ends as by *Quit*.
#[cfg(unix)]
async fn quit_when_told(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut told) => {
            told.recv().await;
            app.exit(0);
        }
        Err(error) => tracing::warn!(%error, "a logout ends Quorum at once, and the next start takes longer"),
    }
}

fn set_up(app: &App, hidden: bool) -> tauri::Result<()> {
    let (handle, tray) = (app.handle(), app.state::<Tray>());
    look::make_window(app)?;
    window::fit_display(handle);
    // The window is made hidden, so that a start in the tray does not flash it. Without a place for icons `tray_host` shows it.
    if !hidden {
        window::show(handle);
    }
    tray.make(app);
    if hidden && !tray.is_made() {
        window::show(handle);
    }
    #[cfg(target_os = "linux")]
    tauri::async_runtime::spawn(tray_host::watch(handle.clone()));
    #[cfg(unix)]
    tauri::async_runtime::spawn(quit_when_told(handle.clone()));
    Ok(())
}
