//! Quorum without a window: everything that the app does, for scripts and checks.
//!
//! Results go to stdout, progress and diagnostics to stderr. Exit status: 0 done, 1 not possible, 2 wrong usage, 3 needs
//! consent, 4 not finished yet. Not here: what a command does; that is quorum-api.

#[macro_use]
mod outcome;

mod args;
mod commands;
mod wait;

use std::process::ExitCode;

use clap::Parser;
use quorum_api::dto::error::ErrorCode;

use crate::{
    args::Cli,
    outcome::{Exit, Output},
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.global.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say!("quorumctl: the runtime could not be started: {error}");
            return ExitCode::from(1);
        }
    };
    let output = Output { json: cli.global.json, quiet: cli.global.quiet };
    match runtime.block_on(commands::run(cli)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.failure(&error);
            if error.code == ErrorCode::BudgetExceeded { Exit::NeedsConsent } else { Exit::Failed }.into()
        }
    }
}

/// Diagnostics on stderr: warnings, and with `-v` what the engine does. Never bodies or keys.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => tracing_subscriber::filter::LevelFilter::ERROR,
        1 => tracing_subscriber::filter::LevelFilter::INFO,
        _ => tracing_subscriber::filter::LevelFilter::DEBUG,
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).without_time().init();
}
