//! The scripted server, and a provider that talks to it without waiting or chance.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use quorum_provider::{Pace, Provider, ProviderConfig, RetryPolicy, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A key that no text may show.
pub const KEY: &str = "sk-marked-7f3a9c51e2";

/// One answer of the script. Every connection serves one request.
#[derive(Clone)]
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then silence until the client goes away.
    ThenSilence(Vec<u8>),
    /// These bytes, then one byte after the other without end.
    ThenDrip(Vec<u8>),
    /// Reads this much of the request, then closes without a word.
    CloseAfterReading(usize),
}

#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut script: VecDeque<Reply> = script.into_iter().collect();
        let log = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reply = script.pop_front().unwrap_or_else(|| json(418, "{\"error\":\"the script is over\"}"));
                tokio::spawn(serve(stream, reply, log.clone()));
            }
        });
        Server { url, seen }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().expect("the log").clone()
    }

    pub fn provider(&self) -> (Provider, Arc<TestPace>) {
        provider_at(&self.url, |_| {})
    }

    pub fn provider_with(&self, change: impl FnOnce(&mut ProviderConfig)) -> Provider {
        provider_at(&self.url, change).0
    }
}

pub fn provider_at(url: &str, change: impl FnOnce(&mut ProviderConfig)) -> (Provider, Arc<TestPace>) {
    let pace = Arc::new(TestPace::default());
    let mut config = ProviderConfig::new(url, Some(KEY.to_owned().into()));
    config.pace = pace.clone();
    change(&mut config);
    (Provider::new(config).expect("a provider"), pace)
}

/// Times after which a silent server counts as dead, where that is the end of the test.
pub fn short_timeouts(config: &mut ProviderConfig) {
    silence_ms_max(config, 300);
}

/// The same where the call then goes on, so that a busy machine does not look like a silent server.
pub fn patient_timeouts(config: &mut ProviderConfig) {
    silence_ms_max(config, 2_000);
}

fn silence_ms_max(config: &mut ProviderConfig, ms: u64) {
    let silence = Duration::from_millis(ms);
    config.timeouts = Timeouts { answer: silence, chat: silence, stall: silence, ..Timeouts::default() };
}

pub fn no_retries(config: &mut ProviderConfig) {
    config.retry = RetryPolicy { retries_max: 0, upload_retries_max: 0, ..RetryPolicy::default() };
}

/// Sleeps for no time and writes down how long it should have been. Chance is always 0.
#[derive(Default)]
pub struct TestPace(Mutex<Vec<Duration>>);

impl TestPace {
    pub fn slept_ms(&self) -> Vec<u128> {
        self.0.lock().expect("the log").iter().map(Duration::as_millis).collect()
    }
}

impl Pace for TestPace {
    fn sleep(&self, delay: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().expect("the log").push(delay);
        Box::pin(std::future::ready(()))
    }
    fn chance(&self) -> f64 {
        0.0
    }
    fn now(&self) -> SystemTime {
        // 1994-11-06 08:49:37 UTC.
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }
}

pub fn json(status: u16, body: &str) -> Reply {
    reply(status, &["content-type: application/json"], body.as_bytes())
}

/// An answer with its true length.
pub fn reply(status: u16, headers: &[&str], body: &[u8]) -> Reply {
    Reply::Bytes(message(status, headers, Some(body.len()), body))
}

/// An answer that announces `length` (none: ends with the connection), whatever it holds.
pub fn message(status: u16, headers: &[&str], length: Option<usize>, body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if let Some(length) = length {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    let mut message = (head + "\r\n").into_bytes();
    message.extend_from_slice(body);
    message
}

async fn serve(mut stream: TcpStream, reply: Reply, log: Arc<Mutex<Vec<Request>>>) {
    let body_max = if let Reply::CloseAfterReading(bytes) = reply { bytes } else { usize::MAX };
    let Some(request) = read_request(&mut stream, body_max).await else { return };
    log.lock().expect("the log").push(request);
    // The client may be gone at any point; that is for the test to notice.
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Reply::ThenSilence(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut [0]).await;
        }
        Reply::ThenDrip(bytes) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::task::yield_now().await;
            }
        }
        Reply::CloseAfterReading(_) => {}
    }
}

async fn read_request(stream: &mut TcpStream, body_max: usize) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).expect("a head of text");
    let mut body = bytes.split_off(head_end);
    let line = head.lines().next().expect("a request line").to_owned();
    let request = Request { line, head, body: Vec::new() };
    let length: usize = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while body.len() < length.min(body_max) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            break;
        }
    }
    Some(Request { body, ..request })
}
