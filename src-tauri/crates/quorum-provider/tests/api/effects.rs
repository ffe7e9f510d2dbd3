//! Calls that create or cost: sent once, and the error says whether they took effect.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use quorum_provider::EffectError;
use quorum_provider::lines::Outcome;
use quorum_provider::wire::{BatchStatus, CreateBatch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::calls::{ANSWERS, label};
use crate::server::{Reply, Server, json, message, provider_at, reply, short_timeouts};

fn creation() -> CreateBatch {
    CreateBatch::chat_completions("file-1", BTreeMap::from([("quorum_intent".to_owned(), "a1".to_owned())]))
}

fn kind(error: &EffectError) -> &'static str {
    match error {
        EffectError::NotSent(_) => "not sent",
        EffectError::Refused(_) => "refused",
        EffectError::Ambiguous(_) => "ambiguous",
    }
}

/// A refusal is one only in the provider's own form and with a status that says so.
fn expected_kind(status: u16, class: &str) -> &'static str {
    let is_own_form = !class.starts_with("not json") && (400..500).contains(&status) && !matches!(status, 408 | 409);
    if is_own_form { "refused" } else { "ambiguous" }
}

#[tokio::test]
async fn creation_sends_what_the_contract_says() {
    let server =
        Server::start([json(200, r#"{"id":"batch_1","status":"validating","metadata":{"quorum_intent":"a1"}}"#)]).await;
    let batch = server.provider().0.create_batch(&creation()).await.expect("a batch");
    assert_eq!((batch.id.as_str(), &batch.status), ("batch_1", &BatchStatus::Validating));
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /v1/batches HTTP/1.1");
    let body = String::from_utf8_lossy(&request.body);
    assert_eq!(
        body,
        r#"{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{"quorum_intent":"a1"}}"#
    );
}

#[tokio::test]
async fn creation_is_never_sent_twice() {
    for (status, body, class, _) in ANSWERS {
        // Told to retry and told when: it makes no difference.
        let answer = reply(
            *status,
            &["content-type: application/json", "x-should-retry: true", "retry-after: 1"],
            body.as_bytes(),
        );
        let server = Server::start(vec![answer; 3]).await;
        let (provider, pace) = server.provider();
        let error = provider.create_batch(&creation()).await.expect_err(body);
        // Two bodies that only a plain answer gives: nothing of the provider's form is in them.
        let expected =
            if body.is_empty() || *body == "slow down" { "ambiguous" } else { expected_kind(*status, class) };
        assert_eq!((kind(&error), label(error.cause()).as_str()), (expected, *class), "{status} {body}");
        assert_eq!(server.requests().len(), 1, "{status} {body}");
        assert!(pace.slept_ms().is_empty());
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_wherever_it_gets_lost() {
    let body = br#"{"id":"batch_1","status":"validating"}"#;
    let whole = message(200, &["content-type: application/json"], Some(body.len()), body);
    let mut script: Vec<Reply> = (0..whole.len()).step_by(7).map(|cut| Reply::Bytes(whole[..cut].to_vec())).collect();
    script.push(Reply::Bytes(whole[..whole.len() - 1].to_vec()));
    script.push(Reply::CloseAfterReading(0));
    script.push(Reply::ThenSilence(Vec::new()));
    script.push(Reply::ThenSilence(whole[..whole.len() - 1].to_vec()));
    let cases = script.len();
    let server = Server::start(script).await;
    let provider = server.provider_with(short_timeouts);
    for case in 0..cases {
        let error = provider.create_batch(&creation()).await.expect_err("a lost answer");
        assert_eq!(kind(&error), "ambiguous", "{case}: {error:?}");
        assert_eq!(server.requests().len(), case + 1);
    }
}

#[tokio::test]
async fn nobody_listening_means_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    drop(listener);
    let (provider, pace) = provider_at(&url, |_| {});
    let error = provider.create_batch(&creation()).await.expect_err("nobody");
    assert_eq!((kind(&error), label(error.cause()).as_str()), ("not sent", "offline"));
    assert!(pace.slept_ms().is_empty());
}

#[tokio::test]
async fn a_failed_encryption_means_not_sent() {
    // One server that speaks plainly where TLS is expected, one that says nothing to the greeting: either way the
    // handshake ends before any request.
    for greeting in [Some("HTTP/1.1 400 Bad Request\r\n\r\n"), None] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}/v1", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            if let Some(greeting) = greeting {
                stream.write_all(greeting.as_bytes()).await.expect("a listening client");
            }
            // Until the client goes away.
            while stream.read(&mut [0; 1_024]).await.is_ok_and(|read| read > 0) {}
        });
        let (provider, _) = provider_at(&url, |config| config.timeouts.connect = Duration::from_millis(150));
        let error = provider.create_batch(&creation()).await.expect_err("no TLS");
        assert_eq!((kind(&error), label(error.cause()).as_str()), ("not sent", "offline"), "{error:?}");
    }
}

#[tokio::test]
async fn a_chat_completion_is_sent_once_and_read_like_a_line() {
    let body = r#"{"model":"gpt-5-mini-2025-08-07","choices":[{"finish_reason":"stop","message":{"content":"{\"a\":1}"}}],"usage":{"prompt_tokens":9,"completion_tokens":4}}"#;
    let headers = ["x-ratelimit-remaining-requests: 499", "x-ratelimit-reset-tokens: 6m0s"];
    let server = Server::start([reply(200, &headers, body.as_bytes()), json(500, "{}"), json(200, "not JSON")]).await;
    let (provider, _) = server.provider();
    let question = serde_json::json!({"model": "gpt-5-mini", "messages": []});
    let answer = provider.chat_completion(question.to_string(), "r1-1").await.expect("an answer");
    let Outcome::Ok(completion) = answer.outcome() else { panic!("{:?}", answer.outcome()) };
    assert_eq!(completion.content, r#"{"a":1}"#);
    assert_eq!(answer.rate_limits.requests_remaining, Some(499));
    assert_eq!(answer.rate_limits.tokens_reset.map(|span| span.as_secs()), Some(360));
    let error = provider.chat_completion(question.to_string(), "r1-1").await.expect_err("a fault");
    assert_eq!((kind(&error), server.requests().len()), ("ambiguous", 2));
    let error =
        provider.chat_completion(question.to_string(), "r1-1").await.expect_err("a page from something in between");
    assert_eq!(kind(&error), "ambiguous", "what is behind it may be paid");
    assert_eq!(server.requests()[0].line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(server.requests()[0].body, br#"{"messages":[],"model":"gpt-5-mini"}"#);
}

#[tokio::test]
async fn only_the_providers_own_fault_leaves_no_completion_behind() {
    let own = r#"{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}"#;
    for (status, body, expected) in [
        (500, own, "refused"),
        (503, own, "refused"),
        (529, own, "refused"),
        (500, "{}", "ambiguous"),
        (503, "<html>busy</html>", "ambiguous"),
        (408, own, "ambiguous"),
        (502, own, "ambiguous"),
        (504, own, "ambiguous"),
        (524, "error code: 524", "ambiguous"),
    ] {
        let server = Server::start([json(status, body), json(status, body)]).await;
        let (provider, _) = server.provider();
        let error = provider.chat_completion("{}".to_owned(), "r1-1").await.expect_err("a fault");
        assert_eq!((kind(&error), server.requests().len()), (expected, 1), "{status} {body}");
        // A batch may be there whatever was said about it.
        let error = provider.create_batch(&creation()).await.expect_err("a fault");
        assert_eq!(kind(&error), "ambiguous", "{status} {body}");
    }
}

#[tokio::test]
async fn a_cancellation_is_sent_once() {
    let conflict = r#"{"error":{"message":"Cannot cancel a batch with status 'completed'.","type":"invalid_request_error","param":null,"code":null}}"#;
    let server =
        Server::start([json(200, r#"{"id":"b","status":"cancelling"}"#), json(409, conflict), json(500, "{}")]).await;
    let (provider, _) = server.provider();
    assert_eq!(provider.cancel_batch("b").await.expect("a batch").status, BatchStatus::Cancelling);
    let error = provider.cancel_batch("b").await.expect_err("a conflict");
    assert_eq!(error.provider_words(), Some("Cannot cancel a batch with status 'completed'."));
    assert_eq!(label(&provider.cancel_batch("b").await.expect_err("a fault")), "server 500");
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.requests()[0].line, "POST /v1/batches/b/cancel HTTP/1.1");
}

/// The engine spawns calls, so every one has to be able to change threads.
#[test]
fn calls_can_be_spawned() {
    fn can_be_spawned<T: Send>(_: T) {}
    let (provider, _) = provider_at("http://127.0.0.1:1/v1", |_| {});
    can_be_spawned(provider.get_batch("b"));
    can_be_spawned(provider.list_files(None, None, 1));
    can_be_spawned(provider.delete_file("f"));
    can_be_spawned(provider.cancel_batch("b"));
    can_be_spawned(provider.list_models());
    can_be_spawned(provider.create_batch(&creation()));
    can_be_spawned(provider.chat_completion("{}".to_owned(), "r1-1"));
    can_be_spawned(provider.download_file("f", std::path::Path::new("f")));
    let body = || futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"{}"))]);
    can_be_spawned(provider.upload_file("f", 2, body));
}
