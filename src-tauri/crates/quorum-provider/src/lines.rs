//! The lines of a batch's output and error files.
//!
//! Reading is on the path of every paid answer and made for millions of lines: one pass over the bytes, no
//! tree of values, text borrowed from the line where it holds no escapes, and a shorter way for lines that look
//! like the one before. A line that says nothing is reported with its number and never stops the reading. Not here: what an answer's text means (core's
//! parser), which line belongs to which review (the engine joins on `custom_id`; order means nothing).

mod layout;
mod parse;
mod reader;
mod shape;

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

pub use layout::QuickLine;
pub use parse::{chat_outcome, parse_line};
pub use reader::{Line, NumberedLine, ResultReader};

use crate::wire::Usage;

/// One line: what became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultLine<'a> {
    pub custom_id: Cow<'a, str>,
    pub outcome: Outcome<'a>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'a> {
    Ok(Completion<'a>),
    Failed(RowFailure<'a>),
}

impl Outcome<'_> {
    /// What was billed, answered or not.
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Ok(completion) => completion.usage.as_ref(),
            Self::Failed(failure) => failure.usage.as_ref(),
        }
    }
}

/// A whole answer of the model. Its text is not judged here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion<'a> {
    pub content: Cow<'a, str>,
    /// The exact model that answered; empty where the server does not say.
    pub model: Cow<'a, str>,
    pub usage: Option<Usage>,
}

/// A request without a usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFailure<'a> {
    pub kind: FailureKind,
    /// HTTP status; 0 where the request did not run or the server says 0.
    pub status: u16,
    /// The provider's code, or its error type; may be empty.
    pub code: Cow<'a, str>,
    /// The provider's words; for `Refused` the model's.
    pub message: Cow<'a, str>,
    /// What was billed all the same.
    pub usage: Option<Usage>,
}

/// Why a request has no usable answer, by what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// It did not run, or failed on the provider's side: ask again.
    Retryable,
    /// The provider does not accept it: asking again changes nothing.
    Terminal,
    /// `finish_reason: length`: the answer ends early, and is billed.
    CutOff,
    /// The model declined to answer.
    Refused,
    /// `finish_reason: content_filter`.
    Filtered,
    /// A 2xx answer without text, or of a shape that is no chat completion.
    NoAnswer,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Retryable => "not run or failed at the provider",
            FailureKind::Terminal => "not accepted by the provider",
            FailureKind::CutOff => "answer cut off",
            FailureKind::Refused => "refused by the model",
            FailureKind::Filtered => "filtered by the provider",
            FailureKind::NoAnswer => "no answer in the response",
        })
    }
}

/// Why a line says nothing.
#[derive(Debug, Error)]
pub enum LineProblem {
    #[error("not a result line")]
    Unreadable(#[source] serde_json::Error),
    #[error("JSON, but not an object")]
    NotAnObject,
    #[error("no custom_id")]
    NoCustomId,
    #[error("longer than {bytes_max} bytes")]
    TooLong { bytes_max: usize },
}
