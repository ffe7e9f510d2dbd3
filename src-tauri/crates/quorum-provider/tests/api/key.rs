//! The key is in no text: a server that sends back what it was sent, in every place it can, meets every call.

use std::error::Error;

use quorum_provider::wire::CreateBatch;
use quorum_provider::{Provider, ProviderConfig};

use crate::server::{KEY, Reply, Server, message, no_retries};

fn every_text(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error:?} {error}");
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(&format!(" {error:?} {error}"));
        next = error.source();
    }
    text
}

#[tokio::test]
async fn an_echo_of_the_key_reaches_no_error() {
    let echoes = [
        format!(r#"{{"error":{{"message":"bad key {KEY}","type":"{KEY}","param":"{KEY}","code":"{KEY}"}}}}"#),
        format!(r#"{{"error":"bad key {KEY}"}}"#),
        format!(r#"{{"id":"{KEY}","created_at":"{KEY}","data":"{KEY}","choices":"{KEY}"}} {KEY}"#),
        format!("<html>{KEY}</html>"),
        format!("{}{KEY}", "x".repeat(190)),
    ];
    let header = format!("location: https://login.example/?k={KEY}");
    let content_type = format!("content-type: text/html; {KEY}");
    let headers = [header.as_str(), content_type.as_str()];
    let folder = tempfile::tempdir().expect("a folder");
    for status in [200, 302, 400, 401, 403, 404, 429, 500] {
        for echo in &echoes {
            let answer = Reply::Bytes(message(status, &headers, Some(echo.len()), echo.as_bytes()));
            let server = Server::start(vec![answer; 5]).await;
            let provider = server.provider_with(no_retries);
            let batch = CreateBatch::chat_completions("file-1", Default::default());
            let stream = || futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"{}"))]);
            let texts = [
                every_text(&provider.get_batch("b").await.expect_err("an echo")),
                every_text(&provider.list_files(None, None, 1).await.expect_err("an echo")),
                every_text(&provider.create_batch(&batch).await.expect_err("an echo")),
                every_text(&provider.upload_file("f", 2, stream).await.expect_err("an echo")),
                every_text(&provider.download_file("f", &folder.path().join("f")).await.expect_err("an echo")),
            ];
            // The key was sent, so there was something to echo.
            assert!(server.requests().iter().all(|request| request.head.contains(KEY)));
            for text in texts {
                assert!(!text.contains(KEY), "{status} {echo}: {text}");
                // Nor a beginning of it, at the cut of a snippet.
                assert!(!text.contains(&KEY[..10]), "{status} {echo}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn an_echo_of_the_key_reaches_no_completion() {
    for body in [
        format!(r#"{{"choices":[{{"finish_reason":"stop","message":{{"content":"you sent {KEY}"}}}}]}}"#),
        format!(r#"{{"choices":[{{"message":{{"refusal":"not for {KEY}"}}}}]}}"#),
        format!(r#"{{"error":{{"message":"bad key {KEY}"}}}}"#),
    ] {
        let server = Server::start([crate::server::json(200, &body)]).await;
        let answer = server.provider().0.chat_completion("{}".to_owned(), "1").await.expect("an answer");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains(KEY) && text.contains("[key]"), "{text}");
        assert!(!format!("{:?}", answer.outcome()).contains(KEY), "{text}");
    }
    let server = Server::start([crate::server::json(200, &format!("<p>{KEY}</p>"))]).await;
    let error = server.provider().0.chat_completion("{}".to_owned(), "1").await.expect_err("no answer");
    assert!(!format!("{error:?}").contains(KEY) && format!("{error:?}").contains("[key]"), "{error:?}");
}

#[test]
fn debug_shows_the_host_and_no_key() {
    let provider = Provider::new(ProviderConfig::new("https://api.example:8443/v1", Some(KEY.to_owned().into())));
    let shown = format!("{:?}", provider.expect("a provider"));
    assert_eq!(shown, "Provider { host: \"api.example:8443\", .. }");
}

#[tokio::test]
async fn no_key_means_no_header() {
    let server = Server::start([crate::server::json(200, r#"{"data":[]}"#)]).await;
    server.provider_with(|config| config.key = None).list_models().await.expect("models");
    assert_eq!(server.requests()[0].header("authorization"), None);
}
