//! Batches and files as the live API and its imitators send them.

use quorum_provider::lines;
use quorum_provider::wire::{Batch, BatchStatus, FileObject, RequestCounts, Usage};

fn batch(text: &str) -> Batch {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn reads_a_batch_in_full() {
    let batch = batch(
        r#"{"id":"batch_69c3","object":"batch","endpoint":"/v1/chat/completions","model":"gpt-5-2025-08-07","errors":null,
        "input_file_id":"file-1","completion_window":"24h","status":"completed","output_file_id":"file-2","error_file_id":"",
        "created_at":1774437191,"in_progress_at":1774437194,"expires_at":1774523591,"finalizing_at":1774437322,
        "completed_at":1774437324,"failed_at":null,"expired_at":null,"cancelling_at":null,"cancelled_at":null,
        "request_counts":{"total":9,"completed":8,"failed":1},
        "usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":64},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":40},"total_tokens":150},
        "metadata":{"quorum_intent":"a1"}}"#,
    );
    assert_eq!((batch.status.clone(), batch.status.is_terminal()), (BatchStatus::Completed, true));
    assert_eq!((batch.output_file_id.as_deref(), batch.error_file_id.as_deref()), (Some("file-2"), None));
    assert_eq!((batch.created_at, batch.failed_at), (Some(1_774_437_191), None));
    assert_eq!(batch.request_counts, RequestCounts { total: 9, completed: 8, failed: 1 });
    assert_eq!(batch.usage, Some(Usage { input: 100, cached: 64, written: 0, output: 50, reasoning: 40 }));
    assert_eq!(batch.metadata["quorum_intent"], "a1");
    assert_eq!(batch.model.as_deref(), Some("gpt-5-2025-08-07"));
}

#[test]
fn puts_up_with_what_compatible_servers_send() {
    let bare = batch(r#"{"id":"b"}"#);
    assert_eq!(bare.status, BatchStatus::Unknown(String::new()));
    assert!(!bare.status.is_terminal() && bare.errors.is_empty() && bare.usage.is_none());
    let odd = batch(
        r#"{"id":7,"status":"COMPLETED","created_at":1774437191.9,"expires_at":"1774437191","failed_at":"2026-01-01",
        "request_counts":null,"errors":{"data":null},"metadata":null,"usage":"","output_file_id":null,"new_field":[{"a":1}]}"#,
    );
    assert_eq!((odd.id.as_str(), odd.status), ("7", BatchStatus::Completed));
    assert_eq!((odd.created_at, odd.expires_at, odd.failed_at), (Some(1_774_437_191), Some(1_774_437_191), None));
    let odd = batch(
        r#"{"id":"b","errors":[],"metadata":{"n":3,"none":null},"request_counts":{"total":-1,"completed":"2"},"usage":[]}"#,
    );
    assert_eq!((odd.metadata["n"].as_str(), odd.metadata["none"].as_str()), ("3", ""));
    assert_eq!(odd.request_counts, RequestCounts { total: 0, completed: 2, failed: 0 });
    for text in [r#"{"id":""}"#, r#"{"id":null}"#, "{}", "[]", r#""b""#, "null"] {
        assert!(serde_json::from_str::<Batch>(text).is_err(), "{text}");
    }
    let file: FileObject = serde_json::from_str(r#"{"id":"file-1","bytes":"170","expires_at":null}"#).expect("a file");
    assert_eq!((file.bytes, file.expires_at), (Some(170), None));
}

#[test]
fn every_status_is_known_and_the_terminal_ones_end() {
    for (wire, is_terminal) in [
        ("validating", false),
        ("failed", true),
        ("in_progress", false),
        ("finalizing", false),
        ("completed", true),
        ("expired", true),
        ("cancelling", false),
        ("cancelled", true),
        ("canceled", true),
        ("IN_PROGRESS", false),
    ] {
        let status = BatchStatus::parse(wire);
        assert!(!matches!(status, BatchStatus::Unknown(_)), "{wire}");
        assert_eq!(status.is_terminal(), is_terminal, "{wire}");
    }
    assert_eq!(BatchStatus::parse("Ended"), BatchStatus::Unknown("Ended".to_owned()));
}

#[test]
fn validation_errors_and_the_queue_limit_are_read() {
    let failed = batch(
        r#"{"id":"b","status":"failed","errors":{"object":"list","data":[
        {"code":"invalid_json_line","message":"This line is not parseable as valid JSON.","param":null,"line":3},
        {"code":"missing_required_parameter","message":"Missing required parameter: 'custom_id'.","param":"custom_id","line":4}]}}"#,
    );
    assert_eq!(
        (failed.errors.len(), failed.errors[0].line, failed.errors[1].param.as_deref()),
        (2, Some(3), Some("custom_id"))
    );
    assert!(!failed.is_over_queue_limit());

    let text = "Enqueued token limit reached for gpt-4o-mini in organization org-X. Limit: 2,000,000 enqueued tokens.";
    let full = |code: &str, message: &str| {
        batch(&format!(
            r#"{{"id":"b","status":"failed","errors":{{"data":[{{"code":{code},"message":"{message}","param":null,"line":null}}]}}}}"#
        ))
    };
    assert!(full("\"token_limit_exceeded\"", text).is_over_queue_limit());
    // The code of the requests form was never captured; words of an imitator may be unknown.
    assert!(full("null", &text.replace("token", "request")).is_over_queue_limit());
    assert!(full("\"token_limit_exceeded\"", "Zu viel.").is_over_queue_limit());
}

#[test]
fn usage_reads_in_both_spellings() {
    for text in [
        r#"{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":2,"audio_tokens":0,"cache_write_tokens":5},"completion_tokens_details":{"reasoning_tokens":3}}"#,
        r#"{"input_tokens":9,"output_tokens":4,"input_tokens_details":{"cached_tokens":2,"cache_write_tokens":5},"output_tokens_details":{"reasoning_tokens":3}}"#,
    ] {
        let usage: Usage = serde_json::from_str(text).expect("usage");
        assert_eq!(usage, Usage { input: 9, cached: 2, written: 5, output: 4, reasoning: 3 });
    }
    let usage: Usage = serde_json::from_str(r#"{"prompt_tokens":null,"prompt_tokens_details":null}"#).expect("usage");
    assert_eq!(usage, Usage::default());
}

#[test]
fn kinds_have_names_to_group_by() {
    assert_eq!(lines::FailureKind::CutOff.to_string(), "answer cut off");
}
