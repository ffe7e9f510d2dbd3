//! The virtual clock: 24 hours and 30 days must be reachable in a test.
//!
//! It starts at the real time (or at the latest time that the journal knows), then runs at a chosen speed and can be moved by
//! hand. It says nothing about how fast real bytes travel.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How simulated time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Every observation of a batch (GET or list) moves it one step on; the clock itself runs at real speed.
    Instant,
    /// So many virtual seconds pass in a real second.
    Times(f64),
    /// Time passes only through [`crate::Simulator::advance`] and [`crate::Simulator::set_clock`].
    Manual,
}

#[derive(Debug)]
pub(crate) struct Clock {
    speed: Speed,
    anchor: Mutex<Anchor>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    real: Instant,
    virtual_ms: i64,
}

impl Clock {
    pub(crate) fn new(speed: Speed, start_ms: i64) -> Self {
        Self { speed, anchor: Mutex::new(Anchor { real: Instant::now(), virtual_ms: start_ms }) }
    }

    /// Virtual milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        let anchor = *self.lock();
        anchor.virtual_ms + self.passed_ms(anchor.real.elapsed())
    }

    /// Moves the clock by so many milliseconds; negative is a jump back.
    pub(crate) fn advance_ms(&self, by_ms: i64) {
        let mut anchor = self.lock();
        anchor.virtual_ms = anchor.virtual_ms.saturating_add(by_ms);
    }

    pub(crate) fn set_ms(&self, to_ms: i64) {
        *self.lock() = Anchor { real: Instant::now(), virtual_ms: to_ms };
    }

    pub(crate) fn speed(&self) -> Speed {
        self.speed
    }

    fn passed_ms(&self, real: Duration) -> i64 {
        let real_ms = real.as_secs_f64() * 1000.0;
        match self.speed {
            Speed::Instant => real_ms as i64,
            Speed::Times(factor) => (real_ms * factor.max(0.0)) as i64,
            Speed::Manual => 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Real milliseconds since 1970; 0 if the machine's clock stands before that.
pub(crate) fn real_now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::new(Speed::Manual, 1_000);
        assert_eq!(clock.now_ms(), 1_000);
        clock.advance_ms(24 * 3_600_000);
        assert_eq!(clock.now_ms(), 86_401_000);
        clock.advance_ms(-401_000);
        assert_eq!(clock.now_ms(), 86_000_000);
        clock.set_ms(5);
        assert_eq!(clock.now_ms(), 5);
    }
}
