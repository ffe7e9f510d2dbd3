//! Downloads: resumed, checked, and either whole under their name or not there.

use std::path::PathBuf;

use quorum_provider::{Downloaded, ProviderConfig, ProviderError};
use tempfile::TempDir;

use crate::calls::{HTML, label};
use crate::server::{KEY, Reply, Server, json, message, no_retries, patient_timeouts, reply, short_timeouts};

const TEXT: &[u8] = b"{\"custom_id\":\"a\"}\n{\"custom_id\":\"b\"}\n\n{\"custom_id\":\"c\"}";

struct Place {
    folder: TempDir,
    target: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("out.jsonl");
    Place { folder, target }
}

impl Place {
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

/// Rows of an error file carry the provider's words, and those may carry the key; a cut may go through the middle of it.
#[tokio::test]
async fn the_key_does_not_reach_the_disk() {
    let text = format!("{{\"custom_id\":\"a\",\"message\":\"bad {KEY}, {KEY}.\"}}\n");
    let half = text.find(KEY).expect("the key") + 5;
    let whole = message(200, &["etag: \"one\""], Some(text.len()), &text.as_bytes()[..half]);
    let range = format!("content-range: bytes {half}-{}/{}", text.len() - 1, text.len());
    let rest = message(206, &[range.as_str()], Some(text.len() - half), &text.as_bytes()[half..]);
    let server = Server::start(vec![Reply::Bytes(whole), Reply::Bytes(rest)]).await;
    let place = place();
    let done = server.provider_with(patient_timeouts).download_file("file-1", &place.target).await.expect("a file");
    assert_eq!(done.bytes, text.len() as u64);
    let mark = format!("{:*<1$}", "[key]", KEY.len());
    assert_eq!(std::fs::read_to_string(&place.target).expect("the file"), text.replace(KEY, &mark));
    assert_eq!(server.requests()[1].header("range"), Some(format!("bytes={half}-").as_str()));
}

async fn check(script: Vec<Reply>, ranges: &[Option<&str>]) -> Server {
    let place = place();
    let server = Server::start(script).await;
    let done = server.provider_with(patient_timeouts).download_file("file-1", &place.target).await.expect("a file");
    assert_eq!(done, Downloaded { bytes: TEXT.len() as u64, lines: 3 });
    assert_eq!(std::fs::read(&place.target).expect("the file"), TEXT);
    assert_eq!(place.names(), ["out.jsonl"]);
    let requests = server.requests();
    let asked: Vec<_> = requests.iter().map(|request| request.header("range")).collect();
    assert_eq!(asked, ranges);
    assert_eq!(requests[0].line, "GET /v1/files/file-1/content HTTP/1.1");
    server
}

async fn check_error(
    script: Vec<Reply>,
    class: &str,
    requests: usize,
    change: fn(&mut ProviderConfig),
) -> ProviderError {
    let place = place();
    std::fs::write(&place.target, "before").expect("a file");
    let server = Server::start(script).await;
    let error = server.provider_with(change).download_file("file-1", &place.target).await.expect_err(class);
    assert_eq!(label(&error).split(' ').next(), class.split(' ').next(), "{error:?}");
    assert_eq!(server.requests().len(), requests, "{class}");
    assert_eq!(std::fs::read(&place.target).expect("the file of before"), b"before");
    assert_eq!(place.names(), ["out.jsonl"]);
    error
}

fn part(from: usize, to: usize, extra: &[&str]) -> Reply {
    let range = format!("content-range: bytes {from}-{}/{}", TEXT.len() - 1, TEXT.len());
    let mut headers = vec![range.as_str()];
    headers.extend_from_slice(extra);
    Reply::Bytes(message(206, &headers, Some(TEXT.len() - from), &TEXT[from..to]))
}

fn cut_at(at: usize, headers: &[&str]) -> Reply {
    Reply::Bytes(message(200, headers, Some(TEXT.len()), &TEXT[..at]))
}

#[tokio::test]
async fn downloads_whole_files() {
    check(vec![reply(200, &[], TEXT)], &[None]).await;
    // No length at all: the end of the connection is the end of the file.
    check(vec![Reply::Bytes(message(200, &[], None, TEXT))], &[None]).await;
    check(vec![json(503, "{}"), reply(200, &[], TEXT)], &[None, None]).await;
}

#[tokio::test]
async fn resumes_where_it_was_cut() {
    let end = TEXT.len();
    let tag = ["etag: \"v1\""];
    let server = check(
        vec![cut_at(20, &tag), part(20, 30, &tag), part(30, end, &tag)],
        &[None, Some("bytes=20-"), Some("bytes=30-")],
    )
    .await;
    assert_eq!(server.requests()[1].header("if-range"), Some("\"v1\""));
    // Without a validator the total length stands in for it.
    let server = check(vec![cut_at(20, &[]), part(20, end, &[])], &[None, Some("bytes=20-")]).await;
    assert_eq!(server.requests()[1].header("if-range"), None);
    // A weak tag promises nothing.
    let server = check(vec![cut_at(20, &["etag: W/\"v1\""]), part(20, end, &[])], &[None, Some("bytes=20-")]).await;
    assert_eq!(server.requests()[1].header("if-range"), None);
    // Silence is a cut too.
    let silent = Reply::ThenSilence(message(200, &[], Some(end), &TEXT[..20]));
    check(vec![silent, part(20, end, &[])], &[None, Some("bytes=20-")]).await;
}

#[tokio::test]
async fn starts_over_where_it_cannot_resume() {
    let end = TEXT.len();
    // The server knows no ranges, and sends the whole again.
    check(vec![cut_at(20, &[]), reply(200, &[], TEXT)], &[None, Some("bytes=20-")]).await;
    // It says so beforehand.
    check(vec![cut_at(20, &["accept-ranges: none"]), reply(200, &[], TEXT)], &[None, None]).await;
    // Another range than asked for; a file that changed its length; a range that it cannot serve; no range named.
    let other_length = Reply::Bytes(message(206, &["content-range: bytes 20-98/99"], Some(79), &[b' '; 79]));
    let unnamed = Reply::Bytes(message(206, &[], Some(end - 20), &TEXT[20..]));
    for odd in [part(10, end, &[]), other_length, reply(416, &[], b""), unnamed] {
        check(vec![cut_at(20, &[]), odd, reply(200, &[], TEXT)], &[None, Some("bytes=20-"), None]).await;
    }
}

#[tokio::test]
async fn takes_a_file_anew_that_ends_inside_a_line() {
    // The length is right by the server's own account, as in the field report of 391,505,535 bytes that were 113,446,592.
    check(vec![reply(200, &[], &TEXT[..30]), reply(200, &[], TEXT)], &[None, None]).await;
    let place = place();
    let server = Server::start(vec![reply(200, &[], &TEXT[..30]); 4]).await;
    let error = server.provider().0.download_file("file-1", &place.target).await.expect_err("never whole");
    assert!(matches!(&error, ProviderError::LastLineCut { bytes: 30, .. }), "{error:?}");
    assert_eq!(error.to_string(), "file file-1 ends in the middle of a line, after 30 bytes");
    assert_eq!((server.requests().len(), place.names().len()), (3, 0));
}

#[tokio::test]
async fn counts_lines_that_hold_something() {
    for (text, lines) in
        [("", 0), ("\n\n \r\n", 0), ("{}", 1), ("{}\n", 1), ("{}\r\n{}\r\n", 2), ("{}\n  ", 1), ("x\n{}", 2)]
    {
        let place = place();
        let server = Server::start([reply(200, &[], text.as_bytes())]).await;
        let done = server.provider().0.download_file("f", &place.target).await.expect(text);
        assert_eq!(done, Downloaded { bytes: text.len() as u64, lines }, "{text:?}");
    }
}

#[tokio::test]
async fn a_failure_leaves_everything_as_it_was() {
    let missing = r#"{"error":{"message":"No such File object: file-1","param":"id"}}"#;
    check_error(vec![json(404, missing)], "not found", 1, |_| {}).await;
    check_error(vec![cut_at(20, &[]), json(404, missing)], "not found", 2, |_| {}).await;
    check_error(vec![reply(200, &["content-type: text/html"], HTML.as_bytes())], "not json 200", 1, |_| {}).await;
    check_error(vec![reply(200, &[], HTML.as_bytes())], "not json 200", 1, |_| {}).await;
    check_error(vec![json(500, "{}"); 3], "server 500", 3, |_| {}).await;
    check_error(vec![json(500, "{}")], "server 500", 1, no_retries).await;
    check_error(vec![json(401, "{}")], "unauthorized", 1, |_| {}).await;
    check_error(vec![Reply::ThenSilence(Vec::new()); 3], "timeout", 3, short_timeouts).await;
}

#[tokio::test]
async fn a_server_that_always_cuts_at_the_same_place_is_given_up() {
    let error = check_error(vec![cut_at(20, &["accept-ranges: none"]); 5], "interrupted", 4, |_| {}).await;
    assert!(matches!(error, ProviderError::Interrupted { bytes_received: 20, .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_drips_is_cut_off_and_asked_for_the_rest() {
    let drip = Reply::ThenDrip(message(200, &[], Some(1 << 40), b"{"));
    let place = place();
    let server = Server::start([drip, json(404, r#"{"error":{"message":"gone"}}"#)]).await;
    let provider = server.provider_with(|config| {
        short_timeouts(config);
        config.timeouts.transfer_bytes_per_s_min = u64::MAX;
    });
    let error = provider.download_file("f", &place.target).await.expect_err("gone");
    assert_eq!(label(&error), "not found");
    assert!(server.requests()[1].header("range").is_some_and(|range| range.starts_with("bytes=")));
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let place = place();
    let target = place.folder.path().join("missing").join("out.jsonl");
    let server = Server::start([]).await;
    let error = server.provider().0.download_file("f", &target).await.expect_err("no folder");
    assert!(error.to_string().starts_with("cannot create ") && error.to_string().contains("missing"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_large_file_arrives_whole_over_many_cuts() {
    let line = b"{\"custom_id\":\"r1-1\",\"response\":null,\"error\":{\"code\":\"batch_expired\",\"message\":\"x\"}}\n";
    let text: Vec<u8> = line.iter().copied().cycle().take(line.len() * 40_000).collect();
    let (end, step) = (text.len(), 400_000);
    let script = (0..end).step_by(step).map(|from| {
        let bytes = &text[from..end.min(from + step)];
        let range = format!("content-range: bytes {from}-{}/{end}", end - 1);
        let status = if from == 0 { 200 } else { 206 };
        Reply::Bytes(message(status, &[&range], Some(end - from), bytes))
    });
    let place = place();
    let server = Server::start(script).await;
    let done = server.provider().0.download_file("f", &place.target).await.expect("a file");
    assert_eq!(done, Downloaded { bytes: end as u64, lines: 40_000 });
    assert!(std::fs::read(&place.target).expect("the file") == text);
    // Each cut brought something new, so the bound on fruitless tries did not end it.
    assert_eq!(server.requests().len(), end.div_ceil(step));
}

#[tokio::test]
async fn an_absurd_length_is_a_cut_like_any_other() {
    let absurd = Reply::Bytes(message(200, &["accept-ranges: none"], Some(usize::MAX - 2), TEXT));
    let at_any_rate: fn(&mut ProviderConfig) = |config| config.timeouts.transfer_bytes_per_s_min = 0;
    check_error(vec![absurd; 4], "interrupted", 4, at_any_rate).await;
}
