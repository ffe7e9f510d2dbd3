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
pub(crate) fn check<'a>(
    scoring: &Scoring,
    default: Option<&str>,
    verdict_nodes: &[&'a Node],
    threshold_nodes: &'a [Node],
    place: &'a Place,
    problems: &mut Problems,
) {
    if scoring.thresholds.is_empty() {
        problems
            .warning(place, "expected `thresholds` in `scoring`; without them every business gets the default verdict");
        return;
    }
    let by_k = |threshold: &Threshold| [threshold.min_score_by_k.clone(), threshold.max_score_by_k.clone()];
    let own: BTreeSet<u32> = scoring.thresholds.iter().flat_map(by_k).flat_map(|by_k| by_k.into_keys()).collect();
    // Last comes what holds for every K without a number of its own.
    let ks: Vec<Option<u32>> = own.into_iter().map(Some).chain([None]).collect();
    let mut findings = Findings { list: Vec::new() };
    for k in &ks {
        unreached(scoring, *k, threshold_nodes, &mut findings);
        unsaid(scoring, *k, default, verdict_nodes, place, &mut findings);
    }
    findings.report(&ks, problems);
}

/// What is wrong, with the K that it is wrong at.
struct Findings<'a> {
    list: Vec<(&'a Place, String, Vec<Option<u32>>)>,
}

impl<'a> Findings<'a> {
    fn add(&mut self, place: &'a Place, message: String, k: Option<u32>) {
        match self.list.iter_mut().find(|(known, text, _)| *known == place && *text == message) {
            Some((.., ks)) => ks.push(k),
            None => self.list.push((place, message, vec![k])),
        }
    }

    fn report(self, all: &[Option<u32>], problems: &mut Problems) {
        for (place, message, ks) in self.list {
            let named: Vec<String> = ks.iter().flatten().map(u32::to_string).collect();
            let at = match (ks.contains(&None), named.join(", ")) {
                _ if ks.len() == all.len() => String::new(),
                (true, named) if named.is_empty() => ", except at a K with numbers of its own".to_owned(),
                (true, named) => format!(" at K = {named} and every K without numbers of its own"),
                (false, named) => format!(" at K = {named}"),
            };
            problems.warning(place, format!("{message}{at}"));
        }
    }
}

/// Thresholds that no score leads to.
fn unreached<'a>(scoring: &Scoring, k: Option<u32>, threshold_nodes: &'a [Node], findings: &mut Findings<'a>) {
    let (lowest, highest) = score_bounds(scoring);
    // The scores that K reviews can add up to; any number of reviews where no K is meant.
    let reviews = k.map_or(i64::MAX, i64::from);
    let possible = Range { from: lowest.saturating_mul(reviews), to: highest.saturating_mul(reviews) };
    let outcomes = Outcomes::at(&scoring.thresholds, k);
    for ((threshold, ranges), node) in scoring.thresholds.iter().zip(&outcomes.given).zip(threshold_nodes) {
        let is_possible = |range: &Range| !range.is_empty() && range.from <= possible.to && range.to >= possible.from;
        if !ranges.iter().any(is_possible) {
            let verdict = quoted(&threshold.verdict);
            findings.add(&node.place, format!("the threshold for {verdict} can never be reached"), k);
        }
    }
}

/// Scores that only the default verdict covers although it has thresholds of its own, and verdicts that nothing gives.
fn unsaid<'a>(
    scoring: &Scoring,
    k: Option<u32>,
    default: Option<&str>,
    verdict_nodes: &[&'a Node],
    place: &'a Place,
    findings: &mut Findings<'a>,
) {
    let rest = Outcomes::at(&scoring.thresholds, k).rest;
    let has_threshold = |verdict: &str| scoring.thresholds.iter().any(|threshold| threshold.verdict == verdict);
    if let (Some(rest), Some(default)) = (rest, default)
        && has_threshold(default)
    {
        let message = format!(
            "the thresholds leave a gap: the default verdict {} is taken for {}",
            quoted(default),
            rest.shown()
        );
        findings.add(place, message, k);
    }
    for node in verdict_nodes {
        let Some(verdict) = node.text() else { continue };
        let is_rest = default == Some(verdict) && rest.is_some();
        if !is_rest && !has_threshold(verdict) {
            findings.add(
                &node.place,
                format!("no score leads to the verdict {}: it can never be reached", quoted(verdict)),
                k,
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
