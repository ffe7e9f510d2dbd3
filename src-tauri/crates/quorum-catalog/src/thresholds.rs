//! Whether the thresholds of a policy lead everywhere and leave nothing out.
//!
//! A policy is looked at for every K that has a number of its own, and once for all others. How scores become verdicts is in
//! `domain.md`, Policies: the highest minimum that is reached, else the lowest maximum that is not exceeded, else the default.

use std::collections::BTreeSet;

use quorum_core::policy::{CUISINE_MODIFIER, Scoring, Threshold};

use crate::{
    problem::{Place, Problems},
    yaml::{Node, quoted},
};

/// Scores from one number to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: i64,
    to: i64,
}

impl Range {
    fn is_empty(self) -> bool {
        self.from > self.to
    }

    fn shown(self) -> String {
        match (self.from, self.to) {
            (i64::MIN, to) => format!("scores up to {to}"),
            (from, i64::MAX) => format!("scores from {from}"),
            (from, to) if from == to => format!("the score {from}"),
            (from, to) => format!("scores from {from} to {to}"),
        }
    }
}

/// Checks the thresholds of `scoring`; `nodes` are where they and the verdicts stand.
pub(crate) fn check(
    scoring: &Scoring,
    default: Option<&str>,
    verdict_nodes: &[&Node],
    threshold_nodes: &[Node],
    place: &Place,
    problems: &mut Problems,
) {
    if scoring.thresholds.is_empty() {
        problems
            .warning(place, "expected `thresholds` in `scoring`; without them every business gets the default verdict");
        return;
    }
    let mut ks: Vec<Option<u32>> = vec![None];
    let of = |t: &Threshold| t.min_score_by_k.keys().chain(t.max_score_by_k.keys()).copied().collect::<Vec<_>>();
    ks.extend(scoring.thresholds.iter().flat_map(of).collect::<BTreeSet<_>>().into_iter().map(Some));
    let (lowest, highest) = score_bounds(scoring);
    for k in ks {
        let outcomes = Outcomes::at(&scoring.thresholds, k);
        // The scores that K reviews can add up to; any number of reviews where no K is meant.
        let reviews = k.map_or(i64::MAX, i64::from);
        let possible = Range { from: lowest.saturating_mul(reviews), to: highest.saturating_mul(reviews) };
        let at = k.map_or_else(String::new, |k| format!(" at K = {k}"));
        for (number, ranges) in outcomes.given.iter().enumerate() {
            let is_reached =
                ranges.iter().any(|range| !range.is_empty() && range.from <= possible.to && range.to >= possible.from);
            if !is_reached && let Some(node) = threshold_nodes.get(number) {
                let verdict = quoted(&scoring.thresholds[number].verdict);
                problems.warning(&node.place, format!("the threshold for {verdict} can never be reached{at}"));
            }
        }
        check_rest(scoring, default, &outcomes, verdict_nodes, place, &at, problems);
    }
}

/// What is left to the default verdict, and verdicts that nothing leads to.
fn check_rest(
    scoring: &Scoring,
    default: Option<&str>,
    outcomes: &Outcomes,
    verdict_nodes: &[&Node],
    place: &Place,
    at: &str,
    problems: &mut Problems,
) {
    let has_threshold = |verdict: &str| scoring.thresholds.iter().any(|threshold| threshold.verdict == verdict);
    if let (Some(rest), Some(default)) = (outcomes.rest, default)
        && has_threshold(default)
    {
        let message =
            format!("the thresholds leave a gap{at}: {} get the default verdict {}", rest.shown(), quoted(default));
        problems.warning(place, message);
    }
    for node in verdict_nodes {
        let Some(verdict) = node.text() else { continue };
        let is_rest = default == Some(verdict) && outcomes.rest.is_some();
        if !is_rest && !has_threshold(verdict) {
            problems.warning(
                &node.place,
                format!(
                    "no threshold and no default gives the verdict {}{at}: it can never be reached",
                    quoted(verdict)
                ),
            );
        }
    }
}

/// Least and most points that one review can add, from above and below: recency may only shrink them, unless a weight is
/// larger than 1.
fn score_bounds(scoring: &Scoring) -> (i64, i64) {
    let base = || scoring.value_mappings.iter().filter_map(|(_, label)| scoring.severity_points(label));
    let added = || {
        scoring
            .modifier_mappings
            .iter()
            .filter_map(|mapping| scoring.modifier(&mapping.label))
            .map(|modifier| modifier.points)
    };
    let cuisine = scoring.modifier(CUISINE_MODIFIER).map_or(0, |modifier| modifier.points);
    let weight = scoring.recency_rules.iter().map(|rule| rule.weight).fold(1.0, f64::max);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a bound for a warning; `as` saturates"
    )]
    let weighted = |points: i64| (points as f64 * weight) as i64;
    let lowest = base().min().unwrap_or(0) + added().filter(|points| *points < 0).sum::<i64>() + cuisine.min(0);
    let highest = base().max().unwrap_or(0) + added().filter(|points| *points > 0).sum::<i64>() + cuisine.max(0);
    (weighted(lowest.min(0)), weighted(highest.max(0)))
}

/// Which scores every threshold gets.
struct Outcomes {
    /// Per threshold: the scores that its minimum gives it, and those that its maximum gives it.
    given: Vec<Vec<Range>>,
    /// The scores that no threshold gets.
    rest: Option<Range>,
}

impl Outcomes {
    fn at(thresholds: &[Threshold], k: Option<u32>) -> Self {
        // 0 is no K, so it asks for the number that holds for all others.
        let k = k.unwrap_or(0);
        let min = |threshold: &Threshold| threshold.min(k);
        let max = |threshold: &Threshold| threshold.max(k);
        let lowest_min = thresholds.iter().filter_map(min).min();
        let below_mins = lowest_min.map_or(i64::MAX, |min| min - 1);
        let given = thresholds.iter().enumerate().map(|(number, threshold)| {
            let mut ranges = Vec::new();
            if let Some(own) = min(threshold)
                && !thresholds[..number].iter().any(|other| min(other) == Some(own))
            {
                let next = thresholds.iter().filter_map(min).filter(|other| *other > own).min();
                ranges.push(Range { from: own, to: next.map_or(i64::MAX, |next| next - 1) });
            }
            if let Some(own) = max(threshold)
                && !thresholds[..number].iter().any(|other| max(other) == Some(own))
            {
                let previous = thresholds.iter().filter_map(max).filter(|other| *other < own).max();
                ranges
                    .push(Range { from: previous.map_or(i64::MIN, |previous| previous + 1), to: own.min(below_mins) });
            }
            ranges
        });
        let above_maxes = thresholds.iter().filter_map(max).max().map_or(i64::MIN, |max| max.saturating_add(1));
        let rest = Range { from: above_maxes, to: below_mins };
        Self { given: given.collect(), rest: (!rest.is_empty()).then_some(rest) }
    }
}
