//! Judges one line, by the rule of the contract: 2xx with an answer is a success; 0, 408, 409, 429, 5xx and "did
//! not run" are worth asking again; other 4xx are not.

use std::borrow::Cow;

use crate::lenient::Maybe;
use crate::lines::shape::{ChatBody, RawBody, RawError, RawLine, RawResponse};
use crate::lines::{Completion, FailureKind, LineProblem, Outcome, ResultLine, RowFailure};

/// Reads one line, without its newline. Text is borrowed from `line` where it holds no escapes.
pub fn parse_line(line: &[u8]) -> Result<ResultLine<'_>, LineProblem> {
    let raw = serde_json::from_slice::<Maybe<RawLine>>(line).map_err(LineProblem::Unreadable)?;
    let raw = raw.0.ok_or(LineProblem::NotAnObject)?;
    let custom_id = raw.custom_id.0.ok_or(LineProblem::NoCustomId)?;
    let outcome = match raw.response.0 {
        Some(response) => of_response(response, raw.error),
        None => Outcome::Failed(not_run(raw.error)),
    };
    Ok(ResultLine { custom_id, outcome })
}

/// Judges the body of a synchronous chat completion as the body of a line is judged.
pub fn chat_outcome(status: u16, body: &[u8]) -> Outcome<'_> {
    match serde_json::from_slice::<RawBody>(body) {
        Ok(body) => of_body(status, body, RawError::default()),
        Err(_) => Outcome::Failed(no_answer(status, "the response is not JSON")),
    }
}

fn of_response<'a>(response: RawResponse<'a>, error: RawError<'a>) -> Outcome<'a> {
    // A status that no HTTP has reads as 0, "the server does not say".
    let status = response.status_code.0.and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
    of_body(status, response.body, error)
}

fn of_body<'a>(status: u16, body: RawBody<'a>, line_error: RawError<'a>) -> Outcome<'a> {
    let body = match body {
        RawBody::Object(body) => Some(*body),
        RawBody::Printed(text) => return of_printed(status, text, line_error),
        RawBody::Absent => None,
    };
    if !(200..300).contains(&status) {
        let (error, usage) = match body {
            Some(body) => (first_present(body.error, line_error), body.usage.0),
            None => (line_error, None),
        };
        let kind = kind_of_status(status);
        return Outcome::Failed(RowFailure { kind, status, code: error.code, message: error.message, usage });
    }
    match body {
        Some(body) => of_success(status, body, line_error),
        None => Outcome::Failed(without_answer(status, line_error)),
    }
}

/// A body that the server printed into a string; its text cannot be borrowed, being escaped twice.
fn of_printed<'a>(status: u16, text: Cow<'a, str>, line_error: RawError<'a>) -> Outcome<'a> {
    match serde_json::from_str::<ChatBody>(&text) {
        Ok(body) => own(of_body(status, RawBody::Object(Box::new(body)), line_error)),
        Err(_) if (200..300).contains(&status) => {
            Outcome::Failed(no_answer(status, "the response body is text and not JSON"))
        }
        // An error told in plain text.
        Err(_) => {
            let kind = kind_of_status(status);
            Outcome::Failed(RowFailure { kind, status, code: line_error.code, message: text, usage: None })
        }
    }
}

fn of_success<'a>(status: u16, body: ChatBody<'a>, line_error: RawError<'a>) -> Outcome<'a> {
    let usage = body.usage.0;
    let Some(choice) = body.choices.0 else {
        let failure = without_answer(status, first_present(body.error, line_error));
        return Outcome::Failed(RowFailure { usage, ..failure });
    };
    let message = choice.message.0.unwrap_or_default();
    let failed = |kind, message| Outcome::Failed(RowFailure { kind, status, code: Cow::Borrowed(""), message, usage });
    match choice.finish_reason.0.as_deref() {
        Some("length") => return failed(FailureKind::CutOff, Cow::Borrowed("finish_reason: length")),
        Some("content_filter") => {
            return failed(FailureKind::Filtered, Cow::Borrowed("finish_reason: content_filter"));
        }
        _ => {}
    }
    if let Some(words) = message.refusal.0 {
        return failed(FailureKind::Refused, words);
    }
    match message.content.0 {
        Some(content) => Outcome::Ok(Completion { content, model: body.model.or_empty(), usage }),
        None => failed(FailureKind::NoAnswer, Cow::Borrowed("the answer is empty")),
    }
}

/// 2xx without an answer: with an error inside it is that error, else it is of no known shape.
fn without_answer(status: u16, error: RawError<'_>) -> RowFailure<'_> {
    if error.is_present {
        RowFailure { status, ..not_run(error) }
    } else {
        no_answer(status, "the response holds no answer")
    }
}

fn no_answer(status: u16, message: &'static str) -> RowFailure<'static> {
    RowFailure {
        kind: FailureKind::NoAnswer,
        status,
        code: Cow::Borrowed(""),
        message: Cow::Borrowed(message),
        usage: None,
    }
}

/// Shape 2: no response, and an error that says why the request did not run.
fn not_run(error: RawError<'_>) -> RowFailure<'_> {
    RowFailure { kind: kind_of_code(&error.code), status: 0, code: error.code, message: error.message, usage: None }
}

fn kind_of_status(status: u16) -> FailureKind {
    match status {
        408 | 409 | 429 => FailureKind::Retryable,
        // A redirect (3xx) or 1xx in a line is no answer to the request; another round may go elsewhere.
        400..500 => FailureKind::Terminal,
        _ => FailureKind::Retryable,
    }
}

/// Codes that name a fault of the request itself. Everything else that did not run (batch_expired, batch_cancelled,
/// request_timeout, server_error, codes not known yet) is worth another of the bounded rounds.
fn kind_of_code(code: &str) -> FailureKind {
    let is_terminal = code.starts_with("invalid_")
        || code.starts_with("unsupported_")
        || code.starts_with("missing_required_")
        || matches!(code, "context_length_exceeded" | "model_not_found" | "content_policy_violation");
    if is_terminal { FailureKind::Terminal } else { FailureKind::Retryable }
}

fn first_present<'a>(inner: RawError<'a>, outer: RawError<'a>) -> RawError<'a> {
    if inner.is_present { inner } else { outer }
}

fn own(outcome: Outcome<'_>) -> Outcome<'static> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match outcome {
        Outcome::Ok(Completion { content, model, usage }) => {
            Outcome::Ok(Completion { content: owned(content), model: owned(model), usage })
        }
        Outcome::Failed(RowFailure { kind, status, code, message, usage }) => {
            Outcome::Failed(RowFailure { kind, status, code: owned(code), message: owned(message), usage })
        }
    }
}
