//! Problems of a catalog: where, how bad, what stands there and what was expected.
//!
//! Not here: deciding what is a problem; the readers do that.

use std::{fmt, sync::Arc};

/// How bad a problem is. An error keeps its topic out of the catalog; in a policy that a person added beside a topic, that policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// One problem at one place of one file. Ordered by file, then place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    pub severity: Severity,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, message } = self;
        write!(out, "{file}:{line}:{column}: {severity}: {message}")
    }
}

/// A place in a file, both numbers from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub file: Arc<str>,
    pub line: u32,
    pub column: u32,
}

impl Place {
    pub fn start_of(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), line: 1, column: 1 }
    }
}

/// Most problems that are kept; a file that is wrong throughout says nothing new after that.
pub(crate) const PROBLEMS_MAX: usize = 1_000;

/// Problems as they are found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    has_errors: bool,
    /// How many were not kept, and the first of them.
    dropped: usize,
    first_dropped: Option<Problem>,
}

impl Problems {
    pub fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.has_errors = true;
        self.push(place, Severity::Error, message.into());
    }

    pub fn warning(&mut self, place: &Place, message: impl Into<String>) {
        self.push(place, Severity::Warning, message.into());
    }

    pub fn note(&mut self, place: &Place, message: impl Into<String>) {
        self.push(place, Severity::Note, message.into());
    }

    fn push(&mut self, place: &Place, severity: Severity, message: String) {
        let Place { file, line, column } = place;
        let file = file.to_string();
        self.keep(Problem { file, line: *line, column: *column, severity, message });
    }

    fn keep(&mut self, problem: Problem) {
        // There is more room for errors: one of them is why a topic is missing.
        let room = if problem.severity == Severity::Error { 2 * PROBLEMS_MAX } else { PROBLEMS_MAX };
        if self.found.len() < room {
            self.found.push(problem);
        } else {
            self.dropped += 1;
            self.first_dropped.get_or_insert(problem);
        }
    }

    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// The errors among them.
    pub fn into_errors(mut self) -> Self {
        self.found.retain(|problem| problem.severity == Severity::Error);
        Self { found: self.found, has_errors: self.has_errors, ..Self::default() }
    }

    pub fn absorb(&mut self, other: Problems) {
        self.has_errors |= other.has_errors;
        self.dropped += other.dropped;
        for problem in other.found {
            self.keep(problem);
        }
        if let Some(problem) = other.first_dropped {
            self.first_dropped.get_or_insert(problem);
        }
    }

    /// Sorted by place, each once: what several policies inherit is read several times.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        if let Some(first) = self.first_dropped.take() {
            let message = format!("{} more problems from here on are not listed", self.dropped);
            self.found.push(Problem { severity: Severity::Warning, message, ..first });
        }
        self.found.sort();
        self.found.dedup();
        self.found
    }
}
