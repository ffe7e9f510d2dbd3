//! How long to wait until the next tick: short while something changes, longer while nothing does, longer still while offline,
//! with jitter so that many windows do not ask in step.
//!
//! The provider's own advice and other clients poll every 30 to 60 s (batch guide; curator 60 s, Together 30 to 60 s).

use std::time::Duration;

/// Between ticks that changed something.
pub const INTERVAL_S_MIN: f64 = 30.0;
/// Between ticks that change nothing.
pub const INTERVAL_S_MAX: f64 = 60.0;
/// Longest pause while the provider cannot be reached.
pub const OFFLINE_S_MAX: f64 = 300.0;
const OFFLINE_S_MIN: f64 = 5.0;
const GROWTH: f64 = 1.25;
/// The interval varies by this share to either side.
const JITTER: f64 = 0.1;

/// Keeps the rhythm. `scale` shortens everything for a sandbox that lives faster than the world.
#[derive(Clone, Debug)]
pub struct Pacer {
    scale: f64,
    interval_s: f64,
    offline_in_row: u32,
}

impl Pacer {
    pub fn new(scale: f64) -> Self {
        Self { scale, interval_s: INTERVAL_S_MIN, offline_in_row: 0 }
    }

    /// The pause after a tick. `random` is in [0, 1).
    pub fn next(&mut self, changed: bool, is_offline: bool, random: f64) -> Duration {
        let seconds = if is_offline {
            let pause = OFFLINE_S_MIN * 2_f64.powi(i32::try_from(self.offline_in_row.min(16)).unwrap_or(16));
            self.offline_in_row = self.offline_in_row.saturating_add(1);
            pause.min(OFFLINE_S_MAX)
        } else {
            self.offline_in_row = 0;
            self.interval_s = if changed { INTERVAL_S_MIN } else { (self.interval_s * GROWTH).min(INTERVAL_S_MAX) };
            self.interval_s
        };
        let jitter = 1.0 + JITTER * (2.0 * random - 1.0);
        Duration::from_secs_f64(seconds * self.scale * jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_ticks_slow_down_and_changes_speed_up() {
        let mut pacer = Pacer::new(1.0);
        let steady = |pacer: &mut Pacer, changed| pacer.next(changed, false, 0.5).as_secs_f64();
        assert_eq!(steady(&mut pacer, true), 30.0);
        for _ in 0..9 {
            steady(&mut pacer, false);
        }
        assert_eq!(steady(&mut pacer, false), 60.0);
        assert_eq!(steady(&mut pacer, true), 30.0);
    }

    #[test]
    fn offline_backs_off_to_five_minutes_and_comes_back_at_once() {
        let mut pacer = Pacer::new(1.0);
        let pauses: Vec<f64> = (0..8).map(|_| pacer.next(false, true, 0.5).as_secs_f64()).collect();
        assert_eq!(pauses, [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]);
        assert!(pacer.next(true, false, 0.5).as_secs_f64() <= 30.0);
        assert_eq!(pacer.next(false, true, 0.5).as_secs_f64(), 5.0);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let mut pacer = Pacer::new(0.01);
        assert!((pacer.next(true, false, 0.0).as_secs_f64() - 0.27).abs() < 1e-9);
        assert!(pacer.next(true, false, 0.999).as_secs_f64() < 0.33);
    }
}
