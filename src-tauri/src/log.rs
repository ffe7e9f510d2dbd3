//! The log: to standard error, and nothing that a person typed or a review says.

use std::panic;

use tracing_subscriber::{EnvFilter, fmt};

/// Other crates speak only of trouble.
const DEFAULT: &str = "warn,quorum=info,quorum_app_lib=info,quorum_api=info,quorum_engine=info";

/// Starts logging. A panic is logged like any other failure.
pub fn start() {
    let wanted = std::env::var("QUORUM_LOG").ok().filter(|wanted| !wanted.is_empty());
    let (filter, refused) = match wanted.as_deref().map(EnvFilter::try_new) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(DEFAULT), Some(error)),
        None => (EnvFilter::new(DEFAULT), None),
    };
    fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    if let Some(error) = refused {
        tracing::warn!(%error, "QUORUM_LOG could not be read");
    }
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string).unwrap_or_default();
        let words = panicked.payload_as_str().unwrap_or("no words");
        tracing::error!(place, words, "a bug: a task of Quorum panicked");
    }));
}
