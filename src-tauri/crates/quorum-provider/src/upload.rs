//! Upload of a batch's input file, streamed.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};

use crate::answer::Failure;
use crate::client::Provider;
use crate::error::ProviderError;
use crate::wire::FileObject;

impl Provider {
    /// Uploads `bytes` bytes as a file with purpose `batch`; never more than a chunk is in memory.
    ///
    /// `body` is called once for every try, and there is at most one try more: a file whose answer got lost
    /// stays behind at the provider as an orphan, which costs storage but no money.
    pub async fn upload_file<F, S>(&self, filename: &str, bytes: u64, body: F) -> Result<FileObject, ProviderError>
    where
        F: Fn() -> S,
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let mut tries = self.transport.tries(self.transport.retry.upload_retries_max);
        loop {
            match self.upload_once(filename, bytes, body()).await {
                Ok(file) => return Ok(file),
                Err(failure) => tries.again(failure).await?,
            }
        }
    }

    async fn upload_once<S>(&self, filename: &str, bytes: u64, body: S) -> Result<FileObject, Failure>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let transport = &self.transport;
        let within = transport.timeouts.answer.saturating_add(transport.timeouts.transfer(bytes));
        let fault = InputFault::default();
        let part = Part::stream_with_length(Body::wrap_stream(checked(body, bytes, fault.clone())), bytes)
            .file_name(filename.to_owned())
            .mime_str("application/jsonl")
            .map_err(|error| Failure::not_sent(ProviderError::Unsendable(error)))?;
        let form = Form::new().text("purpose", "batch").part("file", part);
        let request = transport.request(Method::POST, &["files"])?.multipart(form);
        let sent = transport.json(request, within).await;
        // A stream that fails looks like a broken connection; its own reason goes first.
        match fault.take() {
            Some(error) => Err(Failure::unclear(error)),
            None => sent,
        }
    }
}

/// Why the input broke off, kept where both the body and the call can reach it.
#[derive(Clone, Default)]
struct InputFault(Arc<Mutex<Option<ProviderError>>>);

impl InputFault {
    fn put(&self, error: ProviderError) -> io::Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        io::Error::other("the input of the upload broke off")
    }

    fn take(&self) -> Option<ProviderError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Passes `inner` on, and fails where it fails or does not hold the bytes that were announced.
fn checked<S>(inner: S, bytes_announced: u64, fault: InputFault) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    S: Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    type Boxed = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;
    let inner: Boxed = Box::pin(inner);
    stream::unfold(Some((inner, 0_u64)), move |state| {
        let fault = fault.clone();
        async move {
            let (mut inner, mut bytes_read) = state?;
            match inner.next().await {
                Some(Ok(chunk)) => {
                    bytes_read += chunk.len() as u64;
                    if bytes_read > bytes_announced {
                        let error = ProviderError::UploadLength { bytes_announced, bytes_read };
                        return Some((Err(fault.put(error)), None));
                    }
                    Some((Ok(chunk), Some((inner, bytes_read))))
                }
                Some(Err(error)) => Some((Err(fault.put(ProviderError::UploadInput(error))), None)),
                None if bytes_read < bytes_announced => {
                    let error = ProviderError::UploadLength { bytes_announced, bytes_read };
                    Some((Err(fault.put(error)), None))
                }
                None => None,
            }
        }
    })
}
