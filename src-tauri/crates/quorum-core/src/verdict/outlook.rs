//! A policy as a [`VerdictModel`]: how likely each of its outcomes is, when what the reviews say is only likely.
//!
//! Of a review the policy sees nothing but which conditions it matches, or how many points it brings; reviews that bring the
//! same are merged, so that a business has few states and its probabilities are exact. Given the votes, reviews are taken to be
//! independent of each other, and so are the fields of one relevant review. Not here: where the chances come from.

use std::collections::BTreeMap;

use crate::{date::Date, trust::certainty::VerdictModel};

use super::{CompiledCondition, Judge, Judgment, is_high_risk, matches, needed, outcome};

/// What a review may say, with probabilities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chances {
    /// That it is relevant.
    pub relevant: f64,
    /// Of every value of every field, in term order, should the review be relevant. A field whose chances sum to less than
    /// 1 is unset for the rest.
    pub fields: Vec<Vec<f64>>,
}

/// What a policy sees of a review.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// Conditions that it matches, by their place among all of the policy's.
    Conditions(Vec<usize>),
    /// Its points; `None`: no incident.
    Points(Option<i64>),
}

/// What was seen of the reviews so far.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// Matches by condition, counted up to what the condition needs.
    Counts(Vec<usize>),
    Points {
        any: bool,
        sum: i64,
    },
}

/// One business under one policy.
pub struct Outlook<'a> {
    judge: &'a Judge<'a>,
    k: u32,
    /// Points of the business-level modifier, should there be an incident.
    cuisine: i64,
    /// How many matches every condition needs.
    needed: Vec<usize>,
    /// The marks that each review may have, and their probabilities.
    marks: Vec<Vec<Mark>>,
    chances: Vec<Vec<f64>>,
}

impl<'a> Outlook<'a> {
    /// The first K reviews of a business, each with its date.
    pub fn new(judge: &'a Judge<'a>, categories: &str, k: u32, reviews: &[(Chances, Option<Date>)]) -> Self {
        let cuisine = judge.points.as_ref().map_or(0, |points| points.cuisine_points);
        let needed = judge.conditions().map(|(rule, (at, _))| needed(&judge.policy.rules[rule], *at, k)).collect();
        let fields = judge.fields_read();
        let (mut marks, mut chances) = (Vec::with_capacity(reviews.len()), Vec::with_capacity(reviews.len()));
        for (review, date) in reviews {
            let (its_marks, its_chances) = judge.marks(review, *date, &fields).into_iter().unzip();
            marks.push(its_marks);
            chances.push(its_chances);
        }
        Self { judge, k, cuisine: if is_high_risk(categories) { cuisine } else { 0 }, needed, marks, chances }
    }

    /// A row of probabilities per review, as [`crate::trust::certainty::certainty`] takes them.
    pub fn items(&self) -> &[Vec<f64>] {
        &self.chances
    }
}

impl VerdictModel for Outlook<'_> {
    type State = Seen;

    fn start(&self) -> Seen {
        match self.judge.points {
            Some(_) => Seen::Points { any: false, sum: 0 },
            None => Seen::Counts(vec![0; self.needed.len()]),
        }
    }

    fn step(&self, state: &Seen, item: usize, category: usize) -> Seen {
        let mut state = state.clone();
        match (&mut state, &self.marks[item][category]) {
            (Seen::Counts(counts), Mark::Conditions(matched)) => {
                for condition in matched {
                    counts[*condition] = (counts[*condition] + 1).min(self.needed[*condition]);
                }
            }
            (Seen::Points { any, sum }, Mark::Points(Some(points))) => {
                *any = true;
                *sum = sum.saturating_add(*points);
            }
            // Not an incident; a policy either counts or adds up, never both.
            _ => {}
        }
        state
    }

    /// An index into the policy's verdicts; one beyond them where the outcome is none of the list.
    fn verdict(&self, state: &Seen) -> usize {
        let policy = self.judge.policy;
        let default = || policy.default_rule().map_or(policy.verdicts.first(), |rule| Some(&rule.verdict));
        let verdict = match (state, &self.judge.points) {
            (Seen::Points { any, sum }, Some(points)) => {
                let score = sum.saturating_add(if *any { self.cuisine } else { 0 });
                outcome(points.scoring, score, self.k).or_else(|| default().map(String::as_str))
            }
            (Seen::Counts(counts), _) => {
                let reached: Vec<bool> =
                    counts.iter().zip(&self.needed).map(|(count, needed)| count >= needed).collect();
                let place = |rule: usize, test: &CompiledCondition| {
                    self.judge.conditions().position(|(of, known)| of == rule && known.0 == test.0)
                };
                let held = self.judge.first_rule(|rule, test| place(rule, test).is_some_and(|place| reached[place]));
                held.map_or_else(default, |held| Some(&policy.rules[held].verdict)).map(String::as_str)
            }
            // A state of the other kind of policy never comes up.
            (Seen::Points { .. }, None) => None,
        };
        let listed = policy.verdicts.iter().position(|known| Some(known.as_str()) == verdict);
        listed.unwrap_or(policy.verdicts.len())
    }

    fn n_verdicts(&self) -> usize {
        self.judge.policy.verdicts.len() + 1
    }
}

impl Judge<'_> {
    /// Every checkable condition with the number of its rule, rule after rule.
    fn conditions(&self) -> impl Iterator<Item = (usize, &CompiledCondition)> {
        (self.rules.iter().enumerate()).flat_map(|(rule, compiled)| compiled.tests.iter().map(move |test| (rule, test)))
    }

    /// The fields that the policy looks at, by number.
    fn fields_read(&self) -> Vec<usize> {
        let mut fields: Vec<usize> = match &self.points {
            Some(points) => (points.severity_field.into_iter())
                .chain(points.modifiers.iter().map(|(field, ..)| *field))
                .chain(points.firsthand.map(|(field, _)| field))
                .collect(),
            None => self.conditions().flat_map(|(_, (_, tests))| tests.iter().filter_map(|test| test.field)).collect(),
        };
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// What a review may bring, with probabilities that sum to 1.
    fn marks(&self, chances: &Chances, date: Option<Date>, fields: &[usize]) -> Vec<(Mark, f64)> {
        let mut found: BTreeMap<Mark, f64> = BTreeMap::new();
        let mut add = |mark: Mark, chance: f64| {
            if chance > 0.0 {
                *found.entry(mark).or_insert(0.0) += chance;
            }
        };
        let mut values: Vec<Option<u8>> = vec![None; self.schema.fields().len()];
        add(self.mark(false, date, &values), 1.0 - chances.relevant);
        // Every combination of the values that the policy looks at, counted up like an odometer.
        let options: Vec<Vec<(Option<u8>, f64)>> =
            fields.iter().map(|field| options(&chances.fields[*field])).collect();
        let mut wheel = vec![0; fields.len()];
        loop {
            let mut chance = chances.relevant;
            for ((field, options), at) in fields.iter().zip(&options).zip(&wheel) {
                let (value, of_value) = options[*at];
                values[*field] = value;
                chance *= of_value;
            }
            add(self.mark(true, date, &values), chance);
            let Some(next) = (0..wheel.len()).find(|place| wheel[*place] + 1 < options[*place].len()) else { break };
            wheel[next] += 1;
            wheel[..next].fill(0);
        }
        found.into_iter().collect()
    }

    fn mark(&self, relevant: bool, date: Option<Date>, values: &[Option<u8>]) -> Mark {
        let judgment = Judgment { review: 0, relevant, date, values };
        match &self.points {
            Some(points) => Mark::Points(points.score(&judgment).map(|(_, points)| points.weighted)),
            None => {
                let matched = self.conditions().enumerate().filter(|(_, (_, (_, tests)))| matches(&judgment, tests));
                Mark::Conditions(matched.map(|(place, _)| place).collect())
            }
        }
    }
}

/// The values that a field may have, unset for what is left to 1.
fn options(chances: &[f64]) -> Vec<(Option<u8>, f64)> {
    let mut options: Vec<(Option<u8>, f64)> = (0..=u8::MAX)
        .zip(chances)
        .filter(|(_, chance)| **chance > 0.0)
        .map(|(value, chance)| (Some(value), *chance))
        .collect();
    let left = 1.0 - options.iter().map(|(_, chance)| chance).sum::<f64>();
    // What rounding leaves is not a chance.
    if left > 1e-9 || options.is_empty() {
        options.push((None, left.max(0.0)));
    }
    options
}
