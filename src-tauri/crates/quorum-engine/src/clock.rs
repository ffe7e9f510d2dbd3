//! What time it is. The only clock of the engine, so that tests can move it.

use std::time::{SystemTime, UNIX_EPOCH};

use quorum_core::manifest::Seconds;

pub trait Clock: Send + Sync {
    /// Unix seconds.
    fn now(&self) -> Seconds;
}

pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Seconds {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Seconds::try_from(since.as_secs()).unwrap_or(Seconds::MAX)
    }
}
