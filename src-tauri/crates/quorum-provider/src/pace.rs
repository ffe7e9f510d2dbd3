//! When a call is tried again: the delay rule, and the clock and chance that it needs.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use crate::limits;

/// The clock and the dice of the retry rule, so that tests neither wait nor gamble.
pub trait Pace: Send + Sync {
    /// Ends after `delay`.
    fn sleep(&self, delay: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    /// A random figure, 0 up to and without 1.
    fn chance(&self) -> f64;
    /// The time, to read a `retry-after` that is a date.
    fn now(&self) -> SystemTime;
}

/// The machine's clock and the standard library's random hash seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemPace;

impl Pace for SystemPace {
    fn sleep(&self, delay: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(delay))
    }

    fn chance(&self) -> f64 {
        // Jitter keeps clients apart and guards nothing, so a random hash seed is random enough.
        let bits = RandomState::new().hash_one(0_u8) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// How often and how soon a repeatable call is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Tries after the first one.
    pub retries_max: u32,
    /// The same for uploads.
    pub upload_retries_max: u32,
    pub delay_first: Duration,
    pub delay_max: Duration,
    /// A longer `retry-after` is not waited for but handed to the caller.
    pub retry_after_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            retries_max: limits::RETRIES_MAX,
            upload_retries_max: limits::UPLOAD_RETRIES_MAX,
            delay_first: limits::RETRY_DELAY_FIRST,
            delay_max: limits::RETRY_DELAY_MAX,
            retry_after_max: limits::RETRY_AFTER_MAX,
        }
    }
}

impl RetryPolicy {
    /// min(first · 2^n, max) · (1 − 0.25 · chance), n counting the tries made before. Source: the provider's Python SDK.
    pub fn delay(&self, retries_before: u32, chance: f64) -> Duration {
        let factor = 2_u32.saturating_pow(retries_before);
        let delay = self.delay_first.saturating_mul(factor).min(self.delay_max);
        delay.mul_f64(1.0 - limits::RETRY_JITTER_SHARE * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, RetryPolicy, SystemPace};

    #[test]
    fn delays_double_up_to_the_cap_and_lose_up_to_a_quarter() {
        let policy = RetryPolicy::default();
        let ms = |retries, chance| policy.delay(retries, chance).as_millis();
        assert_eq!([ms(0, 0.0), ms(1, 0.0), ms(2, 0.0), ms(3, 0.0), ms(4, 0.0)], [500, 1_000, 2_000, 4_000, 8_000]);
        assert_eq!([ms(5, 0.0), ms(40, 0.0), ms(u32::MAX, 0.0)], [8_000, 8_000, 8_000]);
        assert_eq!([ms(0, 1.0), ms(4, 0.5)], [375, 7_000]);
        assert_eq!(policy.delay(0, f64::from(7)), Duration::from_millis(375));
    }

    #[test]
    fn chance_stays_in_its_range_and_varies() {
        let draws: Vec<f64> = (0..100).map(|_| SystemPace.chance()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!(draws.iter().any(|draw| *draw != draws[0]));
    }
}
