//! The quick reader against a simple one, on files as they should not be.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use proptest::prelude::*;
use quorum_core::{
    answer::read_answer,
    prompt::{custom_id, read_custom_id},
    schema::{Term, TermValue},
    votes::{ReviewNo, encode},
};
use quorum_provider::lines::{self, parse_line};

use super::*;

fn schema() -> Schema {
    let term = |id: &str, values: &[&str]| Term {
        domain: "d".to_owned(),
        id: id.to_owned(),
        name: id.to_owned(),
        question: None,
        description: String::new(),
        values: values
            .iter()
            .map(|id| TermValue {
                id: (*id).to_owned(),
                label: String::new(),
                description: String::new(),
                cues: Vec::new(),
            })
            .collect(),
        default: None,
    };
    Schema::new([term("SEVERITY", &["none", "mild", "severe"]), term("ACCOUNT_TYPE", &["firsthand", "hearsay"])])
}

fn requests(reviews: u32, runs: u8) -> Vec<Request> {
    (1..=reviews).flat_map(|review| (1..=runs).map(move |run| Request { review: ReviewNo(review), run })).collect()
}

fn asked<'a>(schema: &'a Schema, requests: &'a [Request]) -> Asked<'a> {
    Asked { schema, model: ModelNo(3), requests, outcome: Outcome::Completed, is_whole: true, at: 77 }
}

/// One line after the other, in memory, by the long way and a map: what the quick reader must equal.
fn simply(asked: &Asked<'_>, files: &[&[u8]]) -> Results {
    let position: HashMap<Request, usize> =
        asked.requests.iter().enumerate().map(|(at, request)| (*request, at)).collect();
    let mut answers = BTreeMap::new();
    let mut failures = BTreeMap::new();
    let mut results = Results::default();
    for file in files {
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        for line in file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            let too_long = line.len() > quorum_provider::limits::LINE_BYTES_MAX;
            let Some(line) = parse_line(line).ok().filter(|_| !too_long) else {
                results.unreadable_lines += 1;
                continue;
            };
            let request = read_custom_id(&line.custom_id).map(|(review, run)| Request { review, run });
            let Some(at) = request.and_then(|request| position.get(&request).copied()) else {
                results.unknown_ids += 1;
                continue;
            };
            results.duplicates += u32::from(answers.contains_key(&at) || failures.contains_key(&at));
            if answers.contains_key(&at) {
                continue;
            }
            let (usage, came) = match line.outcome {
                lines::Outcome::Ok(completion) => (
                    completion.usage,
                    read_answer(asked.schema, &completion.content).map_err(|unreadable| Failure {
                        cause: Cause::Unreadable,
                        status: 200,
                        code: String::new(),
                        words: format!("{unreadable}: {}", part::excerpt(&completion.content)),
                    }),
                ),
                lines::Outcome::Failed(failure) => (failure.usage, Err(part::failure_of(&failure))),
            };
            if let Some(usage) = usage {
                results.usage += Usage {
                    input: usage.input,
                    cached: usage.cached,
                    written: usage.written,
                    output: usage.output,
                    reasoning: usage.reasoning,
                };
            }
            match came {
                Ok(answer) => {
                    failures.remove(&at);
                    answers.insert(at, answer);
                }
                Err(failure) => {
                    failures.insert(at, failure);
                }
            }
        }
    }
    results.votes = PackedVotes::with_capacity(asked.schema.fields().len(), 0);
    for (at, request) in asked.requests.iter().enumerate() {
        match (answers.remove(&at), failures.remove(&at)) {
            (Some(answer), _) => {
                let codes = encode(asked.schema, &answer.values);
                let vote = VoteRef {
                    model: asked.model,
                    run: request.run,
                    relevant: answer.relevant,
                    imported: false,
                    at: asked.at,
                    codes: &codes,
                };
                assert!(results.votes.push(request.review, vote));
            }
            (None, failure) => {
                results.absent += u32::from(failure.is_none());
                results.failures.push((*request, failure.unwrap_or_else(|| absent(asked))));
            }
        }
    }
    results
}

fn both(asked: &Asked<'_>, output: &[u8], errors: &[u8], part_bytes: u64) -> (Results, Results) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    let (output_path, errors_path) = (path("output", output), path("errors", errors));
    let quick = read_in_parts(asked, Some(&output_path), Some(&errors_path), part_bytes).expect("read");
    (quick, simply(asked, &[output, errors]))
}

/// A line of the usual shape around this answer.
fn usual(request: Request, answer: &str, noise: u64) -> String {
    format!(
        r#"{{"id": "batch_req_{noise:x}", "custom_id": "{}", "response": {{"status_code": 200, "request_id": "{noise:x}", "body": {{"id": "chatcmpl-{noise}", "created": {noise}, "model": "m", "choices": [{{"index": 0, "message": {{"role": "assistant", "content": {}, "refusal": null, "annotations": []}}, "finish_reason": "stop"}}], "usage": {{"prompt_tokens": {}, "completion_tokens": 7, "total_tokens": 9, "prompt_tokens_details": {{"cached_tokens": {}}}, "completion_tokens_details": {{"reasoning_tokens": 3}}}}, "system_fingerprint": null}}}}, "error": null}}"#,
        custom_id(request.review, request.run),
        serde_json::Value::from(answer),
        noise % 1_000,
        noise % 10,
    )
}

/// What servers and transports make of a line.
fn spoiled(line: &str, how: u8, noise: u64) -> String {
    let set = |place: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_str(line).expect("a whole line");
        *json.pointer_mut(place).expect("the place is there") = value;
        json.to_string()
    };
    let without = |object: &str, key: &str| {
        let mut json: serde_json::Value = serde_json::from_str(line).expect("a whole line");
        json.pointer_mut(object).and_then(|object| object.as_object_mut()).expect("an object").remove(key);
        json.to_string()
    };
    match how {
        0 => {
            let json: serde_json::Value = serde_json::from_str(line).expect("a whole line");
            set("/response/body", json["response"]["body"].to_string().into())
        }
        1 => without("", "error"),
        2 => without("", "response"),
        3 => set("/error", "".into()),
        4 => set("/response/body/choices/0/message/refusal", "".into()),
        5 => set("/response/body/choices/0/message/refusal", "no".into()),
        6 => set("/response/body/choices/0/finish_reason", "length".into()),
        7 => set("/response/status_code", 500.into()),
        8 => set("/response/status_code", "200".into()),
        9 => set("/response/body/usage", serde_json::Value::Null),
        10 => set("/response/body/usage/prompt_tokens", (-5).into()),
        11 => set("/response/body/id", "é\u{1F600}\\\"".into()),
        12 => line[..line.len() - 1 - usize::try_from(noise % 40).expect("small")].to_owned(),
        13 => line.replace("\"custom_id\": \"r", "\"custom_id\": \"x"),
        14 => line.replace("\"created\": ", "\"created\": -0.5e"),
        15 => set("/response/body/choices/0/message/content", serde_json::json!([{"type": "text", "text": "{}"}])),
        16 => line.replacen('{', "{ \t\"padding\": \"xxxxxxxxxxxxxxxxxxxxxxxx\",", 1),
        17 => "not a line at all".to_owned(),
        18 => String::new(),
        19 => format!("{line}\r"),
        20 => line.replace("prompt_tokens\": ", "input_tokens\": "),
        21 => line.replacen("\"id\"", "\"custom_id\"", 1),
        22 => line.replacen("\"usage\": {", "\"usage\": {\"input_tokens\": 4, ", 1),
        23 => line.replacen("\"error\": null", "\"error\": {\"code\": \"batch_expired\"}", 1),
        24 => line.replace("200", "0200"),
        25 => line.replacen("\"cached_tokens\"", "\"cached\\u005ftokens\"", 1),
        _ => line.to_owned(),
    }
}

const ANSWERS: [&str; 8] = [
    r#"{"is_relevant":true,"severity":"mild","account_type":"firsthand"}"#,
    r#"{"is_relevant":false,"severity":"none","account_type":"hearsay"}"#,
    r#"{"account_type": "firsthand", "severity": "severe", "is_relevant": true}"#,
    r#"{"is_relevant":true,"severity":"awful","account_type":"firsthand"}"#,
    "```json\n{\"is_relevant\":true,\"severity\":\"mild\"}\n```",
    r#"{"is_relevant":true,"severity":"mi"#,
    "Sorry.",
    r#"{"is_relevant":true,"severity":"n\u006fne"}"#,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_quick_reader_equals_the_simple_one(
        reviews in 1_u32..12,
        runs in 1_u8..3,
        lines in prop::collection::vec((0_usize..40, 0_usize..ANSWERS.len(), prop_oneof![3 => Just(99_u8), 2 => 0_u8..26], any::<u64>(), any::<bool>()), 0..40),
        part_bytes in 40_u64..4_000,
        mark in any::<bool>(),
        ends in any::<bool>(),
    ) {
        let (schema, requests) = (schema(), requests(reviews, runs));
        let asked = asked(&schema, &requests);
        let mut files = [Vec::new(), Vec::new()];
        if mark {
            files[0].extend_from_slice(b"\xef\xbb\xbf");
        }
        for (request, answer, how, noise, is_error) in lines {
            // A few beyond the list are of another batch.
            let request = requests.get(request).copied().unwrap_or(Request { review: ReviewNo(99), run: 1 });
            let file = &mut files[usize::from(is_error)];
            file.extend_from_slice(spoiled(&usual(request, ANSWERS[answer], noise), how, noise).as_bytes());
            file.push(b'\n');
        }
        if ends {
            files[0].pop();
        }
        let (quick, simple) = both(&asked, &files[0], &files[1], part_bytes);
        prop_assert_eq!(quick, simple);
    }
}

#[test]
fn a_usual_file_is_read_by_its_layout() {
    // Guards the test above: if no line took the quick way, it would hold without proving anything.
    let (schema, requests) = (schema(), requests(50, 1));
    let form = AnswerForm::new(&schema).expect("plain names");
    let text: String = requests.iter().map(|request| usual(*request, ANSWERS[0], 5) + "\n").collect();
    let mut reader = quorum_provider::lines::ResultReader::new(text.as_bytes());
    let mut codes = [0; 2];
    let (mut quick, mut whole) = (0, 0);
    while let Some(line) = reader.next_with(|raw| form.read(raw, &mut codes)).expect("memory has no faults") {
        match line {
            lines::Line::Quick(_) => quick += 1,
            lines::Line::Whole(_) => whole += 1,
        }
    }
    assert_eq!((quick, whole), (49, 1));
}

#[test]
fn giant_lines_cost_only_themselves() {
    let (schema, requests) = (schema(), requests(4, 1));
    let asked = asked(&schema, &requests);
    let padded = |request: Request, bytes: usize| {
        usual(request, ANSWERS[0], 1).replacen('{', &format!("{{\"padding\":\"{}\",", "x".repeat(bytes)), 1)
    };
    let limit = quorum_provider::limits::LINE_BYTES_MAX;
    let lines = [
        usual(requests[0], ANSWERS[0], 1),
        padded(requests[1], 10 * 1024 * 1024),
        padded(requests[2], limit),
        usual(requests[3], ANSWERS[1], 1),
    ];
    for part_bytes in [1024 * 1024, PART_BYTES, u64::MAX] {
        let (quick, simple) = both(&asked, lines.join("\r\n").as_bytes(), b"", part_bytes);
        assert_eq!(quick, simple);
        assert_eq!((quick.votes.len(), quick.failures.len(), quick.unreadable_lines), (3, 1, 1));
    }
    // One line is the whole file, and too long.
    let (quick, simple) = both(&asked, padded(requests[2], 2 * limit).as_bytes(), b"", 1024 * 1024);
    assert_eq!(quick, simple);
    assert_eq!((quick.votes.len(), quick.failures.len(), quick.unreadable_lines), (0, 4, 1));
}

#[test]
fn a_missing_file_is_named() {
    let (schema, requests) = (schema(), requests(1, 1));
    let error = read(&asked(&schema, &requests), Some(Path::new("/nowhere/output")), None).expect_err("no file");
    assert_eq!(error.to_string(), "reading /nowhere/output failed");
    assert_eq!(read(&asked(&schema, &requests), None, None).expect("nothing to read").failures.len(), 1);
}
