//! One HTTP request and its answer, and the loop that tries a repeatable one again.
//!
//! Redirects are not followed: the API sends none, a login page does, and a followed one would carry
//! the request elsewhere. Bodies, prompts and the key are never logged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::address::Address;
use crate::answer::{self, Failure};
use crate::client::{ProviderConfig, Timeouts};
use crate::error::{ConfigError, ProviderError};
use crate::lenient::Maybe;
use crate::limits::ANSWER_BYTES_MAX;
use crate::pace::{Pace, RetryPolicy};
use crate::redact::Redactor;

/// Kept short: a request on a connection that the server is just closing has an unclear fate.
const IDLE_CONNECTION_LIFE: Duration = Duration::from_secs(20);

pub(crate) struct Transport {
    http: reqwest::Client,
    address: Address,
    host: String,
    key: Option<SecretString>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) pace: Arc<dyn Pace>,
}

/// A 2xx answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Transport {
    pub(crate) fn new(config: ProviderConfig) -> Result<Self, ConfigError> {
        let address = Address::parse(&config.base_url).map_err(ConfigError::Address)?;
        if let Some(key) = &config.key {
            bearer(key).ok_or(ConfigError::Key)?;
        }
        let mut http = reqwest::Client::builder()
            .user_agent(config.user_agent)
            .connect_timeout(config.timeouts.connect)
            .pool_idle_timeout(IDLE_CONNECTION_LIFE)
            .redirect(reqwest::redirect::Policy::none())
            // All repeating is done here, where it is known which calls may be repeated.
            .retry(reqwest::retry::never());
        if address.is_loopback {
            // A proxy of the environment is for the world outside.
            http = http.no_proxy();
        }
        if address.is_plain() {
            // Without TLS nothing is to be verified, and a system without certificates must not stop the sandbox.
            http = http.tls_certs_only([]);
        }
        Ok(Transport {
            http: http.build().map_err(ConfigError::Client)?,
            host: address.host(),
            address,
            key: config.key,
            timeouts: config.timeouts,
            retry: config.retry,
            pace: config.pace,
        })
    }

    pub(crate) fn redactor(&self) -> Redactor<'_> {
        Redactor(self.key.as_ref())
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// A request with the key, to the base address and `segments`.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> Result<RequestBuilder, Failure> {
        let url = self.address.join(segments).map_err(Failure::not_sent)?;
        let mut request = self.http.request(method, url);
        if let Some(value) = self.key.as_ref().and_then(bearer) {
            request = request.header(AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// Sends once and waits for the head of the answer; `waited` is what the caller gave it, for the message.
    pub(crate) async fn send(&self, request: RequestBuilder, waited: Duration) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.broken(error, 0, waited))?;
        tracing::debug!(
            status = response.status().as_u16(),
            path = response.url().path(),
            request_id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()),
            "provider answered"
        );
        Ok(response)
    }

    /// Sends once and reads the whole answer; anything but 2xx is a failure.
    pub(crate) async fn answer(&self, request: RequestBuilder, within: Duration) -> Result<Answer, Failure> {
        let response = self.send(request.timeout(within), within).await?;
        let answer = self.read(response, within).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refusal(&answer)) }
    }

    /// Sends once and reads the answer as `T`.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        within: Duration,
    ) -> Result<T, Failure> {
        let answer = self.answer(request, within).await?;
        // Only an object: derived readers would take a bare list for a struct. The parser's own words may
        // quote the body, so the cleaned snippet stands for them.
        let answer = Answer { body: self.redactor().body(answer.body), ..answer };
        match serde_json::from_slice::<Maybe<T>>(&answer.body) {
            Ok(Maybe(Some(value))) => Ok(value),
            Ok(Maybe(None)) | Err(_) => {
                let redactor = self.redactor();
                let error = answer::not_json(answer.status, &answer.headers, &answer.body, &redactor);
                Err(Failure::unclear(error))
            }
        }
    }

    pub(crate) fn refusal(&self, answer: &Answer) -> Failure {
        let now = self.pace.now();
        answer::refusal(answer.status, &answer.headers, &answer.body, &self.redactor(), now)
    }

    /// Reads what is left of an answer, up to [`ANSWER_BYTES_MAX`].
    pub(crate) async fn read(&self, mut response: Response, within: Duration) -> Result<Answer, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error, body.len() as u64, within))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Failure::unclear(ProviderError::TooLarge { bytes_max: ANSWER_BYTES_MAX }));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body: body.into() })
    }

    /// Sorts an error of the connection. What failed before a connection was made was not sent.
    pub(crate) fn broken(&self, error: reqwest::Error, bytes_received: u64, waited: Duration) -> Failure {
        let error = error.without_url();
        let host = self.host.clone();
        if error.is_connect() {
            Failure::not_sent(ProviderError::Offline { host, source: error })
        } else if error.is_timeout() {
            Failure::unclear(ProviderError::Timeout { host, waited })
        } else if error.is_builder() {
            Failure::not_sent(ProviderError::Unsendable(error))
        } else {
            Failure::unclear(ProviderError::Interrupted { host, bytes_received, source: Some(error) })
        }
    }

    /// A count of tries for one call that may be repeated up to `retries_max` times.
    pub(crate) fn tries(&self, retries_max: u32) -> Tries<'_> {
        Tries { transport: self, retries_max, retries: 0 }
    }

    /// How long to wait before the next try, or nothing where there is to be none.
    pub(crate) fn delay_before_retry(&self, failure: &Failure, retries: u32) -> Option<Duration> {
        if !failure.should_retry.unwrap_or_else(|| may_pass_soon(&failure.error)) {
            return None;
        }
        match failure.error.retry_after() {
            Some(asked) if asked > self.retry.retry_after_max => None,
            Some(asked) => Some(asked),
            None => Some(self.retry.delay(retries, self.pace.chance())),
        }
    }
}

/// The tries of one call. (A loop at every call and not a function over closures, whose futures could not be spawned.)
pub(crate) struct Tries<'a> {
    transport: &'a Transport,
    retries_max: u32,
    retries: u32,
}

impl Tries<'_> {
    /// Waits for the next try, or gives the error back where there is to be none.
    pub(crate) async fn again(&mut self, failure: Failure) -> Result<(), ProviderError> {
        let delay = self.transport.delay_before_retry(&failure, self.retries);
        let Some(delay) = delay.filter(|_| self.retries < self.retries_max) else {
            return Err(failure.error);
        };
        tracing::debug!(error = %failure.error, retries = self.retries, delay_ms = delay.as_millis() as u64, "trying again");
        self.retries += 1;
        self.transport.pace.sleep(delay).await;
        Ok(())
    }
}

/// Whether seconds may be enough for the error to pass. Source: the SDK (connection errors, 408, 409, 429, 5xx);
/// a full queue and a login page take longer and are left to the caller.
fn may_pass_soon(error: &ProviderError) -> bool {
    error.retryable() && !matches!(error, ProviderError::QueueFull { .. } | ProviderError::NotJson { .. })
}

fn bearer(key: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
