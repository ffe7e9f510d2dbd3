//! Validation of a batch's input file: every problem of every line, in the provider's codes and words.
//!
//! Reads line by line in constant memory, apart from a hash per custom_id. Blank lines are skipped. The texts of
//! `too_many_tasks` and `invalid_method` are not known from the provider; those here are the simulator's own.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::value::RawValue;

use crate::account::batch::Problem;
use crate::config::AccountLimits;
use crate::draw::hash_bytes;
use crate::model::completion::{Models, enqueued_tokens};
use crate::model::ordered::Ordered;

/// Problems that are listed at most; the provider's own bound is not known.
const PROBLEMS_MAX: usize = 1_000;

/// The outcome of a validation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) problems: Vec<Problem>,
    pub(crate) total: u64,
    pub(crate) enqueued_tokens: u64,
    pub(crate) model: Option<String>,
}

impl Report {
    fn problem(&mut self, line: Option<u64>, code: &str, param: Option<&str>, message: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { code: code.to_owned(), message, param: param.map(str::to_owned), line });
        }
    }
}

/// The message for an input file that the validator cannot see.
pub(crate) fn file_missing(file_id: &str) -> Report {
    let mut report = Report::default();
    report.problem(
        None,
        "invalid_request",
        Some("file_id"),
        format!("Cannot find file {file_id}, or organization org-sandbox does not have access to it."),
    );
    report
}

pub(crate) fn validate(
    path: &Path,
    endpoint: &str,
    limits: &AccountLimits,
    models: &Models,
    now_s: i64,
) -> io::Result<Report> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut report = Report::default();
    let mut seen = HashSet::new();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        report.total += 1;
        check_line(&mut report, number, &line, endpoint, models, now_s, &mut seen);
    }
    if report.total == 0 {
        report.problem(
            None,
            "empty_file",
            None,
            "The input file is empty. Please ensure that your batch contains at least one request.".to_owned(),
        );
    }
    if report.total > limits.requests_per_batch {
        report.problem(
            None,
            "too_many_tasks",
            None,
            format!("The batch input file contains more than the maximum of {} requests.", limits.requests_per_batch),
        );
    }
    if bytes > limits.batch_bytes {
        let model = report.model.clone().unwrap_or_default();
        report.problem(
            None,
            "invalid_request",
            None,
            format!("The batch input file is larger than the {} maximum for the {model} model", limits.batch_bytes),
        );
    }
    Ok(report)
}

fn check_line(
    report: &mut Report,
    number: u64,
    line: &[u8],
    endpoint: &str,
    models: &Models,
    now_s: i64,
    seen: &mut HashSet<u64>,
) {
    let at = Some(number);
    let Ok(request) = serde_json::from_slice::<Ordered<'_>>(line) else {
        report.problem(at, "invalid_json_line", None, "This line is not parseable as valid JSON.".to_owned());
        return;
    };
    for key in ["custom_id", "method", "url", "body"] {
        if request.get(key).is_none() {
            report.problem(
                at,
                "missing_required_parameter",
                Some(key),
                format!("Missing required parameter: '{key}'."),
            );
        }
    }
    if let Some(custom_id) = request.string("custom_id")
        && !seen.insert(hash_bytes(custom_id.as_bytes()))
    {
        report.problem(
            at,
            "duplicate_custom_id",
            Some("custom_id"),
            format!("The custom_id '{custom_id}' for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch."),
        );
    }
    if request.get("method").is_some() && request.string("method").as_deref() != Some("POST") {
        report.problem(
            at,
            "invalid_method",
            Some("method"),
            "Invalid method for this request. The only supported method is 'POST'.".to_owned(),
        );
    }
    if request.get("url").is_some() && request.string("url").as_deref() != Some(endpoint) {
        report.problem(
            at,
            "invalid_url",
            Some("url"),
            "The URL provided for this request does not match the batch endpoint.".to_owned(),
        );
    }
    if let Some(body) = request.get("body") {
        check_body(report, number, body, models, now_s);
    }
}

fn check_body(report: &mut Report, number: u64, raw: &RawValue, models: &Models, now_s: i64) {
    let at = Some(number);
    let Ok(body) = serde_json::from_str::<Ordered<'_>>(raw.get()) else {
        report.problem(at, "invalid_request", Some("body"), "Invalid type for 'body': expected an object.".to_owned());
        return;
    };
    match body.string("model") {
        None => report.problem(
            at,
            "invalid_request",
            Some("body.model"),
            "Model parameter is required.".to_owned(),
        ),
        Some(id) => match models.find(&id, now_s) {
            None => report.problem(
                at,
                "model_not_found",
                Some("body.model"),
                format!("The provided model '{id}' is not supported by the Batch API."),
            ),
            Some(_) => match &report.model {
                None => report.model = Some(id),
                Some(first) if *first != id => report.problem(
                    at,
                    "mismatched_model",
                    Some("body.model"),
                    format!("The model '{id}' for this request does not match the rest of the batch. Each batch must contain requests for a single model."),
                ),
                Some(_) => {}
            },
        },
    }
    if body.get("messages").is_none() {
        report.problem(at, "invalid_request", Some("body.messages"), "Messages parameter is required.".to_owned());
    }
    if body.get("stream").is_some_and(|stream| stream.get() == "true") {
        report.problem(
            at,
            "streaming_unsupported",
            Some("body.stream"),
            "Chat Completions: Streaming is not supported in the Batch API.".to_owned(),
        );
    }
    report.enqueued_tokens += enqueued_tokens(&body);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;

    use super::*;

    fn report(text: &str) -> Report {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(text.as_bytes()).expect("write");
        let models = Models::new(1, BTreeMap::new(), false);
        let limits = AccountLimits { requests_per_batch: 20, ..AccountLimits::default() };
        validate(file.path(), "/v1/chat/completions", &limits, &models, 0).expect("the file can be read")
    }

    fn line(custom_id: &str, model: &str) -> String {
        format!(
            r#"{{"custom_id":"{custom_id}","method":"POST","url":"/v1/chat/completions","body":{{"model":"{model}","messages":[{{"role":"user","content":"x"}}]}}}}"#
        )
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, Option<&str>, Option<u64>)]) {
        let report = report(text);
        let got: Vec<_> = report
            .problems
            .iter()
            .map(|problem| (problem.code.as_str(), problem.param.as_deref(), problem.line))
            .collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_good_file_has_counts_and_a_model() {
        let report = report(&format!("{}\n{}", line("a", "gpt-5-mini"), line("b", "gpt-5-mini")));
        assert_eq!(report.problems, []);
        assert_eq!((report.total, report.model.as_deref()), (2, Some("gpt-5-mini")));
        assert!(report.enqueued_tokens > 0);
    }

    #[test]
    fn every_problem_of_every_line_is_listed() {
        let text = [
            line("a", "gpt-5-mini"),
            "{not json".to_owned(),
            line("a", "gpt-5-nano"),
            line("b", "gpt-9"),
            r#"{"custom_id":"c","method":"GET","url":"/v1/other","body":{"stream":true}}"#.to_owned(),
            "{}".to_owned(),
        ]
        .join("\n");
        check(
            &text,
            &[
                ("invalid_json_line", None, Some(2)),
                ("duplicate_custom_id", Some("custom_id"), Some(3)),
                ("mismatched_model", Some("body.model"), Some(3)),
                ("model_not_found", Some("body.model"), Some(4)),
                ("invalid_method", Some("method"), Some(5)),
                ("invalid_url", Some("url"), Some(5)),
                ("invalid_request", Some("body.model"), Some(5)),
                ("invalid_request", Some("body.messages"), Some(5)),
                ("streaming_unsupported", Some("body.stream"), Some(5)),
                ("missing_required_parameter", Some("custom_id"), Some(6)),
                ("missing_required_parameter", Some("method"), Some(6)),
                ("missing_required_parameter", Some("url"), Some(6)),
                ("missing_required_parameter", Some("body"), Some(6)),
            ],
        );
    }

    #[test]
    fn an_empty_file_and_too_many_rows_fail_without_a_line() {
        check("\n\n", &[("empty_file", None, None)]);
        let many: Vec<String> = (0..21).map(|i| line(&i.to_string(), "gpt-5")).collect();
        check(&many.join("\n"), &[("too_many_tasks", None, None)]);
    }

    #[test]
    fn messages_are_the_providers() {
        let problem = report(&line("a", "gpt-9")).problems.remove(0);
        assert_eq!(problem.message, "The provided model 'gpt-9' is not supported by the Batch API.");
        let problem = report("x").problems.remove(0);
        assert_eq!(problem.message, "This line is not parseable as valid JSON.");
    }
}
