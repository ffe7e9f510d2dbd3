//! How a command ends: its exit status, and its one JSON object.

use std::{io::Write, process::ExitCode};

pub use quorum_core::words::{grouped as count, usd};
use serde_json::{Value, json};

use crate::commands::Failure;

/// Exit status of a command that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    NeedsConsent,
    Unfinished,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::NeedsConsent => 3,
            Exit::Unfinished => 4,
        })
    }
}

/// A line on stderr. A reader that has gone, as in `quorumctl … 2>&1 | head`, does not end the command.
pub fn tell(line: std::fmt::Arguments<'_>) {
    let _closed = writeln!(std::io::stderr().lock(), "{line}");
}

/// `eprintln!` that outlives its reader.
macro_rules! say {
    ($($word:tt)*) => { $crate::outcome::tell(format_args!($($word)*)) };
}

/// Where results and progress go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
}

impl Output {
    /// The result: one JSON object, or lines for people.
    pub fn result(self, json: &Value, people: impl FnOnce() -> String) {
        let text = if self.json { json.to_string() } else { people() };
        // A closed pipe is the reader's choice, not a failure of the command.
        let _closed = writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'));
    }

    /// Why it could not be done: on stderr, and as the one JSON object, so that a script reads it without looking at the
    /// status first.
    pub fn failure(self, error: &Failure) {
        say!("quorumctl: {error}");
        if self.json {
            self.result(&json!({"error": error}), String::new);
        }
    }

    /// A line about what goes on.
    pub fn progress(self, line: &str) {
        if !self.quiet {
            say!("{line}");
        }
    }
}
