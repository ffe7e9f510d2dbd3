//! What `domain.md`, Policies, says, one small table a rule.

mod outlook;

use std::collections::BTreeMap;

use super::*;
use crate::{
    ids::{PolicyId, TopicId},
    policy::{Check, CheckKind, Condition, Modifier, ModifierMapping, RecencyRule, Rule, Threshold},
    schema::tests::term,
};

fn schema() -> Schema {
    Schema::new([
        term("d", "SEVERITY", &["none", "mild", "severe", "good"]),
        term("d", "CLAIM", &["true", "false"]),
        term("shared", "ACCOUNT_TYPE", &["firsthand", "secondhand"]),
    ])
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn check(kind: CheckKind, values: &[&str], requires: Option<&str>, min_count: u32, by_k: &[(u32, u32)]) -> Condition {
    let check = Check {
        kind,
        filter: vec![("severity".to_owned(), owned(values))],
        requires: requires.iter().map(|value| ("claim".to_owned(), owned(&[value]))).collect(),
        min_count,
        min_count_by_k: by_k.iter().copied().collect(),
    };
    Condition { text: String::new(), check: Some(check) }
}

fn rule(verdict: &str, logic: Logic, conditions: Vec<Condition>) -> Rule {
    let label = verdict.to_uppercase();
    Rule { verdict: verdict.to_owned(), label, logic, conditions, is_default: false }
}

fn policy(rules: Vec<Rule>, scoring: Option<Scoring>) -> Policy {
    let default = Rule { is_default: true, ..rule("low", Logic::Any, Vec::new()) };
    Policy {
        id: PolicyId::from("T_x_V0"),
        topic: TopicId::from("T_x"),
        variant: "V0".to_owned(),
        title: String::new(),
        purpose: String::new(),
        incident_definition: String::new(),
        terms: Vec::new(),
        verdicts: owned(&["low", "high", "top"]),
        // The default comes first: it must wait for the others all the same.
        rules: [default].into_iter().chain(rules).collect(),
        scoring,
    }
}

/// Judgments written as `severity claim account date`, separated by `;`. `-` is unset, a leading `!` is not relevant.
fn judge(policy: &Policy, judgments: &str, categories: &str, k: u32) -> Verdict {
    let schema = schema();
    let judgments: Vec<&str> = judgments.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
    let read = |text: &str| {
        let words: Vec<&str> = text.trim_start_matches('!').split_whitespace().collect();
        let values = (0..3).map(|at| schema.fields()[at].value(words.get(at)?)).collect::<Vec<_>>();
        (values, words.get(3).and_then(|date| Date::read(date)))
    };
    let packed: Vec<_> = judgments.iter().map(|text| read(text)).collect();
    let judgments: Vec<Judgment<'_>> = (0..)
        .zip(judgments.iter().zip(&packed))
        .map(|(review, (text, (values, date)))| Judgment {
            review,
            relevant: !text.starts_with('!'),
            date: *date,
            values,
        })
        .collect();
    Judge::new(policy, &schema).judge(&judgments, categories, k)
}

/// The verdict of a rules policy and the reviews that led to it.
fn by_rules(rules: &[Rule], judgments: &str, k: u32) -> (String, Vec<u32>) {
    let verdict = judge(&policy(rules.to_vec(), None), judgments, "", k);
    assert_eq!(verdict.score, None);
    assert_eq!(verdict.matched_rule, Some(verdict.verdict.to_uppercase()));
    (verdict.verdict, verdict.incidents.iter().map(|incident| incident.review).collect())
}

#[test]
fn the_first_rule_that_holds_decides_and_else_the_default() {
    use CheckKind::{CountThreshold, Exists};
    let severe = || check(Exists, &["severe"], None, 1, &[]);
    let two = || check(CountThreshold, &["mild", "severe"], None, 2, &[]);
    let rules = [rule("top", Logic::All, vec![severe(), two()]), rule("high", Logic::Any, vec![severe(), two()])];
    let cases: [(&str, &str, &[u32]); 7] = [
        ("", "low", &[]),
        ("mild true firsthand", "low", &[]),
        ("severe true firsthand", "high", &[0]),
        ("mild - -; none - -; mild - -", "high", &[0, 2]),
        ("mild - -; severe - -", "top", &[0, 1]),
        // Neither irrelevant judgments nor unset fields count.
        ("!severe - -; !mild - -; !mild - -", "low", &[]),
        ("- true firsthand; mild - -", "low", &[]),
    ];
    for (judgments, verdict, incidents) in cases {
        assert_eq!(by_rules(&rules, judgments, 50), (verdict.to_owned(), incidents.to_vec()), "{judgments}");
    }
}

#[test]
fn counts_by_k_hold_for_exactly_that_k() {
    let condition = check(CheckKind::CountThreshold, &["mild"], None, 3, &[(25, 1), (100, 2)]);
    let rules = [rule("high", Logic::Any, vec![condition])];
    let needed = |k: u32| {
        let reached = |n: &usize| by_rules(&rules, &"mild - -;".repeat(*n), k).0 == "high";
        (0..10).find(reached)
    };
    for (k, expected) in [(25, 1), (100, 2), (50, 3), (24, 3), (26, 3), (200, 3), (7, 3)] {
        assert_eq!(needed(k), Some(expected), "K = {k}");
    }
}

#[test]
fn a_compound_condition_asks_one_judgment_for_both() {
    let rules = [rule("high", Logic::Any, vec![check(CheckKind::Compound, &["severe"], Some("true"), 1, &[])])];
    for (judgments, verdict) in [
        ("severe false firsthand; mild true firsthand", "low"),
        ("severe - firsthand", "low"),
        ("severe true firsthand", "high"),
    ] {
        assert_eq!(by_rules(&rules, judgments, 25).0, verdict, "{judgments}");
    }
}

#[test]
fn conditions_in_words_and_unknown_values_never_decide() {
    let words = Condition { text: "It is bad.".to_owned(), check: None };
    let rules = [rule("top", Logic::All, vec![words.clone()]), rule("high", Logic::Any, vec![words])];
    assert_eq!(by_rules(&rules, "severe true firsthand", 25).0, "low");
    let unknown = [rule("high", Logic::Any, vec![check(CheckKind::Exists, &["dire"], None, 1, &[])])];
    assert_eq!(by_rules(&unknown, "severe true firsthand; - - -", 25).0, "low");
    let mut elsewhere = check(CheckKind::Exists, &["severe"], None, 1, &[]);
    if let Some(check) = &mut elsewhere.check {
        check.filter[0].0 = "mood".to_owned();
    }
    assert_eq!(by_rules(&[rule("high", Logic::Any, vec![elsewhere])], "severe true firsthand", 25).0, "low");
}

fn threshold(verdict: &str, min: Option<i64>, max: Option<i64>) -> Threshold {
    Threshold { verdict: verdict.to_owned(), min_score: min, max_score: max, ..Threshold::default() }
}

fn scoring(thresholds: Vec<Threshold>) -> Scoring {
    let points = |label: &str, points: i64| (label.to_owned(), points);
    let modifier = |label: &str, points| Modifier { label: label.to_owned(), description: String::new(), points };
    let maps = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    Scoring {
        description: String::new(),
        severity_points: vec![points("Mild case", 2), points("Severe case", 15), points("Praise", -5)],
        modifiers: vec![modifier("Broken promise", 5), modifier(CUISINE_MODIFIER, 3), modifier("Never mapped", 100)],
        severity_field: "severity".to_owned(),
        // Labels are compared in any letter case, but whole.
        value_mappings: vec![maps("mild", "MILD case"), maps("severe", "severe CASE"), maps("good", "Praise")],
        modifier_mappings: vec![ModifierMapping {
            field: "claim".to_owned(),
            value: "true".to_owned(),
            label: "broken PROMISE".to_owned(),
        }],
        recency_rules: Vec::new(),
        reference_date: None,
        thresholds,
    }
}

fn score_of(scoring: &Scoring, judgments: &str, categories: &str) -> (i64, usize) {
    let verdict = judge(&policy(Vec::new(), Some(scoring.clone())), judgments, categories, 50);
    assert_eq!(verdict.matched_rule, None);
    (verdict.score.expect("points policies have a score"), verdict.incidents.len())
}

#[test]
fn points_come_from_firsthand_incidents_and_their_modifiers() {
    for (judgments, score, incidents) in [
        ("", 0, 0),
        ("mild false firsthand", 2, 1),
        ("mild true firsthand; severe - firsthand", 22, 2),
        ("mild true secondhand", 0, 0),
        ("mild true -", 0, 0),
        ("!mild true firsthand", 0, 0),
        // `none` is not mapped, so it is no incident and its modifiers do not count either.
        ("none true firsthand", 0, 0),
        ("- true firsthand", 0, 0),
        ("good true firsthand", 0, 1),
    ] {
        assert_eq!(score_of(&scoring(Vec::new()), judgments, ""), (score, incidents), "{judgments}");
    }
}

#[test]
fn without_an_account_type_in_the_schema_every_relevant_judgment_counts() {
    let schema = Schema::new([term("d", "SEVERITY", &["none", "mild"])]);
    let policy = policy(Vec::new(), Some(scoring(Vec::new())));
    let values = [Some(1)];
    let judgment = Judgment { review: 7, relevant: true, date: None, values: &values };
    assert_eq!(Judge::new(&policy, &schema).judge(&[judgment], "", 25).score, Some(2));
}

#[test]
fn a_high_risk_cuisine_counts_once_and_only_beside_an_incident() {
    for (judgments, categories, score) in [
        ("mild - firsthand; mild - firsthand", "Noodles, THAI", 7),
        ("mild - firsthand", "Vietnamese, Chinese, Asian Fusion", 5),
        ("mild - firsthand", "Burgers", 2),
        ("mild - firsthand", "", 2),
        ("none - firsthand", "Thai", 0),
        ("mild - secondhand", "Thai", 0),
        ("good - firsthand", "Pan-asian", -2),
    ] {
        assert_eq!(score_of(&scoring(Vec::new()), judgments, categories).0, score, "{judgments} {categories}");
    }
    let policy = policy(Vec::new(), Some(scoring(Vec::new())));
    assert_eq!(judge(&policy, "mild - firsthand", "Thai", 25).cuisine_modifier, 3);
    assert_eq!(judge(&policy, "none - firsthand", "Thai", 25).cuisine_modifier, 0);
}

#[test]
fn recency_weighs_by_the_first_rule_and_truncates_toward_zero() {
    let rule = |max_age_years: f64, weight: f64| RecencyRule { max_age_years, weight };
    let with_rules = Scoring {
        // 4 years are 1,461 days exactly: the boundary belongs to the rule.
        recency_rules: vec![rule(1.0, 1.0), rule(4.0, 0.5), rule(10.0, 0.25)],
        reference_date: Date::read("2022-01-01"),
        ..scoring(Vec::new())
    };
    for (judgments, score) in [
        ("severe - firsthand 2021-06-01", 15),
        ("severe - firsthand 2023-06-01", 15),
        ("severe - firsthand 2018-01-01", 7),
        ("severe - firsthand 2017-12-31", 3),
        ("severe - firsthand 1999-01-01", 3),
        ("severe - firsthand", 15),
        ("severe - firsthand 2021-02-30", 15),
        // -5 × 0.5 is -2.5, which truncates to -2 and does not round to -3.
        ("good - firsthand 2020-01-01", -2),
        // Each judgment is truncated by itself: 2 × 0.25 twice is nothing.
        ("mild - firsthand 2015-01-01; mild - firsthand 2015-01-01", 0),
    ] {
        assert_eq!(score_of(&with_rules, judgments, "").0, score, "{judgments}");
    }
    let undated = Scoring { reference_date: None, ..with_rules };
    assert_eq!(score_of(&undated, "severe - firsthand 1999-01-01", "").0, 15);
}

#[test]
fn the_highest_minimum_reached_decides_then_the_lowest_maximum_then_the_default() {
    let both = vec![
        threshold("high", Some(2), None),
        threshold("top", Some(15), None),
        threshold("mid", None, Some(-5)),
        threshold("bottom", None, Some(-10)),
    ];
    for (judgments, verdict) in [
        ("", "low"),
        ("mild - firsthand", "high"),
        ("severe - firsthand", "top"),
        ("good - firsthand", "mid"),
        ("good - firsthand; good - firsthand", "bottom"),
        ("good - firsthand; mild - firsthand; mild - firsthand", "low"),
    ] {
        let policy = policy(Vec::new(), Some(scoring(both.clone())));
        assert_eq!(judge(&policy, judgments, "", 50).verdict, verdict, "{judgments}");
    }
}

#[test]
fn thresholds_by_k_hold_for_exactly_that_k() {
    let high = Threshold { min_score_by_k: BTreeMap::from([(25, 2), (100, 15)]), ..threshold("high", Some(4), None) };
    let top = Threshold { max_score_by_k: BTreeMap::from([(25, -5)]), ..threshold("top", None, Some(-100)) };
    let policy = policy(Vec::new(), Some(scoring(vec![high, top])));
    for (judgments, k, verdict) in [
        ("mild - firsthand", 25, "high"),
        ("mild - firsthand", 50, "low"),
        ("mild - firsthand; mild - firsthand", 50, "high"),
        ("mild - firsthand; mild - firsthand", 100, "low"),
        ("severe - firsthand", 100, "high"),
        ("good - firsthand", 25, "top"),
        ("good - firsthand", 7, "low"),
    ] {
        assert_eq!(judge(&policy, judgments, "", k).verdict, verdict, "{judgments} at K = {k}");
    }
}

#[test]
fn the_index_finds_the_verdict_in_the_list() {
    let policy =
        policy(Vec::new(), Some(scoring(vec![threshold("high", Some(1), None), threshold("odd", Some(9), None)])));
    assert_eq!(judge(&policy, "", "", 25).index, Some(0));
    assert_eq!(judge(&policy, "mild - firsthand", "", 25).index, Some(1));
    assert_eq!(judge(&policy, "severe - firsthand", "", 25).index, None);
}
