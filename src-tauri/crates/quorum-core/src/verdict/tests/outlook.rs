//! Probabilities of verdicts against going through everything that the reviews may say.

use super::*;
use crate::{
    prng::Prng,
    trust::certainty::{CertaintyOptions, Method, certainty, impacts},
};

/// Random chances over the schema of these tests; a third of the fields are certain, and some may be unset.
fn random_chances(random: &mut Prng) -> Chances {
    let field = |values: usize, random: &mut Prng| -> Vec<f64> {
        let mut chances = vec![0.0; values];
        if random.below(3) == 0 {
            chances[random.below(values)] = 1.0;
            return chances;
        }
        for chance in &mut chances {
            *chance = random.next_f64();
        }
        let unset = if random.below(2) == 0 { random.next_f64() } else { 0.0 };
        let sum: f64 = chances.iter().sum::<f64>() + unset;
        chances.iter_mut().for_each(|chance| *chance /= sum);
        chances
    };
    Chances {
        relevant: if random.below(3) == 0 { 1.0 } else { random.next_f64() },
        fields: vec![field(4, random), field(2, random), field(2, random)],
    }
}

/// Everything that one review may say: relevant, a value or none for each of the three fields, and the chance of it.
fn sayings(chances: &Chances) -> Vec<(bool, Vec<Option<u8>>, f64)> {
    let of = |field: &[f64]| -> Vec<(Option<u8>, f64)> {
        let left = 1.0 - field.iter().sum::<f64>();
        (0..).zip(field).map(|(value, chance)| (Some(value), *chance)).chain([(None, left.max(0.0))]).collect()
    };
    let mut all = vec![(false, vec![None; 3], 1.0 - chances.relevant)];
    for (a, p_a) in of(&chances.fields[0]) {
        for (b, p_b) in of(&chances.fields[1]) {
            for (c, p_c) in of(&chances.fields[2]) {
                all.push((true, vec![a, b, c], chances.relevant * p_a * p_b * p_c));
            }
        }
    }
    all.retain(|(.., chance)| *chance > 0.0);
    all
}

/// The chance of every outcome, by judging every combination as any other judgment is judged.
fn enumerated(judge: &Judge<'_>, categories: &str, k: u32, reviews: &[(Chances, Option<Date>)]) -> Vec<f64> {
    let mut chances = vec![0.0; judge.policy().verdicts.len() + 1];
    let all: Vec<_> = reviews.iter().map(|(review, _)| sayings(review)).collect();
    let mut wheel = vec![0; reviews.len()];
    loop {
        let said: Vec<_> = all.iter().zip(&wheel).map(|(sayings, at)| &sayings[*at]).collect();
        let judgments: Vec<Judgment<'_>> = (0..)
            .zip(said.iter().zip(reviews))
            .map(|(review, ((relevant, values, _), (_, date)))| Judgment {
                review,
                relevant: *relevant,
                date: *date,
                values,
            })
            .collect();
        let verdict = judge.judge(&judgments, categories, k);
        let place = verdict.index.map_or(chances.len() - 1, |index| index as usize);
        chances[place] += said.iter().map(|(.., chance)| chance).product::<f64>();
        let Some(next) = (0..wheel.len()).find(|place| wheel[*place] + 1 < all[*place].len()) else { return chances };
        wheel[next] += 1;
        wheel[..next].fill(0);
    }
}

fn reviews(n: usize, random: &mut Prng) -> Vec<(Chances, Option<Date>)> {
    let date = |at: usize| [Date::read("2024-05-01"), Date::read("2019-05-01"), None][at % 3];
    (0..n).map(|at| (random_chances(random), date(at))).collect()
}

fn equals_enumeration(policy: &Policy, categories: &str, seed: u64) {
    let schema = schema();
    let judge = Judge::new(policy, &schema);
    for (n, case) in [(1, 0), (2, 1), (3, 2), (3, 3)] {
        let reviews = reviews(n, &mut Prng::new(seed + case));
        let outlook = Outlook::new(&Sight::new(&judge), categories, 25, &reviews);
        let found = certainty(&outlook, outlook.items(), CertaintyOptions::default());
        assert_eq!(found.method, Method::Exact);
        let expected = enumerated(&judge, categories, 25, &reviews);
        for (found, expected) in found.probabilities.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-9, "{:?} is not {expected:?}, seed {seed}", found);
        }
        assert!((found.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}

#[test]
fn chances_of_rules_policies_equal_enumeration() {
    use CheckKind::{Compound, CountThreshold, Exists};
    let policy = policy(
        vec![
            rule(
                "top",
                Logic::All,
                vec![
                    check(CountThreshold, &["severe"], None, 9, &[(25, 2)]),
                    check(Compound, &["mild", "severe"], Some("true"), 1, &[]),
                ],
            ),
            rule(
                "high",
                Logic::Any,
                vec![
                    check(CountThreshold, &["mild", "severe"], None, 2, &[]),
                    check(Exists, &["severe"], None, 1, &[]),
                ],
            ),
            rule("elsewhere", Logic::Any, vec![check(Exists, &["good"], None, 1, &[])]),
        ],
        None,
    );
    equals_enumeration(&policy, "", 40);
}

#[test]
fn chances_of_points_policies_equal_enumeration() {
    let scoring = scoring(vec![
        threshold("high", Some(5), None),
        threshold("top", Some(12), None),
        threshold("low", None, Some(1)),
    ]);
    equals_enumeration(&policy(Vec::new(), Some(scoring.clone())), "Thai, Restaurants", 50);
    equals_enumeration(&policy(Vec::new(), Some(scoring)), "Bakeries", 60);
}

#[test]
fn certain_reviews_have_the_verdict_that_is_judged() {
    let schema = schema();
    let policy =
        policy(vec![rule("high", Logic::Any, vec![check(CheckKind::CountThreshold, &["severe"], None, 2, &[])])], None);
    let judge = Judge::new(&policy, &schema);
    let certain = Chances { relevant: 1.0, fields: vec![vec![0.0, 0.0, 1.0, 0.0], vec![1.0, 0.0], vec![1.0, 0.0]] };
    let of = |n: usize| {
        let reviews = vec![(certain.clone(), None); n];
        let outlook = Outlook::new(&Sight::new(&judge), "", 25, &reviews);
        let found = certainty(&outlook, outlook.items(), CertaintyOptions::default());
        (found.verdict(), found.confidence())
    };
    assert_eq!((of(0), of(1), of(2)), ((0, 1.0), (0, 1.0), (1, 1.0)));
}

/// A topic of so many fields of six values, of which a policy reads every one.
fn wide(fields: usize, condition: impl Fn(usize) -> Condition) -> (Schema, Policy) {
    let names: Vec<String> = (0..fields).map(|at| format!("F{at}")).collect();
    let values = ["a", "b", "c", "d", "e", "f"];
    let schema = Schema::new(names.iter().map(|name| term("d", name, &values)));
    (schema, policy(vec![rule("high", Logic::Any, (0..fields).map(condition).collect())], None))
}

fn asks(field: usize, min_count: u32) -> Condition {
    let mut condition = check(CheckKind::CountThreshold, &["c"], None, min_count, &[]);
    condition.check.as_mut().expect("it has one").filter[0].0 = format!("f{field}");
    condition
}

/// Fields of equal chances.
fn even(fields: usize) -> Chances {
    Chances { relevant: 1.0, fields: vec![vec![1.0 / 6.0; 6]; fields] }
}

#[test]
fn conditions_that_one_review_meets_together_cost_no_combinations() {
    // One condition over nine fields: ten million combinations, two marks.
    let (schema, mut policy) = wide(9, |field| asks(field, 1));
    let tests: Vec<_> = policy.rules[1].conditions.drain(..).filter_map(|one| one.check).collect();
    let mut all = tests[0].clone();
    all.filter = tests.iter().flat_map(|check| check.filter.clone()).collect();
    policy.rules[1].conditions.push(Condition { text: String::new(), check: Some(all) });
    let judge = Judge::new(&policy, &schema);
    let reviews = vec![(even(9), None); 50];
    let outlook = Outlook::new(&Sight::new(&judge), "", 50, &reviews);
    assert!(outlook.items().iter().all(|row| row.len() == 2));
    let found = certainty(&outlook, outlook.items(), CertaintyOptions::default());
    assert_eq!(found.method, Method::Exact);
    let none = (1.0 - 6.0_f64.powi(-9)).powi(50);
    assert!((found.probabilities[0] - none).abs() < 1e-12, "{:?}", found.probabilities);
}

#[test]
fn a_policy_that_tells_too_much_apart_is_drawn_and_says_how_far_that_is_off() {
    // Twelve fields of their own condition: 4,096 marks a review, and as many states.
    let (schema, policy) = wide(12, |field| asks(field, 2));
    let judge = Judge::new(&policy, &schema);
    let sight = Sight::new(&judge);
    let outlook = Outlook::new(&sight, "", 5, &vec![(even(12), None); 5]);
    let (found, impacts) = impacts(&outlook, outlook.items(), CertaintyOptions::default());
    assert!(matches!(found.method, Method::Simulated { .. }));
    // No field has "c" twice among five reviews.
    let once: f64 = (5.0_f64 / 6.0).powi(5) + 5.0 / 6.0 * (5.0_f64 / 6.0).powi(4);
    let expected = once.powi(12);
    let (distance, error) = ((found.probabilities[0] - expected).abs(), found.standard_errors[0]);
    assert!(error > 0.001 && error < 0.03 && distance < 3.0 * error, "{found:?} is not {expected}");
    assert_eq!(impacts.len(), 5);
    // Conditions that ask the same with another count are one.
    let (schema, same) = wide(12, |field| asks(0, u32::try_from(field + 1).expect("small")));
    let judge = Judge::new(&same, &schema);
    let outlook = Outlook::new(&Sight::new(&judge), "", 5, &vec![(even(12), None); 5]);
    assert_eq!(certainty(&outlook, outlook.items(), CertaintyOptions::default()).method, Method::Exact);
}
