//! Uploads: the form on the wire, bounded memory, one repeat, and an input that is at fault itself.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use quorum_provider::ProviderError;

use crate::calls::label;
use crate::server::{Reply, Server, json, short_timeouts};

const FILE: &str = r#"{"id":"file-1","bytes":6,"filename":"in.jsonl","purpose":"batch","status":"processed"}"#;

fn chunks(parts: &'static [&'static str]) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter(parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))))
}

#[tokio::test]
async fn sends_the_form_with_its_length() {
    let server = Server::start([json(200, FILE)]).await;
    let file = server.provider().0.upload_file("in.jsonl", 6, || chunks(&["{}\n", "{}\n"])).await.expect("a file");
    assert_eq!((file.id.as_str(), file.filename.as_str()), ("file-1", "in.jsonl"));
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /v1/files HTTP/1.1");
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()));
    let body = String::from_utf8_lossy(&request.body);
    assert!(body.contains("name=\"purpose\"\r\n\r\nbatch\r\n"), "{body}");
    assert!(body.contains("name=\"file\"; filename=\"in.jsonl\"\r\n"), "{body}");
    assert!(body.contains("\r\n\r\n{}\n{}\n\r\n"), "{body}");
}

#[tokio::test]
async fn starts_over_at_most_once() {
    for (script, tries, works) in [
        (vec![json(500, "{}"), json(200, FILE)], 2, true),
        (vec![Reply::CloseAfterReading(10), json(200, FILE)], 2, true),
        (vec![json(500, "{}"), json(500, "{}"), json(200, FILE)], 2, false),
        (vec![json(400, r#"{"error":{"message":"Invalid file format for Batch API. Must be .jsonl"}}"#)], 1, false),
    ] {
        let server = Server::start(script).await;
        let begun = AtomicUsize::new(0);
        let made = server
            .provider()
            .0
            .upload_file("in.jsonl", 6, || {
                begun.fetch_add(1, Ordering::Relaxed);
                chunks(&["{}\n", "{}\n"])
            })
            .await;
        assert_eq!((made.is_ok(), begun.into_inner()), (works, tries), "{made:?}");
        assert_eq!(server.requests().len(), tries);
    }
}

#[tokio::test]
async fn holds_no_more_than_the_network_takes() {
    const CHUNK: &[u8] = &[b' '; 64 * 1024];
    let announced = 1 << 30;
    // The server takes one MiB and hangs up; what the client drew from its input shows how far ahead it reads.
    let server = Server::start(vec![Reply::CloseAfterReading(1 << 20); 2]).await;
    let drawn = Arc::new(AtomicU64::new(0));
    let error = server
        .provider()
        .0
        .upload_file("in.jsonl", announced, || {
            let drawn = drawn.clone();
            stream::iter(std::iter::repeat_with(move || {
                drawn.fetch_add(CHUNK.len() as u64, Ordering::Relaxed);
                Ok(Bytes::from_static(CHUNK))
            }))
        })
        .await
        .expect_err("a hang-up");
    assert_eq!(label(&error), "interrupted");
    let drawn = drawn.load(Ordering::Relaxed);
    assert!((1 << 20..64 << 20).contains(&drawn), "{drawn} bytes drawn");
}

#[tokio::test]
async fn a_faulty_input_is_not_a_network_fault() {
    for (bytes, announced) in [("{}\n", 4), ("{}\n", 2), ("", 1)] {
        let server = Server::start(vec![json(200, FILE); 2]).await;
        let begun = AtomicUsize::new(0);
        let error = server
            .provider()
            .0
            .upload_file("in.jsonl", announced, || {
                begun.fetch_add(1, Ordering::Relaxed);
                stream::iter([Ok(Bytes::from_static(bytes.as_bytes()))])
            })
            .await
            .expect_err("a wrong length");
        assert!(matches!(error, ProviderError::UploadLength { .. }), "{error:?}");
        assert!(!error.retryable());
        assert_eq!(begun.into_inner(), 1);
    }
    let server = Server::start(vec![json(200, FILE); 2]).await;
    let error = server
        .provider()
        .0
        .upload_file("in.jsonl", 6, || stream::iter([Ok(Bytes::from_static(b"{}\n")), Err(io::Error::other("disk"))]))
        .await
        .expect_err("a disk fault");
    let ProviderError::UploadInput(source) = &error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "disk");
}

#[tokio::test]
async fn a_server_that_does_not_read_is_given_up() {
    let server = Server::start([Reply::ThenSilence(Vec::new()), Reply::ThenSilence(Vec::new())]).await;
    let error =
        server.provider_with(short_timeouts).upload_file("x", 3, || chunks(&["{}\n"])).await.expect_err("silence");
    assert_eq!((label(&error).as_str(), server.requests().len()), ("timeout", 2));
}
