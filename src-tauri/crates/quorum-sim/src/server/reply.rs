//! Answers: JSON bodies and the provider's error envelope.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::error::SimError;
use crate::model::completion::error_body;

/// An error in the provider's words.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: Box<str>,
    pub(crate) error_type: Option<Box<str>>,
    pub(crate) param: Option<Box<str>>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into().into_boxed_str(), ..Self::default() }
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(Box::from(param));
        self
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(Box::from(code));
        self
    }

    pub(crate) fn error_type(mut self, error_type: &str) -> Self {
        self.error_type = Some(Box::from(error_type));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn response(self) -> Response<Body> {
        let error_type = self.error_type.as_deref().unwrap_or(if self.status >= 500 {
            "server_error"
        } else {
            "invalid_request_error"
        });
        let body = error_body(&self.message, error_type, self.param.as_deref(), self.code.as_deref());
        let mut response = json_text(self.status, body);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<SimError> for Refusal {
    /// The simulator's own trouble, a full disk for one, is a server error to its client, and is logged here.
    fn from(error: SimError) -> Self {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, source, "the simulator cannot serve a call");
        Self::new(500, "The server had an error while processing your request. Sorry about that!")
    }
}

pub(crate) fn json(value: &Value) -> Response<Body> {
    json_text(200, value.to_string())
}

pub(crate) fn json_text(status: u16, body: String) -> Response<Body> {
    typed(status, "application/json", body)
}

pub(crate) fn html(status: u16) -> Response<Body> {
    let page = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Please sign in</h1><p>Your network asks you to accept its terms.</p></body></html>\n";
    typed(status, "text/html; charset=utf-8", page.to_owned())
}

fn typed(status: u16, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
