//! Running a batch: from the input file to an output and an error file, in shuffled order.
//!
//! Lines are read, judged and written in bounded portions; kept in memory are a few numbers and a log row per request. A row's
//! outcome depends on the row alone, so a run that a crash interrupted gives the same files when it is repeated.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::account::batch::{BatchRecord, Ending};
use crate::draw::{Draw, hex32};
use crate::faults::concerns_row;
use crate::model::completion::{Models, Reply, Spoil, Usage, error_body, run_of};
use crate::model::ordered::Ordered;
use crate::scenario::{Fault, Kind};

const PORTION_LINES: usize = 1_024;
const PORTION_BYTES: usize = 16 << 20;

/// The provider's words for an error of its own.
const SERVER_TEXT: &str = "An error occurred while processing your request. You can retry your request, or contact us through our help center at help.openai.com if the error persists. Please include the request ID in your message.";

/// One executed request, as the request log keeps it. Rows that were not run have none.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ExecutedRow {
    /// The batch, or `chat` for a synchronous completion.
    pub batch: Arc<str>,
    pub custom_id: String,
    pub model: Arc<str>,
    /// SHA-256 of the request body as sent, in hex.
    pub body_sha256: String,
    /// The row's HTTP status; 200 is billed.
    pub status: u16,
}

/// The files and figures of a batch that ran.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) output: Option<NamedTempFile>,
    pub(crate) errors: Option<NamedTempFile>,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) usage: Usage,
    pub(crate) rows: Vec<ExecutedRow>,
}

/// One line's part in the files.
#[derive(Debug, Default)]
struct RowEnd {
    output: Vec<String>,
    error: Option<String>,
    usage: Usage,
    completed: bool,
    failed: bool,
    row: Option<ExecutedRow>,
}

/// Runs `batch` over its input; `work` is the folder for temporary files.
pub(crate) fn execute(
    batch: &BatchRecord,
    input: &Path,
    work: &Path,
    models: &Models,
    seed: u64,
    now_s: i64,
) -> io::Result<Outcome> {
    let runner = Runner {
        batch,
        models,
        seed,
        now_s,
        id: Arc::from(batch.id.as_str()),
        model: Arc::from(batch.model.as_deref().unwrap_or_default()),
    };
    let mut reader = BufReader::with_capacity(1 << 16, File::open(input)?);
    let mut output = Scatter::new(work)?;
    let mut errors = Scatter::new(work)?;
    let mut outcome =
        Outcome { output: None, errors: None, completed: 0, failed: 0, usage: Usage::default(), rows: Vec::new() };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let mut number = 0;
    loop {
        let portion = read_portion(&mut reader, &mut number)?;
        if portion.is_empty() {
            break;
        }
        for end in runner.run_portion(&portion, threads) {
            for line in &end.output {
                output.push(runner.order(output.lines.len()), line)?;
            }
            if let Some(line) = &end.error {
                errors.push(runner.order(errors.lines.len()), line)?;
            }
            outcome.completed += u64::from(end.completed);
            outcome.failed += u64::from(end.failed);
            outcome.usage.add(end.usage);
            outcome.rows.extend(end.row);
        }
    }
    outcome.output = output.shuffled(work)?;
    outcome.errors = errors.shuffled(work)?;
    Ok(outcome)
}

fn read_portion(reader: &mut impl BufRead, number: &mut u64) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut portion = Vec::new();
    let mut bytes = 0;
    while portion.len() < PORTION_LINES && bytes < PORTION_BYTES {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        *number += 1;
        if !line.iter().all(u8::is_ascii_whitespace) {
            bytes += line.len();
            portion.push((*number, line));
        }
    }
    Ok(portion)
}

struct Runner<'a> {
    batch: &'a BatchRecord,
    models: &'a Models,
    seed: u64,
    now_s: i64,
    id: Arc<str>,
    model: Arc<str>,
}

impl Runner<'_> {
    fn run_portion(&self, portion: &[(u64, Vec<u8>)], threads: usize) -> Vec<RowEnd> {
        let share = portion.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let workers: Vec<_> = portion
                .chunks(share)
                .map(|lines| {
                    scope.spawn(move || lines.iter().map(|(number, line)| self.run(*number, line)).collect::<Vec<_>>())
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| match worker.join() {
                    Ok(ends) => ends,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }

    /// Where the `n`-th line goes: a draw, so the order of a file says nothing.
    fn order(&self, n: usize) -> u64 {
        Draw::new(self.seed).with_str("order").with_str(&self.batch.id).with(n as u64).bits()
    }

    fn run(&self, number: u64, line: &[u8]) -> RowEnd {
        // Validation let the file pass, so every line has these parts.
        let (custom_id, body) = serde_json::from_slice::<Ordered<'_>>(line)
            .map(|request| {
                let body = request.get("body").map_or("{}", |body| body.get()).to_owned();
                (request.string("custom_id").unwrap_or_default(), body)
            })
            .unwrap_or_default();
        let draw = Draw::new(self.seed).with_str(&self.batch.id).with(number);
        let ids = Ids {
            request: format!("batch_req_{}", hex32(draw.with_str("batch_req"))),
            http: hex32(draw.with_str("request")),
        };

        if draw.with_str("done").unit() >= self.batch.fraction {
            return self.unreached(&ids, &custom_id);
        }
        let row = |status| {
            Some(ExecutedRow {
                batch: Arc::clone(&self.id),
                custom_id: custom_id.clone(),
                model: Arc::clone(&self.model),
                body_sha256: sha256_hex(body.as_bytes()),
                status,
            })
        };
        let failed = |status, error| RowEnd { error: Some(error), failed: true, row: row(status), ..RowEnd::default() };
        let http_error = |status: u16, body: &str| failed(status, ids.answered(&custom_id, status, &ids.http, body));
        let fault = self.fault_of(number, &custom_id);
        match fault {
            Some(Kind::RowStatus { status, message, error_type, param, code }) => {
                let kind = error_type.as_deref().unwrap_or("invalid_request_error");
                return http_error(*status, &error_body(message, kind, param.as_deref(), code.as_deref()));
            }
            Some(Kind::ServerText) => {
                return http_error(500, &error_body(SERVER_TEXT, "server_error", None, None));
            }
            Some(Kind::StatusZero) => return failed(0, ids.answered(&custom_id, 0, "", "{}")),
            Some(Kind::RequestTimeout) => {
                let message = "The request timed out before it could be completed.";
                return failed(408, ids.not_run(&custom_id, "request_timeout", message));
            }
            _ => {}
        }
        let spoil = fault.and_then(spoil_of);
        let Reply { status, body: reply, usage } = self.models.complete(&body, run_of(&custom_id), self.now_s, spoil);
        if status != 200 {
            return http_error(status, &reply);
        }
        let line = |custom_id: &str| ids.answered(custom_id, 200, &ids.http, &reply);
        let output = match fault {
            Some(Kind::Missing) => Vec::new(),
            Some(Kind::Duplicate) => vec![line(&custom_id); 2],
            Some(Kind::UnknownId) => vec![line(&format!("unknown-{custom_id}"))],
            _ => vec![line(&custom_id)],
        };
        RowEnd { output, usage, completed: true, row: row(200), ..RowEnd::default() }
    }

    /// How a row ends that the batch did not come to.
    fn unreached(&self, ids: &Ids, custom_id: &str) -> RowEnd {
        let (code, message) = match self.batch.ending {
            // Nobody wrote a line for what was not reached.
            Some(Ending::Broken) => return RowEnd::default(),
            Some(Ending::Cancelled) => {
                ("batch_cancelled", "This request could not be executed because the batch was cancelled.")
            }
            _ => ("batch_expired", "This request could not be executed before the completion window expired."),
        };
        RowEnd { error: Some(ids.not_run(custom_id, code, message)), ..RowEnd::default() }
    }

    /// The first of the batch's faults that hits this row.
    fn fault_of(&self, number: u64, custom_id: &str) -> Option<&Kind> {
        let hits = |(place, fault): &(usize, &Fault)| {
            self.batch.concerned_by(fault) && concerns_row(fault, self.seed, *place, &self.batch.id, number, custom_id)
        };
        self.batch.faults.iter().enumerate().find(hits).map(|(_, fault)| &fault.kind)
    }
}

/// What a fault does to the answer itself.
fn spoil_of(fault: &Kind) -> Option<Spoil> {
    Some(match fault {
        Kind::Length => Spoil::Length,
        Kind::Refusal => Spoil::Refusal,
        Kind::OutOfList => Spoil::OutOfList,
        Kind::Prose => Spoil::Prose,
        Kind::Fenced => Spoil::Fenced,
        Kind::BrokenJson => Spoil::BrokenJson,
        _ => return None,
    })
}

struct Ids {
    request: String,
    http: String,
}

impl Ids {
    /// The line of a request that got an HTTP answer. The body is JSON already and is put in as it is.
    fn answered(&self, custom_id: &str, status: u16, request_id: &str, body: &str) -> String {
        format!(
            r#"{{"id":"{}","custom_id":{},"response":{{"status_code":{status},"request_id":"{request_id}","body":{body}}},"error":null}}"#,
            self.request,
            Value::from(custom_id)
        )
    }

    fn not_run(&self, custom_id: &str, code: &str, message: &str) -> String {
        json!({
            "id": self.request,
            "custom_id": custom_id,
            "response": null,
            "error": {"code": code, "message": message},
        })
        .to_string()
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Lines written in arrival order, to be read back in another.
struct Scatter {
    file: BufWriter<NamedTempFile>,
    /// Rank, offset, length.
    lines: Vec<(u64, u64, u32)>,
    end: u64,
}

impl Scatter {
    fn new(work: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(1 << 16, NamedTempFile::new_in(work)?), lines: Vec::new(), end: 0 })
    }

    fn push(&mut self, rank: u64, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        let length = u32::try_from(line.len()).map_err(io::Error::other)?;
        self.lines.push((rank, self.end, length));
        self.end += u64::from(length);
        Ok(())
    }

    /// The lines by rank, in a new file; `None` if there are none.
    fn shuffled(mut self, work: &Path) -> io::Result<Option<NamedTempFile>> {
        if self.lines.is_empty() {
            return Ok(None);
        }
        let mut source = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.lines.sort_unstable();
        let mut target = BufWriter::with_capacity(1 << 16, NamedTempFile::new_in(work)?);
        let mut line = Vec::new();
        for (_, offset, length) in self.lines {
            line.resize(length as usize, 0);
            source.seek(SeekFrom::Start(offset))?;
            source.read_exact(&mut line)?;
            target.write_all(&line)?;
            target.write_all(b"\n")?;
        }
        Ok(Some(target.into_inner().map_err(io::IntoInnerError::into_error)?))
    }
}
