//! The review queue by value: which label is expected to change most verdicts, and when to stop.
//!
//! One review may count for several policies; its value is the sum over them. Deliberately not here:
//! showing the queue.

use std::collections::BTreeMap;

use serde::Serialize;

use super::certainty::{Certainty, Impact};

/// One business under one policy, with what each of its reviews could do.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit<'a> {
    pub certainty: &'a Certainty,
    pub impacts: &'a [Impact],
    /// The review behind each item of the impacts, as the caller numbers reviews overall.
    pub reviews: &'a [usize],
}

/// A review to label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueEntry {
    pub review: usize,
    /// Expected number of verdicts that this label changes.
    pub expected_changes: f64,
    /// Expected number of verdicts, right after the label, that are right and were not.
    pub gain: f64,
    /// Expected movement of verdict probabilities; orders labels that only matter together.
    pub movement: f64,
}

/// Whether to go on labelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Queue {
    /// Most valuable first.
    pub entries: Vec<QueueEntry>,
    /// Verdicts expected to be wrong now: the sum of 1 − probability of each stated verdict.
    pub expected_wrong: f64,
    pub stop: Option<StopReason>,
    pub words: String,
}

/// Why another label is not worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// No label can move any verdict.
    NothingMoves,
    /// Fewer verdicts are expected to be wrong than the tolerance.
    FewWrong,
}

/// Movement below which a label is not expected to change anything.
pub const MOVEMENT_MIN: f64 = 0.001;

/// Orders reviews by expected verdict changes, then gain, then movement. `wrong_max` is the number of
/// wrong verdicts to live with, such as 0.5.
pub fn queue(units: &[Unit<'_>], wrong_max: f64) -> Queue {
    let mut by_review: BTreeMap<usize, QueueEntry> = BTreeMap::new();
    for unit in units {
        for impact in unit.impacts {
            let Some(&review) = unit.reviews.get(impact.item) else {
                continue;
            };
            let entry = by_review.entry(review).or_insert(QueueEntry {
                review,
                expected_changes: 0.0,
                gain: 0.0,
                movement: 0.0,
            });
            entry.expected_changes += impact.flip;
            entry.gain += impact.gain;
            entry.movement += impact.movement;
        }
    }
    let mut entries: Vec<QueueEntry> = by_review.into_values().filter(|entry| entry.movement >= MOVEMENT_MIN).collect();
    entries.sort_by(|a, b| {
        (b.expected_changes.total_cmp(&a.expected_changes))
            .then(b.gain.total_cmp(&a.gain))
            .then(b.movement.total_cmp(&a.movement))
            .then(a.review.cmp(&b.review))
    });
    let doubt = |unit: &Unit<'_>| 1.0 - unit.certainty.confidence();
    // The sum of nothing is −0.
    let expected_wrong = units.iter().map(doubt).sum::<f64>() + 0.0;
    let stop = if entries.is_empty() {
        Some(StopReason::NothingMoves)
    } else if expected_wrong <= wrong_max {
        Some(StopReason::FewWrong)
    } else {
        None
    };
    let n = units.len();
    let words = match (stop, entries.first()) {
        (None, Some(first)) => format!(
            "About {expected_wrong:.1} of {n} verdicts are expected to be wrong. The next label \
             changes {:.2} verdicts on average.",
            first.expected_changes
        ),
        (Some(StopReason::FewWrong), _) => format!(
            "About {expected_wrong:.1} of {n} verdicts are expected to be wrong, as few as asked \
             for. Labelling can stop."
        ),
        _ => "No single label is expected to move a verdict. Labelling can stop.".to_owned(),
    };
    Queue { entries, expected_wrong, stop, words }
}
