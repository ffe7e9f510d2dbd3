//! Reading what a batch brought: output and error file joined on `custom_id`, line by line, nothing dropped without a word.
//!
//! The files are read in parts on all cores ([`part`]); then the parts are settled one after the other, in the order of the
//! lines, so that the outcome does not depend on who was first.

mod part;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use quorum_core::{
    form::AnswerForm,
    manifest::{Cause, Failure, Outcome},
    models::Usage,
    plan::Request,
    schema::Schema,
    votes::{ModelNo, PackedVotes, VoteRef},
};
use rayon::prelude::*;

use self::part::{Came, FilePart, Part};
pub(crate) use self::part::{billed, excerpt, failure_of};
use crate::lookup::Lookup;

#[derive(Debug, thiserror::Error)]
#[error("reading {path} failed")]
pub struct ResultsError {
    path: PathBuf,
    source: io::Error,
}

/// What reading a batch's result files gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// In the order of the batch's requests.
    pub votes: PackedVotes,
    pub failures: Vec<(Request, Failure)>,
    /// Summed over the lines, failed but billed ones included.
    pub usage: Usage,
    /// Lines that are no result line.
    pub unreadable_lines: u32,
    /// Lines whose id this batch did not ask for.
    pub unknown_ids: u32,
    /// Lines for a request that had its line already; the first vote stands.
    pub duplicates: u32,
    /// Requests that neither file mentions.
    pub absent: u32,
}

/// What reading needs to know of the batch.
pub struct Asked<'a> {
    pub schema: &'a Schema,
    pub model: ModelNo,
    pub requests: &'a [Request],
    pub outcome: Outcome,
    /// Both files are here and as long as the provider says. What is absent from others may be in what is missing.
    pub is_whole: bool,
    /// Unix seconds for the votes.
    pub at: u32,
}

/// What is known of one request so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Open,
    Answered { relevant: bool },
    Failed,
}

/// Bytes of a file that are read as one task: a few for every core of a usual batch, and few enough that what they bring
/// stays small.
const PART_BYTES: u64 = 8 * 1024 * 1024;

/// Reads the files (either may be missing) and settles every request: a vote, a failure with its cause, or lost.
pub fn read(asked: &Asked<'_>, output: Option<&Path>, errors: Option<&Path>) -> Result<Results, ResultsError> {
    read_in_parts(asked, output, errors, PART_BYTES)
}

fn read_in_parts(
    asked: &Asked<'_>,
    output: Option<&Path>,
    errors: Option<&Path>,
    part_bytes: u64,
) -> Result<Results, ResultsError> {
    let mut files = Vec::new();
    for path in [output, errors].into_iter().flatten() {
        let parts = FilePart::cut(path, part_bytes);
        files.extend(parts.map_err(|source| ResultsError { path: path.to_owned(), source })?);
    }
    let (lookup, form) = (Lookup::new(asked.requests), AnswerForm::new(asked.schema));
    let parts: Vec<Part> = files
        .par_iter()
        .map(|file| {
            Part::read(asked.schema, &lookup, form.as_ref(), file)
                .map_err(|source| ResultsError { path: file.path.to_owned(), source })
        })
        .collect::<Result<_, _>>()?;
    let mut settling = Settling::new(asked);
    for part in parts {
        settling.part(part);
    }
    Ok(settling.finish())
}

struct Settling<'a> {
    asked: &'a Asked<'a>,
    rows: Vec<Row>,
    /// The codes of each request's answer.
    codes: Vec<u8>,
    failed: BTreeMap<usize, Failure>,
    results: Results,
}

impl<'a> Settling<'a> {
    fn new(asked: &'a Asked<'a>) -> Self {
        Self {
            asked,
            rows: vec![Row::Open; asked.requests.len()],
            codes: vec![0; asked.requests.len() * asked.schema.fields().len()],
            failed: BTreeMap::new(),
            results: Results::default(),
        }
    }

    fn part(&mut self, part: Part) {
        self.results.unreadable_lines += part.unreadable_lines;
        self.results.unknown_ids += part.unknown_ids;
        let fields = self.asked.schema.fields().len();
        let mut failures = part.failures.into_iter();
        let mut answered = 0;
        for line in part.lines {
            let at = line.place as usize;
            let failure = match line.came {
                Came::Failure => Some(failures.next().expect("a failed line has its failure")),
                Came::Answer { .. } => None,
            };
            let answer = answered;
            answered += usize::from(failure.is_none());
            match self.rows[at] {
                Row::Open => {}
                // A vote is never replaced; a failure may still turn out answered in the other file.
                Row::Answered { .. } => {
                    self.results.duplicates += 1;
                    continue;
                }
                Row::Failed => self.results.duplicates += 1,
            }
            self.results.usage += line.usage;
            match (line.came, failure) {
                (Came::Answer { relevant }, _) => {
                    if self.rows[at] == Row::Failed {
                        self.failed.remove(&at);
                    }
                    self.rows[at] = Row::Answered { relevant };
                    let codes = &part.codes[answer * fields..(answer + 1) * fields];
                    self.codes[at * fields..(at + 1) * fields].copy_from_slice(codes);
                }
                (Came::Failure, failure) => {
                    self.rows[at] = Row::Failed;
                    self.failed.extend(failure.map(|failure| (at, failure)));
                }
            }
        }
    }

    fn finish(mut self) -> Results {
        let fields = self.asked.schema.fields().len();
        self.results.votes = PackedVotes::with_capacity(fields, self.rows.len());
        for (at, (row, request)) in self.rows.iter().zip(self.asked.requests).enumerate() {
            match row {
                Row::Answered { relevant } => {
                    let vote = VoteRef {
                        model: self.asked.model,
                        run: request.run,
                        relevant: *relevant,
                        imported: false,
                        at: self.asked.at,
                        codes: &self.codes[at * fields..(at + 1) * fields],
                    };
                    let fits = self.results.votes.push(request.review, vote);
                    debug_assert!(fits, "codes are as wide as the schema");
                }
                Row::Failed => {
                    let failure = self.failed.remove(&at).expect("a failed row has its failure");
                    self.results.failures.push((*request, failure));
                }
                Row::Open => {
                    self.results.absent += 1;
                    self.results.failures.push((*request, absent(self.asked)));
                }
            }
        }
        self.results
    }
}

/// A request that neither file mentions.
fn absent(asked: &Asked<'_>) -> Failure {
    let (cause, words) = match asked.outcome {
        _ if !asked.is_whole => (
            Cause::Unclear,
            "in no result file as they arrived, and one is missing or may not be whole; it may have been answered and billed all \
             the same",
        ),
        Outcome::Completed => (Cause::Lost, "in neither of the provider's result files"),
        Outcome::Expired => (Cause::Expired, "not answered before the batch expired"),
        Outcome::Cancelled => (Cause::Cancelled, "not answered before the batch was cancelled"),
    };
    Failure { cause, status: 0, code: String::new(), words: words.to_owned() }
}
