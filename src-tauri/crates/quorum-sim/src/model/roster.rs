//! The models of the simulated account, as of November 2026: names, snapshots, shutdown dates, parameter support.
//!
//! Source: the provider's models and deprecations pages. Prices are not here; the simulator bills nothing.

/// One model that the account may call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) id: &'static str,
    /// What a response names as its model.
    pub(crate) snapshot: &'static str,
    pub(crate) created: i64,
    pub(crate) shutdown_date: Option<&'static str>,
    /// Reasoning efforts that it takes; empty for a model without reasoning.
    pub(crate) efforts: &'static [&'static str],
}

const EFFORTS_5: &[&str] = &["minimal", "low", "medium", "high"];
const EFFORTS_5_1: &[&str] = &["none", "low", "medium", "high"];
const EFFORTS_LATER: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const EFFORTS_O: &[&str] = &["low", "medium", "high"];

const fn model(
    id: &'static str,
    snapshot: &'static str,
    created: i64,
    shutdown_date: Option<&'static str>,
    efforts: &'static [&'static str],
) -> Model {
    Model { id, snapshot, created, shutdown_date, efforts }
}

const DEC_2026: Option<&str> = Some("2026-12-11");
const JAN_2027: Option<&str> = Some("2027-01-14");
const APR_2027: Option<&str> = Some("2027-04-01");

pub(crate) const MODELS: &[Model] = &[
    model("gpt-4.1", "gpt-4.1-2025-04-14", 1_744_316_542, JAN_2027, &[]),
    model("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", 1_744_318_173, JAN_2027, &[]),
    model("gpt-4.1-nano", "gpt-4.1-nano-2025-04-14", 1_744_321_707, None, &[]),
    model("gpt-4o", "gpt-4o-2024-08-06", 1_715_367_049, JAN_2027, &[]),
    model("gpt-4o-mini", "gpt-4o-mini-2024-07-18", 1_721_172_741, JAN_2027, &[]),
    model("gpt-5", "gpt-5-2025-08-07", 1_754_425_777, DEC_2026, EFFORTS_5),
    model("gpt-5-mini", "gpt-5-mini-2025-08-07", 1_754_425_928, DEC_2026, EFFORTS_5),
    model("gpt-5-nano", "gpt-5-nano-2025-08-07", 1_754_426_384, DEC_2026, EFFORTS_5),
    model("gpt-5.1", "gpt-5.1-2025-11-13", 1_762_800_673, APR_2027, EFFORTS_5_1),
    model("gpt-5.4", "gpt-5.4-2026-03-05", 1_772_654_062, None, EFFORTS_LATER),
    model("gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", 1_773_451_123, None, EFFORTS_LATER),
    model("gpt-5.4-nano", "gpt-5.4-nano-2026-03-17", 1_773_451_124, APR_2027, EFFORTS_LATER),
    model("gpt-5.5", "gpt-5.5", 1_777_000_000, None, EFFORTS_LATER),
    model("gpt-5.6-luna", "gpt-5.6-luna", 1_783_000_000, None, EFFORTS_LATER),
    model("gpt-5.6-sol", "gpt-5.6-sol", 1_783_000_000, None, EFFORTS_LATER),
    model("gpt-5.6-terra", "gpt-5.6-terra", 1_783_000_000, None, EFFORTS_LATER),
    model("gpt-6-luna", "gpt-6-luna", 1_789_000_000, None, EFFORTS_LATER),
    model("gpt-6-sol", "gpt-6-sol", 1_789_000_000, None, EFFORTS_LATER),
    model("gpt-6.1-sol", "gpt-6.1-sol", 1_793_000_000, None, EFFORTS_LATER),
    model("gpt-6.1-terra", "gpt-6.1-terra", 1_793_000_000, None, EFFORTS_LATER),
    model("o3", "o3-2025-04-16", 1_744_225_308, DEC_2026, EFFORTS_O),
    model("o4-mini", "o4-mini-2025-04-16", 1_744_225_351, None, EFFORTS_O),
];

/// The model of that id, or whose snapshot has that id.
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.id == id || model.snapshot == id)
}

impl Model {
    pub(crate) fn reasons(&self) -> bool {
        !self.efforts.is_empty()
    }

    /// gpt-5 and later: the family that caches prompts in a batch and refuses sampling parameters.
    pub(crate) fn gpt5_or_later(&self) -> bool {
        self.id.starts_with("gpt-5") || self.id.starts_with("gpt-6")
    }

    /// Whether it is gone at `now` (Unix seconds). Dates compare as UTC midnights.
    pub(crate) fn shut_down(&self, now: i64) -> bool {
        self.shutdown_date.and_then(midnight).is_some_and(|date| now >= date)
    }

    /// Share of wrong answers unless the configuration says otherwise.
    pub(crate) fn error_rate(&self) -> f64 {
        if self.id.ends_with("-mini") {
            0.04
        } else if self.id.ends_with("-nano") {
            0.12
        } else if self.id == "gpt-5.1" {
            0.02
        } else {
            0.06
        }
    }
}

/// Unix seconds of `YYYY-MM-DD` 00:00 UTC (days from civil, H. Hinnant).
fn midnight(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shutdown_dates_are_utc_midnights() {
        assert_eq!(midnight("1970-01-01"), Some(0));
        assert_eq!(midnight("2026-12-11"), Some(1_796_947_200));
        let mini = find("gpt-5-mini").expect("gpt-5-mini is in the roster");
        assert!(!mini.shut_down(1_796_947_199));
        assert!(mini.shut_down(1_796_947_200));
    }

    #[test]
    fn a_snapshot_names_its_model() {
        assert_eq!(find("gpt-5-nano-2025-08-07"), find("gpt-5-nano"));
        assert!(find("gpt-9").is_none());
    }
}
