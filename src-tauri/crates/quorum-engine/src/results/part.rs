//! A part of a result file, read on one core: what each of its lines says about which request.

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use quorum_core::{
    answer::read_answer,
    form::AnswerForm,
    manifest::{Cause, Failure},
    models::Usage,
    plan::Request,
    prompt::read_custom_id,
    schema::Schema,
    votes::encode,
};
use quorum_provider::{
    lines::{self, Completion, FailureKind, Line, ResultReader, RowFailure},
    wire,
};

use crate::lookup::Lookup;

/// The lines that begin within a range of a file's bytes.
#[derive(Clone, Debug)]
pub struct FilePart {
    pub path: PathBuf,
    range: Range<u64>,
}

impl FilePart {
    /// All lines of a file, in order, in parts of about the same size and at most `part_bytes_max`, so that no core waits long for
    /// another.
    pub fn cut(path: &Path, part_bytes_max: u64) -> io::Result<Vec<Self>> {
        let bytes = File::open(path)?.metadata()?.len();
        let part_bytes = bytes.div_ceil(bytes.div_ceil(part_bytes_max).max(1)).max(1);
        let starts = (0..bytes).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX));
        let part = |start: u64| {
            let end = start.saturating_add(part_bytes);
            // The last part goes on to wherever the file ends by then.
            Self { path: path.to_owned(), range: start..if end >= bytes { u64::MAX } else { end } }
        };
        Ok(starts.map(part).collect())
    }
}

/// What a part of a file says, in the order of its lines.
#[derive(Debug, Default)]
pub struct Part {
    pub lines: Vec<PartLine>,
    /// The codes of the answers among the lines, one after the other.
    pub codes: Vec<u8>,
    /// The failures among the lines.
    pub failures: Vec<Failure>,
    pub unreadable_lines: u32,
    pub unknown_ids: u32,
}

/// A line about a request of the batch.
#[derive(Clone, Copy, Debug)]
pub struct PartLine {
    /// The request's place in the batch.
    pub place: u32,
    pub came: Came,
    pub usage: Usage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Answer { relevant: bool },
    Failure,
}

impl Part {
    pub fn read(schema: &Schema, lookup: &Lookup, form: Option<&AnswerForm>, file: &FilePart) -> io::Result<Self> {
        let mut part = Self::default();
        let mut reader = ResultReader::within(File::open(&file.path)?, file.range.clone())?;
        let mut codes = vec![0; schema.fields().len()];
        while let Some(line) = reader.next_with(|raw| form?.read(raw, &mut codes))? {
            match line {
                Line::Quick(line) => match place(lookup, line.custom_id) {
                    Some(place) => part.answer(place, line.answer, &codes, line.usage.as_ref()),
                    None => part.unknown_ids += 1,
                },
                Line::Whole(line) => match line.content {
                    Ok(line) => part.line(schema, lookup, &line),
                    Err(_) => part.unreadable_lines += 1,
                },
            }
        }
        Ok(part)
    }

    fn line(&mut self, schema: &Schema, lookup: &Lookup, line: &lines::ResultLine<'_>) {
        let Some(place) = place(lookup, &line.custom_id) else {
            self.unknown_ids += 1;
            return;
        };
        match &line.outcome {
            lines::Outcome::Ok(completion) => self.completion(schema, place, completion),
            lines::Outcome::Failed(failure) => {
                self.fail(place, failure_of(failure), failure.usage.as_ref());
            }
        }
    }

    fn completion(&mut self, schema: &Schema, place: u32, completion: &Completion<'_>) {
        let usage = completion.usage.as_ref();
        match read_answer(schema, &completion.content) {
            Ok(answer) => self.answer(place, answer.relevant, &encode(schema, &answer.values), usage),
            Err(unreadable) => {
                let words = format!("{unreadable}: {}", excerpt(&completion.content));
                self.fail(place, Failure { cause: Cause::Unreadable, status: 200, code: String::new(), words }, usage);
            }
        }
    }

    fn answer(&mut self, place: u32, relevant: bool, codes: &[u8], usage: Option<&wire::Usage>) {
        self.codes.extend_from_slice(codes);
        self.lines.push(PartLine { place, came: Came::Answer { relevant }, usage: billed(usage) });
    }

    fn fail(&mut self, place: u32, failure: Failure, usage: Option<&wire::Usage>) {
        self.failures.push(failure);
        self.lines.push(PartLine { place, came: Came::Failure, usage: billed(usage) });
    }
}

fn place(lookup: &Lookup, custom_id: &str) -> Option<u32> {
    let (review, run) = read_custom_id(custom_id)?;
    lookup.place(Request { review, run })
}

pub(crate) fn billed(usage: Option<&wire::Usage>) -> Usage {
    usage.map_or_else(Usage::default, |usage| Usage {
        input: usage.input,
        cached: usage.cached,
        written: usage.written,
        output: usage.output,
        reasoning: usage.reasoning,
    })
}

/// A failed row as it is kept.
pub(crate) fn failure_of(failure: &RowFailure<'_>) -> Failure {
    let cause = match failure.kind {
        FailureKind::Retryable => match failure.code.as_ref() {
            "batch_expired" => Cause::Expired,
            "batch_cancelled" => Cause::Cancelled,
            _ => Cause::Temporary,
        },
        FailureKind::Terminal => Cause::Rejected,
        FailureKind::CutOff => Cause::CutOff,
        FailureKind::Refused => Cause::Refused,
        FailureKind::Filtered => Cause::Filtered,
        FailureKind::NoAnswer => Cause::Unreadable,
    };
    let words = excerpt(&failure.message);
    Failure { cause, status: failure.status, code: failure.code.clone().into_owned(), words }
}

/// Characters of a provider's or model's words that are kept with a failure.
const EXCERPT_CHARS_MAX: usize = 400;

pub(crate) fn excerpt(text: &str) -> String {
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
