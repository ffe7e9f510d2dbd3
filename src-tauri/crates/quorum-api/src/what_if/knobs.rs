//! Knobs: the numbers of a policy and its ensemble that can be moved.

use quorum_catalog::{Draft, Step};
use quorum_core::{
    ensemble::{Ensemble, EnsembleError, Member},
    policy::{CUISINE_MODIFIER, Check, CheckKind, Policy, Scoring, same_label},
};

use crate::{
    coverage::count,
    dto::{
        business::ThresholdBound,
        error::ApiError,
        what_if::{Knob, KnobKind},
    },
};

/// What a knob moves.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    Threshold { at: usize, bound: ThresholdBound, by_k: bool },
    Severity(usize),
    Modifier(usize),
    Recency(usize),
    Count { rule: usize, condition: usize, by_k: bool },
    Weight(usize),
}

/// A typed value larger than this is a slip.
const VALUE_MAX: f64 = 1_000_000.0;

/// Every knob of a policy at this K, thresholds first, and of the ensemble.
pub(super) fn knobs(policy: &Policy, ensemble: &Ensemble, k: u32) -> Vec<(Knob, Target)> {
    let mut knobs = Vec::new();
    match &policy.scoring {
        Some(scoring) => scoring_knobs(policy, scoring, k, &mut knobs),
        None => count_knobs(policy, k, &mut knobs),
    }
    for (at, member) in ensemble.members().iter().enumerate() {
        let runs = if member.runs > 1 { format!(" ×{}", member.runs) } else { String::new() };
        let knob = Knob {
            knob: format!("weight.{at}"),
            kind: KnobKind::Weight,
            label: format!("{}{runs}", member.model),
            path: format!("ensemble[{}].weight", member.model),
            value: member.weight,
            min: 0.5,
            max: (2.0 * member.weight).max(5.0),
            step: 0.5,
            verdict_index: None,
            bound: None,
        };
        knobs.push((knob, Target::Weight(at)));
    }
    knobs
}

fn scoring_knobs(policy: &Policy, scoring: &Scoring, k: u32, knobs: &mut Vec<(Knob, Target)>) {
    for (at, threshold) in scoring.thresholds.iter().enumerate() {
        let bounds = [
            (ThresholdBound::Min, "min_score", threshold.min(k), threshold.min_score_by_k.contains_key(&k)),
            (ThresholdBound::Max, "max_score", threshold.max(k), threshold.max_score_by_k.contains_key(&k)),
        ];
        for (bound, key, value, by_k) in bounds {
            let Some(value) = value else { continue };
            let place = if by_k { format!("{key}_by_k[{k}]") } else { key.to_owned() };
            let knob = Knob {
                knob: format!("threshold.{at}.{key}"),
                kind: KnobKind::Threshold,
                label: threshold.verdict.clone(),
                path: format!("thresholds[{}].{place}", threshold.verdict),
                verdict_index: verdict_index(policy, &threshold.verdict),
                bound: Some(bound),
                ..points(value)
            };
            knobs.push((knob, Target::Threshold { at, bound, by_k }));
        }
    }
    for (at, (label, value)) in scoring.severity_points.iter().enumerate() {
        let is_given = scoring.value_mappings.iter().any(|(_, mapped)| same_label(mapped, label));
        let knob = Knob {
            knob: format!("points.{at}"),
            kind: KnobKind::Points,
            label: label.clone(),
            path: format!("severity_points[{label}].points"),
            ..points(*value)
        };
        // Points that nothing earns move nothing.
        knobs.extend(is_given.then_some((knob, Target::Severity(at))));
    }
    for (at, modifier) in scoring.modifiers.iter().enumerate() {
        let is_given = same_label(&modifier.label, CUISINE_MODIFIER)
            || scoring.modifier_mappings.iter().any(|mapping| same_label(&mapping.label, &modifier.label));
        let knob = Knob {
            knob: format!("modifier.{at}"),
            kind: KnobKind::Modifier,
            label: modifier.label.clone(),
            path: format!("modifiers[{}].points", modifier.label),
            ..points(modifier.points)
        };
        knobs.extend(is_given.then_some((knob, Target::Modifier(at))));
    }
    let rules = if scoring.reference_date.is_some() { scoring.recency_rules.as_slice() } else { &[] };
    for (at, rule) in rules.iter().enumerate() {
        let until = rule.max_age_years;
        let label = match at.checked_sub(1).map(|before| rules[before].max_age_years) {
            // Reviews older than every rule take the last one's weight.
            Some(from) if at + 1 == rules.len() => format!("Older than {from} years"),
            Some(from) => format!("{from} to {until} years"),
            None if rules.len() == 1 => "Any age".to_owned(),
            None => format!("Up to {until} years"),
        };
        let knob = Knob {
            knob: format!("recency.{at}"),
            kind: KnobKind::Recency,
            label,
            path: format!("recency_rules[max_age_years={until}].weight_multiplier"),
            value: rule.weight,
            min: 0.0,
            max: rule.weight.max(1.0),
            step: 0.05,
            verdict_index: None,
            bound: None,
        };
        knobs.push((knob, Target::Recency(at)));
    }
}

fn count_knobs(policy: &Policy, k: u32, knobs: &mut Vec<(Knob, Target)>) {
    for (rule, known) in policy.rules.iter().enumerate().filter(|(_, rule)| !rule.is_default) {
        for (condition, known) in known.conditions.iter().enumerate() {
            let Some(check) = known.check.as_ref().filter(|check| check.kind != CheckKind::Exists) else { continue };
            let by_k = check.min_count_by_k.contains_key(&k);
            let place = if by_k { format!("min_count_by_k[{k}]") } else { "min_count".to_owned() };
            let value = f64::from(check.needed(k));
            let knob = Knob {
                knob: format!("count.{rule}.{condition}"),
                kind: KnobKind::Count,
                label: known.text.clone(),
                path: format!("rules[{}].conditions[{}].{place}", policy.rules[rule].label, condition + 1),
                value,
                min: 1.0,
                max: (2.0 * value).max(10.0),
                step: 1.0,
                verdict_index: verdict_index(policy, &policy.rules[rule].verdict),
                bound: None,
            };
            knobs.push((knob, Target::Count { rule, condition, by_k }));
        }
    }
}

/// A knob of whole points.
fn points(value: i64) -> Knob {
    #[expect(clippy::cast_precision_loss, reason = "points are small")]
    let value = value as f64;
    Knob {
        knob: String::new(),
        kind: KnobKind::Points,
        label: String::new(),
        path: String::new(),
        value,
        min: (2.0 * value).min(0.0),
        max: (2.0 * value).max(20.0),
        step: 1.0,
        verdict_index: None,
        bound: None,
    }
}

fn verdict_index(policy: &Policy, verdict: &str) -> Option<u32> {
    policy.verdicts.iter().position(|known| known == verdict).map(count)
}

impl Target {
    /// Whether the value makes sense here.
    pub fn check(&self, knob: &Knob, value: f64) -> Result<(), ApiError> {
        let refused = |wanted: &str| {
            Err(ApiError::invalid(format!("{} cannot be {value}.", knob.path)).action(format!("Give {wanted}.")))
        };
        let is_whole = value.fract() == 0.0;
        match self {
            _ if !value.is_finite() || value.abs() > VALUE_MAX => refused("a number of at most 1,000,000"),
            Self::Threshold { .. } | Self::Severity(_) | Self::Modifier(_) if !is_whole => refused("a whole number"),
            Self::Count { .. } if !is_whole || value < 1.0 => refused("a whole number from 1"),
            Self::Recency(_) if value < 0.0 => refused("a number from 0"),
            Self::Weight(_) if value <= 0.0 => refused("a weight above 0"),
            _ => Ok(()),
        }
    }

    /// Moves the policy's number; a weight is no part of it.
    pub fn apply(&self, policy: &mut Policy, k: u32, value: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
        let points = value as i64;
        match (self, &mut policy.scoring) {
            (Self::Count { rule, condition, by_k }, _) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: from 1, small")]
                let needed = value as u32;
                if let Some(Check { min_count, min_count_by_k, .. }) =
                    &mut policy.rules[*rule].conditions[*condition].check
                {
                    if *by_k {
                        min_count_by_k.insert(k, needed);
                    } else {
                        *min_count = needed;
                    }
                }
            }
            (Self::Threshold { at, bound, by_k }, Some(scoring)) => {
                let threshold = &mut scoring.thresholds[*at];
                let (plain, own) = match bound {
                    ThresholdBound::Min => (&mut threshold.min_score, &mut threshold.min_score_by_k),
                    ThresholdBound::Max => (&mut threshold.max_score, &mut threshold.max_score_by_k),
                };
                if *by_k {
                    own.insert(k, points);
                } else {
                    *plain = Some(points);
                }
            }
            (Self::Severity(at), Some(scoring)) => scoring.severity_points[*at].1 = points,
            (Self::Modifier(at), Some(scoring)) => scoring.modifiers[*at].points = points,
            (Self::Recency(at), Some(scoring)) => scoring.recency_rules[*at].weight = value,
            (Self::Weight(_), _) | (_, None) => {}
        }
    }

    /// Moves the number in the policy's file. `false`: it does not stand where such numbers stand.
    pub fn write(&self, draft: &mut Draft, policy: &Policy, k: u32, value: f64) -> bool {
        const SCORING: [Step<'static>; 2] = [Step::Key("normative"), Step::Key("scoring")];
        let k = k.to_string();
        let mut set = |path: &[Step<'_>]| draft.set_number(&[&SCORING, path].concat(), value);
        let scoring = policy.scoring.as_ref();
        // A list of `{label, points}`, or a mapping of labels to points.
        let mut labelled = |key: &'static str, label: &str| {
            set(&[Step::Key(key), Step::Where("label", label), Step::Key("points")])
                || set(&[Step::Key(key), Step::Key(label)])
        };
        match (self, scoring) {
            (Self::Threshold { at, bound, by_k }, _) => {
                let keys = match bound {
                    ThresholdBound::Min => ("min_score", "min_score_by_k"),
                    ThresholdBound::Max => ("max_score", "max_score_by_k"),
                };
                let item = [Step::Key("thresholds"), Step::At(*at)];
                if *by_k {
                    set(&[&item[..], &[Step::Key(keys.1), Step::Key(&k)]].concat())
                } else {
                    set(&[&item[..], &[Step::Key(keys.0)]].concat())
                }
            }
            (Self::Severity(at), Some(scoring)) => labelled("severity_points", &scoring.severity_points[*at].0),
            (Self::Modifier(at), Some(scoring)) => labelled("modifiers", &scoring.modifiers[*at].label),
            (Self::Recency(at), _) => set(&[Step::Key("recency_rules"), Step::At(*at), Step::Key("weight_multiplier")]),
            (Self::Count { rule, condition, by_k }, _) => {
                let place = [Step::Key("decision"), Step::Key("rules"), Step::At(*rule), Step::Key("conditions")];
                let place = [&place[..], &[Step::At(*condition)]].concat();
                let set = |draft: &mut Draft, path: &[Step<'_>]| draft.set_number(&[&place[..], path].concat(), value);
                let is_set = if *by_k {
                    set(draft, &[Step::Key("min_count_by_k"), Step::Key(&k)])
                } else {
                    set(draft, &[Step::Key("min_count")])
                };
                // The condition's words name the old count.
                let words = [&place[..], &[Step::Key("text")]].concat();
                if let Some(text) = draft.text(&words).map(str::to_owned).filter(|_| is_set) {
                    let at_k = if *by_k { format!(" at K = {k}") } else { String::new() };
                    draft.set_text(&words, &format!("{text} Changed here: at least {value}{at_k}."));
                }
                is_set
            }
            (Self::Weight(_), _) | (_, None) => false,
        }
    }
}

/// The ensemble with some weights moved.
pub(super) fn reweighed(ensemble: &Ensemble, weights: &[(usize, f64)]) -> Result<Ensemble, EnsembleError> {
    let mut members: Vec<Member> = ensemble.members().to_vec();
    for (at, weight) in weights {
        members[*at].weight = *weight;
    }
    Ensemble::new(members)
}
