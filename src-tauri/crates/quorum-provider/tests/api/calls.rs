//! Error classes and the retry rule, on a call that may be repeated.

use std::error::Error;
use std::time::Duration;

use quorum_provider::wire::BatchStatus;
use quorum_provider::{Provider, ProviderConfig, ProviderError, QueueAllowance};

use crate::server::{KEY, Reply, Server, json, message, patient_timeouts, provider_at, reply, short_timeouts};

pub fn label(error: &ProviderError) -> String {
    match error {
        ProviderError::Offline { .. } => "offline".to_owned(),
        ProviderError::Timeout { .. } => "timeout".to_owned(),
        ProviderError::Interrupted { .. } => "interrupted".to_owned(),
        ProviderError::Unauthorized { .. } => "unauthorized".to_owned(),
        ProviderError::Forbidden { .. } => "forbidden".to_owned(),
        ProviderError::QuotaExhausted { code, .. } => format!("quota {code}"),
        ProviderError::QueueFull { .. } => "queue full".to_owned(),
        ProviderError::RateLimited { .. } => "rate limited".to_owned(),
        ProviderError::Server { status, .. } => format!("server {status}"),
        ProviderError::NotFound { .. } => "not found".to_owned(),
        ProviderError::InvalidRequest { status, .. } => format!("invalid {status}"),
        ProviderError::NotJson { status, .. } => format!("not json {status}"),
        other => format!("{other:?}"),
    }
}

pub const HTML: &str = "<!doctype html><html><body>Sign in to Hotel WiFi</body></html>";

/// Status, body, class of the error, tries made of a repeatable call.
pub const ANSWERS: &[(u16, &str, &str, usize)] = &[
    (
        400,
        r#"{"error":{"message":"Invalid value: 'x'.","type":"invalid_request_error","param":"endpoint","code":"invalid_value"}}"#,
        "invalid 400",
        1,
    ),
    (
        400,
        r#"{"error":{"message":"Billing hard limit has been reached","type":"x","param":null,"code":"billing_hard_limit_reached"}}"#,
        "quota billing_hard_limit_reached",
        1,
    ),
    (400, r#"{"object":"error","message":"bad","code":40001}"#, "invalid 400", 1),
    (
        401,
        r#"{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        "unauthorized",
        1,
    ),
    (401, "", "unauthorized", 1),
    (401, HTML, "not json 401", 1),
    (
        403,
        r#"{"error":{"message":"Country not supported","type":"request_forbidden","param":null,"code":"unsupported_country_region_territory"}}"#,
        "forbidden",
        1,
    ),
    (403, HTML, "not json 403", 1),
    (
        404,
        r#"{"error":{"message":"No batch found with id 'batch_1'.","type":"invalid_request_error","param":null,"code":null}}"#,
        "not found",
        1,
    ),
    (404, r#"{"detail":"Not Found"}"#, "not found", 1),
    (404, "404 page not found", "not json 404", 1),
    (408, r#"{"error":{"message":"slow"}}"#, "server 408", 3),
    (
        409,
        r#"{"error":{"message":"Cannot cancel a batch with status 'completed'.","type":"invalid_request_error","param":null,"code":null}}"#,
        "invalid 409",
        3,
    ),
    (413, HTML, "not json 413", 1),
    (
        429,
        r#"{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
        "rate limited",
        3,
    ),
    (429, "slow down", "rate limited", 3),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"credit_balance_exhausted"}}"#,
        "quota credit_balance_exhausted",
        1,
    ),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":null}}"#,
        "quota insufficient_quota",
        1,
    ),
    (
        429,
        r#"{"error":{"message":"Enqueued token limit reached for gpt-5 in organization org-X. Limit: 900,000 enqueued tokens.","code":"token_limit_exceeded"}}"#,
        "queue full",
        1,
    ),
    (
        500,
        r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#,
        "server 500",
        3,
    ),
    (502, HTML, "server 502", 3),
    (503, r#"{"error":{"message":"overloaded","code":"server_is_overloaded"}}"#, "server 503", 3),
    (302, "", "not json 302", 1),
    (200, HTML, "not json 200", 1),
    (200, "", "not json 200", 1),
    (200, r#"{"id":"batch_1","stat"#, "not json 200", 1),
    (200, r#"{"object":"batch"}"#, "not json 200", 1),
    (200, r#"[]"#, "not json 200", 1),
    (200, "null", "not json 200", 1),
];

#[tokio::test]
async fn every_answer_has_its_class_and_number_of_tries() {
    for (status, body, class, tries) in ANSWERS {
        let server = Server::start(vec![json(*status, body); 3]).await;
        let (provider, pace) = server.provider();
        let error = provider.get_batch("batch_1").await.expect_err(body);
        assert_eq!(label(&error), *class, "{status} {body}");
        assert_eq!(server.requests().len(), *tries, "{status} {body}");
        assert_eq!(pace.slept_ms(), [500, 1_000][..tries - 1], "{status} {body}");
    }
}

#[tokio::test]
async fn a_passing_fault_passes_unnoticed() {
    let server =
        Server::start([json(503, "{}"), json(500, "<html>"), json(200, r#"{"id":"batch_1","status":"in_progress"}"#)])
            .await;
    let (provider, pace) = server.provider();
    let batch = provider.get_batch("batch_1").await.expect("a batch");
    assert_eq!(batch.status, BatchStatus::InProgress);
    assert_eq!(pace.slept_ms(), [500, 1_000]);
    let requests = server.requests();
    assert_eq!(requests[2].line, "GET /v1/batches/batch_1 HTTP/1.1");
    assert_eq!(requests[2].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert!(requests[2].header("user-agent").is_some_and(|agent| agent.starts_with("quorum/")));
}

#[tokio::test]
async fn the_provider_sets_the_pace() {
    const SLOW: &str = r#"{"error":{"message":"slow","code":"slow_down"}}"#;
    for (header, slept_ms) in [
        ("retry-after: 7", 7_000),
        ("retry-after-ms: 90", 90),
        ("retry-after: Sun, 06 Nov 1994 08:50:07 GMT", 30_000),
        ("retry-after: 120", 120_000),
        ("retry-after: never", 500),
    ] {
        let server = Server::start([reply(429, &[header], SLOW.as_bytes()), json(200, r#"{"id":"b"}"#)]).await;
        let (provider, pace) = server.provider();
        provider.get_batch("b").await.expect("a batch");
        assert_eq!(pace.slept_ms(), [slept_ms], "{header}");
    }

    let server = Server::start([reply(429, &["retry-after: 121"], SLOW.as_bytes())]).await;
    let (provider, pace) = server.provider();
    let error = provider.get_batch("b").await.expect_err("too long to wait for");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(121)));
    assert!(error.retryable());
    assert!(pace.slept_ms().is_empty());
}

#[tokio::test]
async fn the_provider_says_whether_to_retry() {
    let server = Server::start([reply(500, &["x-should-retry: false"], b"{}")]).await;
    let error = server.provider().0.get_batch("b").await.expect_err("a refusal");
    assert_eq!((label(&error).as_str(), server.requests().len()), ("server 500", 1));

    let invalid = reply(400, &["x-should-retry: true"], br#"{"error":{"message":"try again"}}"#);
    let server = Server::start([invalid, json(200, r#"{"id":"b"}"#)]).await;
    server.provider().0.get_batch("b").await.expect("a batch at the second try");
}

#[tokio::test]
async fn errors_carry_what_the_provider_said() {
    let body = r#"{"error":{"message":"Unsupported value: 'temperature'.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
    let server = Server::start([json(400, body)]).await;
    let error = server.provider().0.get_file("f").await.expect_err("a refusal");
    assert_eq!(error.provider_words(), Some("Unsupported value: 'temperature'."));
    let ProviderError::InvalidRequest { code, param, .. } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_deref(), param.as_deref()), (Some("unsupported_value"), Some("temperature")));
    assert_eq!(error.to_string(), "the provider refuses the request (status 400)");
    assert!(!error.retryable());

    let server = Server::start([json(429, ANSWERS[18].1)]).await;
    let error = server.provider().0.get_file("f").await.expect_err("a refusal");
    let ProviderError::QueueFull { limit: Some(limit), .. } = &error else { panic!("{error:?}") };
    assert_eq!(limit.allowance, QueueAllowance::Tokens(900_000));

    let server = Server::start([reply(200, &["content-type: text/html"], HTML.as_bytes())]).await;
    let error = server.provider().0.get_file("f").await.expect_err("a page");
    let ProviderError::NotJson { content_type, snippet, .. } = &error else { panic!("{error:?}") };
    assert_eq!((content_type.as_str(), snippet.as_str()), ("text/html", HTML));

    let server = Server::start([reply(302, &["location: https://login.example/?next=/v1"], b"")]).await;
    let error = server.provider().0.get_file("f").await.expect_err("a redirect");
    assert_eq!(error.provider_words(), Some("redirect to https://login.example/?next=/v1"));
}

#[tokio::test]
async fn nobody_listening_is_offline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    drop(listener);
    let (provider, pace) = provider_at(&url, |_| {});
    let error = provider.list_batches(None, 100).await.expect_err("nobody");
    assert_eq!(label(&error), "offline");
    assert!(error.source().is_some() && error.retryable());
    assert_eq!(pace.slept_ms(), [500, 1_000]);
}

#[tokio::test]
async fn silence_and_cuts_end_in_time_and_are_tried_again() {
    let whole = r#"{"id":"b"}"#;
    let cut = message(200, &[], Some(10), b"{\"id\"");
    for (bad, class) in [
        (Reply::ThenSilence(Vec::new()), "timeout"),
        (Reply::ThenSilence(cut.clone()), "timeout"),
        (Reply::Bytes(Vec::new()), "interrupted"),
        (Reply::Bytes(cut), "interrupted"),
        (Reply::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{\"id".to_vec()), "interrupted"),
        (Reply::Bytes(b"220 mail.example ESMTP\r\n".to_vec()), "interrupted"),
    ] {
        let server = Server::start(vec![bad.clone(); 3]).await;
        let error = server.provider_with(short_timeouts).get_batch("b").await.expect_err("no answer");
        assert_eq!((label(&error).as_str(), server.requests().len()), (class, 3));
        let server = Server::start([bad, json(200, whole)]).await;
        server.provider_with(patient_timeouts).get_batch("b").await.expect("the second try");
    }
}

#[tokio::test]
async fn a_dripping_answer_ends_in_time() {
    let drip = Reply::ThenDrip(message(200, &[], Some(usize::MAX >> 1), b"{"));
    let server = Server::start(vec![drip; 3]).await;
    let error = server.provider_with(short_timeouts).get_batch("b").await.expect_err("no end");
    assert_eq!(label(&error), "timeout");
}

#[tokio::test]
async fn pages_follow_each_other() {
    let first = r#"{"object":"list","data":[{"id":"batch_2"},{"id":"batch_1"}],"first_id":"batch_2","last_id":"batch_1","has_more":true}"#;
    let last = r#"{"data":[],"has_more":false,"last_id":null}"#;
    let server = Server::start([json(200, first), json(200, last)]).await;
    let (provider, _) = server.provider();
    let page = provider.list_batches(None, 100).await.expect("a page");
    assert_eq!(page.data.len(), 2);
    let page = provider.list_batches(page.next_after(), 100).await.expect("a page");
    assert_eq!((page.data.len(), page.next_after()), (0, None));
    let lines: Vec<String> = server.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(lines, ["GET /v1/batches?limit=100 HTTP/1.1", "GET /v1/batches?limit=100&after=batch_1 HTTP/1.1"]);
}

#[tokio::test]
async fn files_and_models_are_listed() {
    let files = r#"{"data":[{"id":"file-1","bytes":170,"created_at":1787176071,"filename":"a.jsonl","purpose":"batch"}],"has_more":true}"#;
    let models =
        r#"{"data":[{"id":"gpt-5","shutdown_date":"2026-12-11"},{"id":"gpt-6-luna","shutdown_date":null},{"id":"x"}]}"#;
    let server = Server::start([json(200, files), json(200, models)]).await;
    let (provider, _) = server.provider();
    let page = provider.list_files(Some("batch"), Some("file-0"), 1).await.expect("a page");
    // Without last_id the last item is the cursor.
    assert_eq!((page.next_after(), page.data[0].bytes), (Some("file-1"), Some(170)));
    let models = provider.list_models().await.expect("models");
    let dates: Vec<_> = models.iter().map(|model| model.shutdown_date.as_deref()).collect();
    assert_eq!(dates, [Some("2026-12-11"), None, None]);
    assert_eq!(server.requests()[0].line, "GET /v1/files?limit=1&after=file-0&purpose=batch HTTP/1.1");
}

#[tokio::test]
async fn deleting_twice_is_deleting() {
    let gone = r#"{"error":{"message":"No such File object: file-1","type":"invalid_request_error","param":"id","code":null}}"#;
    let script = [
        json(500, "{}"),
        json(404, gone),
        json(200, r#"{"id":"file-1","object":"file","deleted":true}"#),
        json(200, r#"{"deleted":false}"#),
    ];
    let server = Server::start(script).await;
    let (provider, _) = server.provider();
    provider.delete_file("file-1").await.expect("gone after the lost answer");
    provider.delete_file("file-1").await.expect("deleted");
    assert_eq!(label(&provider.delete_file("file-1").await.expect_err("still there")), "invalid 200");
    assert_eq!(server.requests()[0].line, "DELETE /v1/files/file-1 HTTP/1.1");
}

#[tokio::test]
async fn an_id_that_is_none_is_not_sent() {
    let server = Server::start([]).await;
    let (provider, _) = server.provider();
    for id in ["", "..", "."] {
        let error = provider.delete_file(id).await.expect_err("no id");
        assert!(matches!(error, ProviderError::BadId { .. }), "{error:?}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_bad_key_or_address_is_refused_without_being_shown() {
    let with_newline = Provider::new(ProviderConfig::new("https://host/v1", Some(format!("{KEY}\n").into())));
    let plain_http = Provider::new(ProviderConfig::new("http://host/v1", None));
    let pasted = Provider::new(ProviderConfig::new(KEY, None));
    for (made, message) in [
        (with_newline, "the key holds characters that cannot be sent in a header"),
        (plain_http, "the provider address is not usable"),
        (pasted, "the provider address is not usable"),
    ] {
        let error = made.map(|_| ()).expect_err(message);
        assert_eq!(error.to_string(), message);
        assert!(!format!("{error:?}").contains(KEY));
    }
}

#[tokio::test]
async fn what_is_no_list_is_not_an_empty_list() {
    for body in ["{}", "[]", r#"{"error":null}"#, r#"{"object":"list","data":{}}"#, r#"{"data":[{"id":""}]}"#] {
        let server = Server::start([json(200, body)]).await;
        let error = server.provider().0.list_batches(None, 100).await.expect_err(body);
        assert_eq!(label(&error), "not json 200", "{body}");
    }
    let server = Server::start([json(200, r#"{"data":null}"#)]).await;
    let page = server.provider().0.list_batches(None, 100).await.expect("an empty page");
    assert!(page.data.is_empty() && page.next_after().is_none());
}
