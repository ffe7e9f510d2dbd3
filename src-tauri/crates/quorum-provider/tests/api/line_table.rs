//! Result lines, one row of the table each: the four error shapes and what compatible servers make of them.

use std::borrow::Cow;

use quorum_provider::lines::{FailureKind, LineProblem, Outcome, parse_line};

/// The outcome in one line: `ok <content>` or `<kind> <status> <code>: <message>`.
fn told(line: &str) -> String {
    let parsed = match parse_line(line.as_bytes()) {
        Ok(parsed) => parsed,
        Err(problem) => return problem.to_string(),
    };
    assert_eq!(parsed.custom_id, "r1-1");
    match parsed.outcome {
        Outcome::Ok(completion) => format!("ok {}", completion.content),
        Outcome::Failed(failure) => {
            format!("{:?} {} {}: {}", failure.kind, failure.status, failure.code, failure.message)
        }
    }
}

fn body(choice: &str) -> String {
    format!(
        r#"{{"id":"batch_req_1","custom_id":"r1-1","response":{{"status_code":200,"request_id":"q","body":{{"id":"c","object":"chat.completion","created":1,"model":"gpt-5-mini","choices":[{choice}],"usage":{{"prompt_tokens":9,"completion_tokens":4}}}}}},"error":null}}"#
    )
}

fn status(status: &str, body: &str) -> String {
    format!(
        r#"{{"id":"x","custom_id":"r1-1","response":{{"status_code":{status},"request_id":"","body":{body}}},"error":null}}"#
    )
}

fn not_run(error: &str) -> String {
    format!(r#"{{"id":"x","custom_id":"r1-1","response":null,"error":{error}}}"#)
}

#[test]
fn answers() {
    for (choice, expected) in [
        (
            r#"{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"a\":1}","refusal":null,"annotations":[]}}"#,
            r#"ok {"a":1}"#,
        ),
        (r#"{"finish_reason":"stop","message":{"content":"plain","refusal":""}}"#, "ok plain"),
        (r#"{"message":{"content":"no reason"}}"#, "ok no reason"),
        (
            r#"{"finish_reason":"stop","message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}"#,
            "ok ab",
        ),
        (r#"{"finish_reason":"stop","message":{"content":"first"}},{"message":{"content":"second"}}"#, "ok first"),
        (r#"{"finish_reason":"length","message":{"content":"{\"a\""}}"#, "CutOff 200 : finish_reason: length"),
        (r#"{"finish_reason":"length","message":{"content":""}}"#, "CutOff 200 : finish_reason: length"),
        (
            r#"{"finish_reason":"content_filter","message":{"content":null}}"#,
            "Filtered 200 : finish_reason: content_filter",
        ),
        (
            r#"{"finish_reason":"stop","message":{"content":null,"refusal":"I cannot help."}}"#,
            "Refused 200 : I cannot help.",
        ),
        (r#"{"finish_reason":"stop","message":{"content":null,"refusal":null}}"#, "NoAnswer 200 : the answer is empty"),
        (r#"{"finish_reason":"stop","message":null}"#, "NoAnswer 200 : the answer is empty"),
        ("", "NoAnswer 200 : the response holds no answer"),
        ("7", "NoAnswer 200 : the response holds no answer"),
    ] {
        assert_eq!(told(&body(choice)), expected, "{choice}");
    }
}

#[test]
fn failures_of_every_shape() {
    let context = r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    let server = r#"{"error":{"message":"An error occurred while processing your request. You can retry your request.","type":"server_error","code":null}}"#;
    for (line, expected) in [
        // Shape 1: the HTTP failure of one request.
        (status("400", context), "Terminal 400 context_length_exceeded: too long"),
        (
            status("404", r#"{"error":{"message":"no model","code":null,"type":"invalid_request_error"}}"#),
            "Terminal 404 invalid_request_error: no model",
        ),
        (status("408", "{}"), "Retryable 408 : "),
        (status("409", "{}"), "Retryable 409 : "),
        (
            status("429", r#"{"error":{"message":"slow","code":"rate_limit_exceeded"}}"#),
            "Retryable 429 rate_limit_exceeded: slow",
        ),
        (
            status("500", server),
            "Retryable 500 server_error: An error occurred while processing your request. You can retry your request.",
        ),
        (status("503", "null"), "Retryable 503 : "),
        (status("400", r#"{"error":"just text"}"#), "Terminal 400 : just text"),
        (status("400", r#""upstream said no""#), "Terminal 400 : upstream said no"),
        (status("\"429\"", "{}"), "Retryable 429 : "),
        // Shape 2: it did not run.
        (
            not_run(
                r#"{"code":"batch_expired","message":"This request could not be executed before the completion window expired."}"#,
            ),
            "Retryable 0 batch_expired: This request could not be executed before the completion window expired.",
        ),
        (not_run(r#"{"code":"batch_cancelled","message":"m"}"#), "Retryable 0 batch_cancelled: m"),
        (not_run(r#"{"code":"request_timeout","message":"m"}"#), "Retryable 0 request_timeout: m"),
        (not_run(r#"{"code":"invalid_request","message":"m"}"#), "Terminal 0 invalid_request: m"),
        (not_run(r#"{"code":"code_of_2027","message":"m"}"#), "Retryable 0 code_of_2027: m"),
        (not_run(r#""text""#), "Retryable 0 : text"),
        (not_run("null"), "Retryable 0 : "),
        // Shape 3: status 0.
        (status("0", "{}"), "Retryable 0 : "),
        (status("null", "\"\""), "Retryable 0 : "),
        (status("70000", "{}"), "Retryable 0 : "),
        // Shape 4: the server's text in an expired batch.
        (
            not_run(r#"{"code":"server_error","message":"An error occurred while processing your request."}"#),
            "Retryable 0 server_error: An error occurred while processing your request.",
        ),
        // Compatible servers: absent keys, "" for null, an error inside a 2xx.
        (r#"{"custom_id":"r1-1"}"#.to_owned(), "Retryable 0 : "),
        (r#"{"custom_id":"r1-1","error":{"code":"batch_expired"}}"#.to_owned(), "Retryable 0 batch_expired: "),
        (
            r#"{"custom_id":"r1-1","response":"","error":{"code":"batch_expired","message":""}}"#.to_owned(),
            "Retryable 0 batch_expired: ",
        ),
        (r#"{"custom_id":"r1-1","response":{"status_code":500},"error":""}"#.to_owned(), "Retryable 500 : "),
        (status("200", r#"{"error":{"code":"invalid_prompt","message":"no"}}"#), "Terminal 200 invalid_prompt: no"),
        (status("200", "null"), "NoAnswer 200 : the response holds no answer"),
        (status("200", r#""not JSON""#), "NoAnswer 200 : the response body is text and not JSON"),
        (status("200", "[1]"), "NoAnswer 200 : the response holds no answer"),
    ] {
        assert_eq!(told(&line), expected, "{line}");
    }
}

#[test]
fn a_body_printed_into_a_string_reads_the_same() {
    let inner = r#"{"model":"m","choices":[{"finish_reason":"stop","message":{"content":"{\"a\":1}"}}],"usage":{"prompt_tokens":9}}"#;
    let printed = serde_json::to_string(inner).expect("a string");
    let line = status("200", &printed);
    let parsed = parse_line(line.as_bytes()).expect("a line");
    let Outcome::Ok(completion) = parsed.outcome else { panic!("{line}") };
    assert_eq!((completion.content.as_ref(), completion.model.as_ref()), (r#"{"a":1}"#, "m"));
    assert_eq!(completion.usage.map(|usage| usage.input), Some(9));
    let failed = status("400", &serde_json::to_string(r#"{"error":{"code":"x","message":"m"}}"#).expect("a string"));
    assert_eq!(told(&failed), "Terminal 400 x: m");
}

#[test]
fn a_billed_failure_keeps_its_usage() {
    let line = body(r#"{"finish_reason":"length","message":{"content":""}}"#);
    let Outcome::Failed(failure) = parse_line(line.as_bytes()).expect("a line").outcome else { panic!("{line}") };
    assert_eq!((failure.kind, failure.usage.map(|usage| usage.output)), (FailureKind::CutOff, Some(4)));
}

#[test]
fn text_without_escapes_is_borrowed() {
    let line = body(r#"{"finish_reason":"stop","message":{"content":"plain"}}"#);
    let parsed = parse_line(line.as_bytes()).expect("a line");
    assert!(matches!(parsed.custom_id, Cow::Borrowed(_)));
    let Outcome::Ok(completion) = parsed.outcome else { panic!("{line}") };
    assert!(matches!((&completion.content, &completion.model), (Cow::Borrowed(_), Cow::Borrowed(_))));
}

#[test]
fn lines_that_say_nothing_say_why() {
    for (line, problem) in [
        ("{", "not a result line"),
        ("hello", "not a result line"),
        ("7", "JSON, but not an object"),
        ("[\"r1-1\"]", "JSON, but not an object"),
        (r#"{"custom_id":"r1-1"} trailing"#, "not a result line"),
        ("{}", "no custom_id"),
        (r#"{"custom_id":null}"#, "no custom_id"),
        (r#"{"custom_id":""}"#, "no custom_id"),
    ] {
        assert_eq!(told(line), problem, "{line}");
    }
    assert!(matches!(parse_line(b"{\"custom_id\":\"\xff\"}"), Err(LineProblem::Unreadable(_))));
}
