//! Sorts an HTTP answer that is not a success into a [`ProviderError`], and reads the headers that matter.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use serde::Deserialize;

use crate::error::ProviderError;
use crate::lenient::{Maybe, Text};
use crate::queue_limit::queue_limit;
use crate::redact::Redactor;

/// Types and codes under which the provider says that money is missing. Sources: the provider's error guide
/// and captures of 2024 to 2026; `billing_hard_limit_reached` was seen with status 400.
const QUOTA_CODES: [&str; 6] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "project_spend_limit_exceeded",
    "billing_hard_limit_reached",
];

/// A failed try, with what decides whether there is another.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ProviderError,
    pub(crate) effect: Effect,
    /// The provider's `x-should-retry`, which overrides the rule.
    pub(crate) should_retry: Option<bool>,
    /// The provider's own form: nothing on the way made it.
    pub(crate) is_own: bool,
}

/// Whether the request may have done something at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    NotSent,
    Refused,
    Unclear,
}

impl Failure {
    pub(crate) fn not_sent(error: ProviderError) -> Self {
        Failure { error, effect: Effect::NotSent, should_retry: None, is_own: false }
    }

    pub(crate) fn unclear(error: ProviderError) -> Self {
        Failure { error, effect: Effect::Unclear, should_retry: None, is_own: false }
    }
}

/// The `x-ratelimit-*` headers of an answer, of the synchronous pool (batches have their own).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimits {
    pub requests_limit: Option<u64>,
    pub requests_remaining: Option<u64>,
    pub requests_reset: Option<Duration>,
    pub tokens_limit: Option<u64>,
    pub tokens_remaining: Option<u64>,
    pub tokens_reset: Option<Duration>,
}

impl RateLimits {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| text(headers, name).and_then(|value| value.trim().parse().ok());
        let span = |name: &str| text(headers, name).and_then(reset_span);
        RateLimits {
            requests_limit: number("x-ratelimit-limit-requests"),
            requests_remaining: number("x-ratelimit-remaining-requests"),
            requests_reset: span("x-ratelimit-reset-requests"),
            tokens_limit: number("x-ratelimit-limit-tokens"),
            tokens_remaining: number("x-ratelimit-remaining-tokens"),
            tokens_reset: span("x-ratelimit-reset-tokens"),
        }
    }
}

/// The provider's error object; compatible servers send its text alone, or under other names.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, borrow)]
    error: ErrorMember<'a>,
    #[serde(default, borrow)]
    message: Text<'a>,
    #[serde(default, borrow)]
    detail: Text<'a>,
}

/// `error` as an object, or as text.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum ErrorMember<'a> {
    Object(#[serde(borrow)] ErrorObject<'a>),
    Text(String),
    Other(serde::de::IgnoredAny),
    #[default]
    #[serde(skip)]
    Absent,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorObject<'a> {
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    param: Text<'a>,
    #[serde(borrow)]
    code: Text<'a>,
}

/// What a refusal means by its status and body alone, without headers and without a key to take out of its words.
pub fn refusal_of(status: u16, body: &[u8]) -> ProviderError {
    refusal(status, &HeaderMap::new(), body, &Redactor(None), SystemTime::UNIX_EPOCH).error
}

/// Sorts an answer whose status is not 2xx.
pub(crate) fn refusal(status: u16, headers: &HeaderMap, body: &[u8], redactor: &Redactor, now: SystemTime) -> Failure {
    let own_form = own_form(body);
    let error = sort(status, headers, body, own_form.as_ref(), redactor, now);
    // A refusal counts as one only in the provider's own form: a gateway's page says nothing about what
    // is behind it. 408 and 409 may follow work that was done.
    let is_refusal = own_form.is_some() && (400..500).contains(&status) && !matches!(status, 408 | 409);
    let should_retry = match text(headers, "x-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let effect = if is_refusal { Effect::Refused } else { Effect::Unclear };
    Failure { error, effect, should_retry, is_own: own_form.is_some() }
}

fn sort(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    own_form: Option<&ErrorObject>,
    redactor: &Redactor,
    now: SystemTime,
) -> ProviderError {
    let retry_after = retry_after(headers, now);
    let member = |pick: fn(&ErrorObject) -> Option<String>| own_form.and_then(pick);
    let words = match own_form {
        Some(object) => redactor.words(object.message.0.as_deref().unwrap_or_default()),
        None => redactor.snippet(body),
    };
    let code = member(|object| object.code.0.as_deref().map(str::to_owned)).map(|code| redactor.words(&code));
    let kind = member(|object| object.kind.0.as_deref().map(str::to_owned));
    let is_quota = |name: &Option<String>| name.as_deref().is_some_and(|name| QUOTA_CODES.contains(&name));
    if (400..500).contains(&status) {
        if is_quota(&code) || is_quota(&kind) {
            let named = if is_quota(&code) { code } else { kind };
            return ProviderError::QuotaExhausted { code: named.unwrap_or_default(), words };
        }
        let limit = queue_limit(&words);
        if limit.is_some() || code.as_deref() == Some("token_limit_exceeded") {
            return ProviderError::QueueFull { limit, words };
        }
    }
    match status {
        408 | 500.. => ProviderError::Server { status, retry_after, words },
        429 => ProviderError::RateLimited { retry_after, words },
        // A bare 401 is still about the key; only a page of HTML comes from something in between.
        401 if own_form.is_some() || !is_html(headers, body) => ProviderError::Unauthorized { words },
        403 if own_form.is_some() => ProviderError::Forbidden { words },
        404 if own_form.is_some() => ProviderError::NotFound { words },
        400..500 if own_form.is_some() => {
            let param = member(|object| object.param.0.as_deref().map(str::to_owned));
            let param = param.map(|param| redactor.words(&param));
            ProviderError::InvalidRequest { status, code, param, words }
        }
        _ => not_json(status, headers, body, redactor),
    }
}

/// An answer that is not what was asked for, whatever its status.
pub(crate) fn not_json(status: u16, headers: &HeaderMap, body: &[u8], redactor: &Redactor) -> ProviderError {
    let snippet = match text(headers, LOCATION.as_str()) {
        Some(location) if (300..400).contains(&status) => {
            redactor.snippet(format!("redirect to {location}").as_bytes())
        }
        _ => redactor.snippet(body),
    };
    let content_type =
        text(headers, CONTENT_TYPE.as_str()).map_or("no content type".to_owned(), |t| redactor.snippet(t.as_bytes()));
    ProviderError::NotJson { status, content_type, snippet }
}

pub(crate) fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    text(headers, CONTENT_TYPE.as_str())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
        || body.trim_ascii_start().first() == Some(&b'<')
}

/// The error object, where the body is an error in a form that API servers use.
fn own_form(body: &[u8]) -> Option<ErrorObject<'_>> {
    let envelope = serde_json::from_slice::<Maybe<Envelope>>(body).ok()?.0?;
    match envelope.error {
        ErrorMember::Object(object) => Some(object),
        ErrorMember::Text(message) if !message.is_empty() => {
            Some(ErrorObject { message: Text(Some(Cow::Owned(message))), ..ErrorObject::default() })
        }
        _ => {
            let message = envelope.message.0.or(envelope.detail.0)?;
            Some(ErrorObject { message: Text(Some(message)), ..ErrorObject::default() })
        }
    }
}

/// `retry-after-ms`, else `retry-after` in seconds or as a date. Nothing where it is zero, past or unreadable.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let span = |value: &str, unit_s: f64| {
        let figure: f64 = value.trim().parse().ok()?;
        Duration::try_from_secs_f64(figure * unit_s).ok()
    };
    text(headers, "retry-after-ms")
        .and_then(|value| span(value, 0.001))
        .or_else(|| {
            let value = text(headers, RETRY_AFTER.as_str())?;
            span(value, 1.0).or_else(|| httpdate::parse_http_date(value.trim()).ok()?.duration_since(now).ok())
        })
        .filter(|span| !span.is_zero())
}

/// "1s", "6m0s", "20ms", "1h2m3.5s".
fn reset_span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let figure: f64 = rest[..end].parse().ok()?;
        let (unit_s, skip) = match &rest.as_bytes()[end..] {
            [b'm', b's', ..] => (0.001, 2),
            [b'm', ..] => (60.0, 1),
            [b's', ..] => (1.0, 1),
            [b'h', ..] => (3_600.0, 1),
            [b'd', ..] => (86_400.0, 1),
            _ => return None,
        };
        seconds += figure * unit_s;
        rest = &rest[end + skip..];
    }
    (!text.trim().is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{reset_span, retry_after};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn reads_every_form_of_retry_after() {
        // 1994-11-06 08:49:37 UTC.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |pairs| retry_after(&headers(pairs), now);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("retry-after", "3")]), Some(Duration::from_secs(3)));
        assert_eq!(read(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(read(&[("retry-after-ms", "250"), ("retry-after", "9")]), Some(Duration::from_millis(250)));
        assert_eq!(read(&[("retry-after-ms", "x"), ("retry-after", "9")]), Some(Duration::from_secs(9)));
        assert_eq!(read(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]), Some(Duration::from_secs(30)));
        assert_eq!(read(&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")]), None);
        for nothing in ["0", "-1", "soon", "NaN", "inf", ""] {
            assert_eq!(retry_after(&headers(&[("retry-after", nothing)]), now), None, "{nothing}");
        }
    }

    #[test]
    fn reads_reset_spans() {
        for (text, ms) in [("1s", 1_000), ("6m0s", 360_000), ("20ms", 20), ("1h2m3.5s", 3_723_500), ("1d", 86_400_000)]
        {
            assert_eq!(reset_span(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "1x", "1.2.3s"] {
            assert_eq!(reset_span(text), None, "{text}");
        }
    }
}
