//! Download of a result file, streamed to disk and checked.
//!
//! The bytes go to `<target>.part`, which takes the target's name only when the length is right, the last
//! line is whole and everything is on the disk; so a file under its own name is a whole one. A cut is
//! resumed where the server honours ranges. A `.part` of an earlier process is not resumed: nothing
//! says which version of the file it came from.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use reqwest::{Method, Response};
use serde::de::IgnoredAny;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter};
use tokio::time::Instant;

use crate::answer::{self, Failure};
use crate::client::Provider;
use crate::error::ProviderError;
use crate::limits::{DOWNLOAD_TRIES_MAX, LINE_BYTES_MAX};
use crate::redact::Mask;

/// Bytes gathered before a write.
const WRITE_BYTES: usize = 1024 * 1024;

/// What a download brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    pub bytes: u64,
    /// Lines that hold more than white space.
    pub lines: u64,
}

impl Provider {
    /// Downloads a file's content to `to`, which is replaced where it exists. On an error `to` is as it was
    /// and nothing is left beside it.
    pub async fn download_file(&self, file_id: &str, to: &Path) -> Result<Downloaded, ProviderError> {
        let part = part_path(to);
        let done = match self.fill(file_id, &part).await {
            Ok(downloaded) => settle(&part, to).await.map(|()| downloaded),
            Err(error) => Err(error),
        };
        if done.is_err() {
            match tokio::fs::remove_file(&part).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %part.display(), %error, "cannot remove an unfinished download");
                }
                _ => {}
            }
        }
        done
    }

    async fn fill(&self, file_id: &str, part: &Path) -> Result<Downloaded, ProviderError> {
        let transport = &self.transport;
        let mut target = PartFile::create(part, transport.redactor().mask()).await?;
        let mut remote = Remote { total: None, validator: None, ranges: true };
        let mut furthest = 0;
        let mut fruitless = 0;
        for _ in 0..DOWNLOAD_TRIES_MAX {
            let failure = match self.pull(file_id, &mut target, &mut remote).await {
                Ok(()) if target.last_line_is_whole().await? => return target.finish().await,
                Ok(()) => {
                    // The length was right, so this is what the server believes the file to be: take it anew.
                    let bytes = target.received();
                    target.restart().await?;
                    fruitless += 1;
                    Failure::unclear(ProviderError::LastLineCut { file_id: file_id.to_owned(), bytes })
                }
                Err(failure) if target.received() > furthest => {
                    furthest = target.received();
                    fruitless = 0;
                    failure
                }
                Err(failure) => {
                    fruitless += 1;
                    failure
                }
            };
            let delay = transport.delay_before_retry(&failure, fruitless);
            let Some(delay) = delay.filter(|_| fruitless <= transport.retry.retries_max) else {
                return Err(failure.error);
            };
            tracing::debug!(error = %failure.error, bytes = target.received(), "download goes on");
            transport.pace.sleep(delay).await;
        }
        Err(self.cut_short(target.received()))
    }

    /// One request, from where `target` ends. `Ok` means that the server says there is no more.
    async fn pull(&self, file_id: &str, target: &mut PartFile, remote: &mut Remote) -> Result<(), Failure> {
        let transport = &self.transport;
        let mut request = transport.request(Method::GET, &["files", file_id, "content"])?;
        let from = if remote.ranges { target.received() } else { 0 };
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
            if let Some(validator) = &remote.validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let head_within = transport.timeouts.answer;
        let response = tokio::time::timeout(head_within, transport.send(request, head_within))
            .await
            .unwrap_or_else(|_| Err(self.timed_out(head_within)))?;
        let status = response.status().as_u16();
        match status {
            206 if from > 0 && remote.continues(response.headers(), from) => {}
            206 | 416 => {
                // Another range than the one asked for, or a file that changed: start over without ranges.
                remote.ranges = false;
                target.restart().await.map_err(Failure::not_sent)?;
                return Err(Failure::unclear(self.cut_short(0)));
            }
            200..300 => {
                target.restart().await.map_err(Failure::not_sent)?;
                remote.begin(&response);
            }
            _ => {
                let reading = transport.read(response, head_within);
                let answer = tokio::time::timeout(head_within, reading)
                    .await
                    .unwrap_or_else(|_| Err(self.timed_out(head_within)))?;
                return Err(transport.refusal(&answer));
            }
        }
        self.drain(response, target, remote).await
    }

    async fn drain(&self, mut response: Response, target: &mut PartFile, remote: &Remote) -> Result<(), Failure> {
        let transport = &self.transport;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let stall = transport.timeouts.stall;
        // A server that drips a byte now and then never stalls, so the whole has a bound too.
        let within = remote
            .total
            .map(|total| stall.saturating_add(transport.timeouts.transfer(total.saturating_sub(target.received()))));
        let deadline = within.and_then(|within| Instant::now().checked_add(within));
        loop {
            let silence_ends = Instant::now() + stall;
            let until = deadline.map_or(silence_ends, |deadline| deadline.min(silence_ends));
            let chunk = match tokio::time::timeout_at(until, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(transport.broken(error, target.received(), stall)),
                Err(_) if until < silence_ends => return Err(self.timed_out(within.unwrap_or(stall))),
                Err(_) => return Err(self.timed_out(stall)),
            };
            if target.received() == 0 && answer::is_html(&headers, &chunk) {
                return Err(Failure::unclear(answer::not_json(status, &headers, &chunk, &transport.redactor())));
            }
            target.push(chunk).await.map_err(Failure::not_sent)?;
        }
        match remote.total {
            Some(total) if total != target.received() => Err(Failure::unclear(self.cut_short(target.received()))),
            _ => target.end().await.map_err(Failure::not_sent),
        }
    }

    fn cut_short(&self, bytes_received: u64) -> ProviderError {
        ProviderError::Interrupted { host: self.transport.host().to_owned(), bytes_received, source: None }
    }

    fn timed_out(&self, waited: Duration) -> Failure {
        Failure::unclear(ProviderError::Timeout { host: self.transport.host().to_owned(), waited })
    }
}

/// What is known of the file at the provider.
struct Remote {
    total: Option<u64>,
    /// A strong entity tag, or a date.
    validator: Option<HeaderValue>,
    /// Whether a range may be asked for.
    ranges: bool,
}

impl Remote {
    /// Notes what the head of a whole answer says.
    fn begin(&mut self, response: &Response) {
        let headers = response.headers();
        self.total = response.content_length();
        // A weak tag does not promise the same bytes. Without a validator a range is asked for all the same: result
        // files never change, and the total length is compared.
        let strong = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
        self.validator = strong.or_else(|| headers.get(LAST_MODIFIED)).cloned();
        self.ranges &= headers.get(ACCEPT_RANGES).is_none_or(|value| value.as_bytes() != b"none");
    }

    /// Whether a 206 goes on at `from` in the file that was begun.
    fn continues(&mut self, headers: &HeaderMap, from: u64) -> bool {
        let Some((start, total)) = headers.get(CONTENT_RANGE).and_then(content_range) else {
            return false;
        };
        let same_length = match (self.total, total) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        };
        self.total = self.total.or(total);
        start == from && same_length
    }
}

/// First byte and total of `bytes 10-99/100` or `bytes 10-99/*`.
fn content_range(value: &HeaderValue) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _end) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The file under its provisional name, with what is known of its lines.
struct PartFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// Rows carry the provider's words, which may repeat the key. It must not touch the disk.
    mask: Mask,
    /// Written, without what the mask holds back.
    bytes: u64,
    lines: u64,
    /// Where the line that is not ended yet begins.
    open_line_at: u64,
    open_line_has_text: bool,
}

impl PartFile {
    async fn create(path: &Path, mask: Mask) -> Result<Self, ProviderError> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        let file = options.open(path).await.map_err(|e| io_error("create", path, e))?;
        let file = BufWriter::with_capacity(WRITE_BYTES, file);
        let path = path.to_owned();
        Ok(PartFile { path, file, mask, bytes: 0, lines: 0, open_line_at: 0, open_line_has_text: false })
    }

    fn received(&self) -> u64 {
        self.bytes + self.mask.held() as u64
    }

    async fn push(&mut self, chunk: Bytes) -> Result<(), ProviderError> {
        let chunk = self.mask.pass(chunk);
        self.write(&chunk).await
    }

    /// Nothing more comes.
    async fn end(&mut self) -> Result<(), ProviderError> {
        let rest = self.mask.end();
        self.write(&rest).await
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), ProviderError> {
        self.file.write_all(chunk).await.map_err(|e| io_error("write", &self.path, e))?;
        let mut line_from = 0;
        for newline in memchr::memchr_iter(b'\n', chunk) {
            self.open_line_has_text |= has_text(&chunk[line_from..newline]);
            self.lines += u64::from(self.open_line_has_text);
            self.open_line_has_text = false;
            line_from = newline + 1;
            self.open_line_at = self.bytes + line_from as u64;
        }
        self.open_line_has_text |= has_text(&chunk[line_from..]);
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    async fn restart(&mut self) -> Result<(), ProviderError> {
        if self.bytes > 0 {
            // Seeking writes out the buffer first, which the truncation then takes back.
            self.file.seek(SeekFrom::Start(0)).await.map_err(|e| io_error("rewind", &self.path, e))?;
            self.file.get_ref().set_len(0).await.map_err(|e| io_error("truncate", &self.path, e))?;
        }
        self.mask.end();
        (self.bytes, self.lines, self.open_line_at, self.open_line_has_text) = (0, 0, 0, false);
        Ok(())
    }

    /// Whether the file ends with a newline, or else with a line that is JSON.
    async fn last_line_is_whole(&mut self) -> Result<bool, ProviderError> {
        if !self.open_line_has_text {
            return Ok(true);
        }
        if self.bytes - self.open_line_at > LINE_BYTES_MAX as u64 {
            return Ok(false);
        }
        let mut line = Vec::new();
        let read = async {
            self.file.seek(SeekFrom::Start(self.open_line_at)).await?;
            self.file.get_mut().read_to_end(&mut line).await?;
            self.file.seek(SeekFrom::End(0)).await
        };
        read.await.map_err(|e| io_error("read back", &self.path, e))?;
        Ok(serde_json::from_slice::<IgnoredAny>(&line).is_ok())
    }

    async fn finish(mut self) -> Result<Downloaded, ProviderError> {
        self.file.flush().await.map_err(|e| io_error("write", &self.path, e))?;
        self.file.get_ref().sync_all().await.map_err(|e| io_error("sync", &self.path, e))?;
        Ok(Downloaded { bytes: self.bytes, lines: self.lines + u64::from(self.open_line_has_text) })
    }
}

fn has_text(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| !byte.is_ascii_whitespace())
}

fn part_path(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Gives a whole file its name, so that a power cut leaves either the old state or the new one.
async fn settle(part: &Path, to: &Path) -> Result<(), ProviderError> {
    tokio::fs::rename(part, to).await.map_err(|e| io_error("rename", part, e))?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let synced = async { File::open(folder).await?.sync_all().await };
        synced.await.map_err(|e| io_error("sync", folder, e))?;
    }
    Ok(())
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> ProviderError {
    ProviderError::Io { doing, path: path.to_owned(), source }
}
