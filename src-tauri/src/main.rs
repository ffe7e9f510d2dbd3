//! The desktop app's entry point. Everything is in the library, so that tests reach it.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    quorum_app_lib::run()
}
