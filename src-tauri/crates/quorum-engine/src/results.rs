//! Reading what a batch brought: output and error file joined on `custom_id`, line by line, nothing dropped without a word.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use quorum_core::{
    answer::read_answer,
    manifest::{Cause, Failure, Outcome},
    models::Usage,
    plan::Request,
    prompt::read_custom_id,
    schema::Schema,
    votes::{ModelNo, Vote, encode},
};
use quorum_provider::{
    lines::{self, Completion, FailureKind, ResultReader, RowFailure},
    wire,
};
use quorum_store::NewVote;

#[derive(Debug, thiserror::Error)]
#[error("reading {path} failed")]
pub struct ResultsError {
    path: PathBuf,
    source: io::Error,
}

/// What reading a batch's result files gave.
#[derive(Clone, Debug, Default)]
pub struct Results {
    pub votes: Vec<NewVote>,
    pub failures: Vec<(Request, Failure)>,
    /// Summed over the lines, failed but billed ones included.
    pub usage: Usage,
    /// Lines that are no result line.
    pub unreadable_lines: u32,
    /// Lines whose id this batch did not ask for.
    pub unknown_ids: u32,
    /// Lines for a request that had its line already; the first vote stands.
    pub duplicates: u32,
}

/// What reading needs to know of the batch.
pub struct Asked<'a> {
    pub schema: &'a Schema,
    pub model: ModelNo,
    pub requests: &'a [Request],
    pub outcome: Outcome,
    /// Unix seconds for the votes.
    pub at: u32,
}

/// What is known of one request so far.
enum Row {
    Open,
    Answered,
    Failed,
}

/// Reads the files (either may be missing) and settles every request: a vote, a failure with its cause, or lost.
pub fn read(asked: &Asked<'_>, output: Option<&Path>, errors: Option<&Path>) -> Result<Results, ResultsError> {
    let mut reading = Reading::new(asked);
    for path in [output, errors].into_iter().flatten() {
        reading.file(path).map_err(|source| ResultsError { path: path.to_owned(), source })?;
    }
    Ok(reading.finish())
}

struct Reading<'a> {
    asked: &'a Asked<'a>,
    position: HashMap<Request, usize>,
    rows: Vec<Row>,
    failed: HashMap<usize, Failure>,
    results: Results,
}

impl<'a> Reading<'a> {
    fn new(asked: &'a Asked<'a>) -> Self {
        let position = asked.requests.iter().enumerate().map(|(at, request)| (*request, at)).collect();
        let rows = asked.requests.iter().map(|_| Row::Open).collect();
        Self { asked, position, rows, failed: HashMap::new(), results: Results::default() }
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let mut reader = ResultReader::new(BufReader::with_capacity(256 * 1024, File::open(path)?));
        while let Some(line) = reader.next_line()? {
            match line.content {
                Ok(line) => self.line(&line),
                Err(_) => self.results.unreadable_lines += 1,
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &lines::ResultLine<'_>) {
        let request = read_custom_id(&line.custom_id).map(|(review, run)| Request { review, run });
        let Some((request, at)) = request.and_then(|request| Some((request, *self.position.get(&request)?))) else {
            self.results.unknown_ids += 1;
            return;
        };
        match self.rows[at] {
            Row::Open => {}
            // A vote is never replaced; a failure may still turn out answered in the other file.
            Row::Answered => {
                self.results.duplicates += 1;
                return;
            }
            Row::Failed => self.results.duplicates += 1,
        }
        match &line.outcome {
            lines::Outcome::Ok(completion) => self.completion(request, at, completion),
            lines::Outcome::Failed(failure) => self.failure(at, failure),
        }
    }

    fn completion(&mut self, request: Request, at: usize, completion: &Completion<'_>) {
        self.bill(completion.usage.as_ref());
        match read_answer(self.asked.schema, &completion.content) {
            Ok(answer) => {
                let vote = Vote {
                    model: self.asked.model,
                    run: request.run,
                    relevant: answer.relevant,
                    imported: false,
                    at: self.asked.at,
                    codes: encode(self.asked.schema, &answer.values),
                };
                self.results.votes.push(NewVote { review: request.review, vote });
                self.rows[at] = Row::Answered;
                self.failed.remove(&at);
            }
            Err(unreadable) => {
                let words = format!("{unreadable}: {}", excerpt(&completion.content));
                self.fail(at, Failure { cause: Cause::Unreadable, status: 200, code: String::new(), words });
            }
        }
    }

    fn failure(&mut self, at: usize, failure: &RowFailure<'_>) {
        self.bill(failure.usage.as_ref());
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
        self.fail(at, Failure { cause, status: failure.status, code: failure.code.clone().into_owned(), words });
    }

    fn fail(&mut self, at: usize, failure: Failure) {
        self.rows[at] = Row::Failed;
        self.failed.insert(at, failure);
    }

    fn bill(&mut self, usage: Option<&wire::Usage>) {
        if let Some(usage) = usage {
            self.results.usage +=
                Usage { input: usage.input, cached: usage.cached, output: usage.output, reasoning: usage.reasoning };
        }
    }

    fn finish(mut self) -> Results {
        for (at, (row, request)) in self.rows.iter().zip(self.asked.requests).enumerate() {
            match row {
                Row::Answered => {}
                Row::Failed => {
                    let failure = self.failed.remove(&at).expect("a failed row has its failure");
                    self.results.failures.push((*request, failure));
                }
                Row::Open => self.results.failures.push((*request, lost(self.asked.outcome))),
            }
        }
        self.results
    }
}

/// A request that neither file mentions.
fn lost(outcome: Outcome) -> Failure {
    let (cause, words) = match outcome {
        Outcome::Completed => (Cause::Lost, "in neither of the provider's result files"),
        Outcome::Expired => (Cause::Expired, "not answered before the batch expired"),
        Outcome::Cancelled => (Cause::Cancelled, "not answered before the batch was cancelled"),
    };
    Failure { cause, status: 0, code: String::new(), words: words.to_owned() }
}

/// Characters of a provider's or model's words that are kept with a failure.
const EXCERPT_CHARS_MAX: usize = 400;

fn excerpt(text: &str) -> String {
    let mut excerpt: String = text.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}
