//! One HTTP exchange: due faults, the key, the call itself, faults again, and the log.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Response};
use futures_util::StreamExt as _;
use serde_json::json;

use super::listen::NoAnswer;
use super::reply::{self, Refusal};
use super::route::Route;
use super::{batches, chat, control, download, spoil, upload};
use crate::account::logs::CallRow;
use crate::draw::{Draw, hex32};
use crate::execute::sha256_hex;
use crate::model::roster::{MODELS, Model};
use crate::scenario::Kind;
use crate::shared::Shared;

pub(crate) async fn exchange(
    shared: Arc<Shared>,
    request: Request,
    reset: Arc<AtomicBool>,
) -> Result<Response<Body>, NoAnswer> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = Route::of(&method, &path);
    if let Route::Control(command) = &route {
        let mut response = control::control(&shared, command, request).await;
        stamp(&shared, &mut response);
        return Ok(response);
    }
    let answer = answer(&shared, route, request, &reset).await;
    let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
    let row = CallRow { at: shared.clock.now_ms().div_euclid(1000), method: method.to_string(), path, status };
    if let Err(error) = shared.account().logs.add_call(row) {
        return Ok(Refusal::from(error).response());
    }
    answer.map(|mut response| {
        stamp(&shared, &mut response);
        response
    })
}

async fn answer(
    shared: &Arc<Shared>,
    route: Route,
    request: Request,
    reset: &Arc<AtomicBool>,
) -> Result<Response<Body>, NoAnswer> {
    let call = route.call();
    let due = {
        let mut account = shared.account();
        let (due, counted) = account.faults.on_call(call);
        match account.count_faults(shared.clock.now_ms(), counted) {
            Ok(()) => due,
            Err(error) => return Ok(Refusal::from(error).response()),
        }
    };
    let key = key_of(request.headers());
    for kind in &due {
        match kind {
            Kind::ClockJump { seconds } => shared.clock.advance_ms(seconds.saturating_mul(1_000)),
            Kind::RevokeKey => {
                shared.account().revoked_keys.insert(key.clone().unwrap_or_default());
            }
            Kind::Offline { ms } => {
                shared.go_offline_for(Duration::from_millis(*ms));
                // The listener cuts this connection, too.
                std::future::pending::<()>().await;
            }
            Kind::Delay { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Kind::Hang { after_effect: false } => hang(shared).await,
            Kind::DropRequest => return Err(NoAnswer),
            Kind::Status { after_effect: false, .. } | Kind::Html { after_effect: false, .. } => {
                drain(request).await;
                return Ok(spoken(kind));
            }
            _ => {}
        }
    }
    let mut response = match check_key(shared, key.as_deref()) {
        Err(refusal) => {
            drain(request).await;
            refusal.response()
        }
        Ok(()) => match dispatch(shared, route, request).await {
            Ok(response) => response,
            Err(refusal) => refusal.response(),
        },
    };
    for kind in &due {
        response = match kind {
            Kind::LostAnswer => return Err(NoAnswer),
            Kind::Hang { after_effect: true } => hang(shared).await,
            Kind::Status { after_effect: true, .. } | Kind::Html { after_effect: true, .. } => spoken(kind),
            Kind::TruncatedBody { bytes } => spoil::truncated(response, *bytes).await,
            Kind::Cut { bytes } => spoil::cut(response, *bytes, None),
            Kind::Reset { bytes } => spoil::cut(response, *bytes, Some(Arc::clone(reset))),
            Kind::Slow { bytes_per_s } => spoil::slow(response, *bytes_per_s),
            _ => response,
        };
    }
    Ok(response)
}

/// Answers never, and says so to whoever waits for it.
async fn hang<T>(shared: &Shared) -> T {
    shared.hanging.send_modify(|calls| *calls += 1);
    std::future::pending().await
}

async fn dispatch(shared: &Arc<Shared>, route: Route, request: Request) -> Result<Response<Body>, Refusal> {
    match route {
        Route::UploadFile => upload::upload(shared, request).await,
        Route::ListFiles => download::list(shared, request.uri()),
        Route::GetFile(id) => download::get(shared, &id),
        Route::Download(id) => download::content(shared, &id, request.headers()).await,
        Route::DeleteFile(id) => download::delete(shared, &id),
        Route::CreateBatch => batches::create(shared, request).await,
        Route::GetBatch(id) => batches::get(shared, &id).await,
        Route::ListBatches => batches::list(shared, request.uri()).await,
        Route::CancelBatch(id) => batches::cancel(shared, &id).await,
        Route::ListModels => {
            let data: Vec<_> = MODELS.iter().map(model_object).collect();
            Ok(reply::json(&json!({"object": "list", "data": data})))
        }
        Route::GetModel(id) => {
            MODELS.iter().find(|model| model.id == id).map(|model| reply::json(&model_object(model))).ok_or_else(|| {
                Refusal::new(404, format!("The model '{id}' does not exist")).param("model").code("model_not_found")
            })
        }
        Route::Chat => chat::complete(shared, request).await,
        Route::Control(_) | Route::Unknown => {
            Err(Refusal::new(404, format!("Invalid URL ({} {})", request.method(), request.uri().path())))
        }
    }
}

fn model_object(model: &Model) -> serde_json::Value {
    json!({
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": "system",
        "shutdown_date": model.shutdown_date,
    })
}

/// The answer of a `status` or `html` fault.
fn spoken(kind: &Kind) -> Response<Body> {
    match kind {
        Kind::Status { status, message, error_type, code, retry_after_s, retry_after_ms, should_retry, .. } => {
            let default = match status {
                429 => "Rate limit reached for requests.",
                401 => "Incorrect API key provided.",
                _ => "The server had an error while processing your request. Sorry about that!",
            };
            let mut refusal = Refusal::new(*status, message.clone().unwrap_or_else(|| default.to_owned()));
            refusal.error_type = error_type.as_deref().map(Box::from);
            refusal.code = code.as_deref().map(Box::from).or_else(|| match status {
                429 => Some(Box::from("rate_limit_exceeded")),
                401 => Some(Box::from("invalid_api_key")),
                _ => None,
            });
            if let Some(seconds) = retry_after_s {
                refusal = refusal.header("retry-after", seconds);
            }
            if let Some(ms) = retry_after_ms {
                refusal = refusal.header("retry-after-ms", ms);
            }
            if let Some(should) = should_retry {
                refusal = refusal.header("x-should-retry", should);
            }
            refusal.response()
        }
        Kind::Html { status, .. } => reply::html(*status),
        _ => Refusal::new(500, "This fault has no answer of its own.").response(),
    }
}

/// The caller's key, as a hash: the simulator keeps no key anywhere.
fn key_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let key = value.strip_prefix("Bearer ")?.trim();
    (!key.is_empty()).then(|| sha256_hex(key.as_bytes()))
}

fn check_key(shared: &Shared, key: Option<&str>) -> Result<(), Refusal> {
    let account = shared.account();
    let refused = |message: &str| Err(Refusal::new(401, message).code("invalid_api_key"));
    let limited = account.limits.key_required || !account.limits.keys.is_empty();
    if account.revoked_keys.contains(key.unwrap_or_default()) {
        return refused(
            "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
        );
    }
    match key {
        None if limited => refused(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.",
        ),
        Some(key)
            if !account.limits.keys.is_empty()
                && !account.limits.keys.iter().any(|known| sha256_hex(known.as_bytes()) == key) =>
        {
            refused(
                "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
            )
        }
        _ => Ok(()),
    }
}

/// Reads the request's body away, so that the client gets to the answer instead of a broken pipe.
async fn drain(request: Request) {
    let mut data = request.into_body().into_data_stream();
    while let Some(Ok(_)) = data.next().await {}
}

fn stamp(shared: &Shared, response: &mut Response<Body>) {
    let number = shared.next_request();
    let id = format!("req_{}", hex32(Draw::new(shared.seed).with_str("http").with(number)));
    let headers = response.headers_mut();
    headers.insert("x-quorum-simulator", HeaderValue::from_static("1"));
    headers.insert("openai-version", HeaderValue::from_static("2020-10-01"));
    headers.insert("openai-organization", HeaderValue::from_static("org-sandbox"));
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert("x-request-id", id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_only_ever_a_hash() {
        let mut headers = HeaderMap::new();
        assert_eq!(key_of(&headers), None);
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer sk-mark"));
        let key = key_of(&headers).expect("a key was sent");
        assert!(!key.contains("mark"));
        assert_eq!(key.len(), 64);
    }
}
