//! A policy as a [`VerdictModel`]: how likely each of its outcomes is, when what the reviews say is only likely.
//!
//! Of a review the policy sees nothing but which conditions it matches, or how many points it brings ([`Sight`]); reviews that
//! bring the same are merged, so that a business has few states and its probabilities are exact. Given the votes, reviews are
//! taken to be independent of each other, and so are the fields of one relevant review. Not here: where the chances come from.

use std::collections::BTreeMap;

use crate::{date::Date, prng::Prng, trust::certainty::VerdictModel};

use super::{
    CompiledCondition, Judge, is_high_risk, needed, outcome, recency_weight,
    sight::{Mark, Sight, options},
    weigh,
};

/// What a review may say, with probabilities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chances {
    /// That it is relevant.
    pub relevant: f64,
    /// Of every value of every field, in term order, should the review be relevant. A field whose chances sum to less than
    /// 1 is unset for the rest.
    pub fields: Vec<Vec<f64>>,
}

/// What a review adds to what was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Adds {
    /// One to each of these counters.
    Counts(Vec<usize>),
    /// Its points; `None`: no incident.
    Points(Option<i64>),
}

/// What was seen of the reviews so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// Matches by counter, no further than any condition asks.
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
    /// What every condition, rule after rule, asks of which counter.
    asked: Vec<Asked>,
    /// Where every counter stops.
    counted_to: Vec<usize>,
    /// What each review may add, and the probabilities.
    adds: Vec<Vec<Adds>>,
    chances: Vec<Vec<f64>>,
    is_drawn: bool,
}

/// What a condition asks, given how many reviews there are.
#[derive(Clone, Copy)]
enum Asked {
    Always,
    Never,
    /// So many matches, by this counter.
    Count(usize, usize),
}

/// Readings of a review that are drawn where a policy tells too many apart.
const DRAWS: usize = 400;

impl<'a> Outlook<'a> {
    /// The first K reviews of a business, each with its date.
    pub fn new(sight: &Sight<'a>, categories: &str, k: u32, reviews: &[(Chances, Option<Date>)]) -> Self {
        let judge = sight.judge;
        let cuisine = judge.points.as_ref().map_or(0, |points| points.cuisine_points);
        let (mut counters, mut counted_to): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        let asked = judge.conditions().zip(&sight.test_of).map(|((rule, (at, _)), test)| {
            match needed(&judge.policy.rules[rule], *at, k) {
                0 => Asked::Always,
                more if more > reviews.len() => Asked::Never,
                count => {
                    let counter = counters.iter().position(|known| known == test).unwrap_or_else(|| {
                        counters.push(*test);
                        counted_to.push(0);
                        counters.len() - 1
                    });
                    counted_to[counter] = counted_to[counter].max(count);
                    Asked::Count(count, counter)
                }
            }
        });
        let asked = asked.collect();
        let mut outlook = Self {
            judge,
            k,
            cuisine: if is_high_risk(categories) { cuisine } else { 0 },
            asked,
            counted_to,
            adds: Vec::with_capacity(reviews.len()),
            chances: Vec::with_capacity(reviews.len()),
            is_drawn: sight.is_drawn(),
        };
        for (place, (review, date)) in reviews.iter().enumerate() {
            let mut found: BTreeMap<Adds, f64> = BTreeMap::new();
            let mut add =
                |mark: &Mark, chance: f64| *found.entry(outlook.adds(&counters, mark, *date)).or_insert(0.0) += chance;
            match sight.marks(review) {
                Some(marks) => marks.for_each(|(mark, chance)| add(mark, chance)),
                None => {
                    let mut prng = Prng::new(place as u64);
                    for _ in 0..DRAWS {
                        add(&drawn(sight, review, &mut prng), 1.0 / DRAWS as f64);
                    }
                }
            }
            let (adds, chances) = found.into_iter().unzip();
            outlook.adds.push(adds);
            outlook.chances.push(chances);
        }
        outlook
    }

    /// A row of probabilities per review, as [`crate::trust::certainty::certainty`] takes them.
    pub fn items(&self) -> &[Vec<f64>] {
        &self.chances
    }

    /// What a mark adds; `counters` says which test each counter counts.
    fn adds(&self, counters: &[usize], mark: &Mark, date: Option<Date>) -> Adds {
        match (mark, &self.judge.points) {
            (Mark::Tests(matched), _) => {
                Adds::Counts((0..counters.len()).filter(|counter| matched.contains(&counters[*counter])).collect())
            }
            (Mark::Points(Some(points)), Some(scoring)) => {
                Adds::Points(Some(weigh(*points, recency_weight(scoring.scoring, date))))
            }
            (Mark::Points(_), _) => Adds::Points(None),
        }
    }
}

/// What one reading of a review comes to.
fn drawn(sight: &Sight<'_>, review: &Chances, prng: &mut Prng) -> Mark {
    let relevant = prng.next_f64() < review.relevant;
    sight.read(relevant, |field| {
        let (values, chances): (Vec<_>, Vec<f64>) = options(&review.fields[field]).unzip();
        values[prng.categorical(&chances)]
    })
}

impl VerdictModel for Outlook<'_> {
    type State = Seen;

    fn start(&self) -> Seen {
        match self.judge.points {
            Some(_) => Seen::Points { any: false, sum: 0 },
            None => Seen::Counts(vec![0; self.counted_to.len()]),
        }
    }

    fn step(&self, state: &mut Seen, item: usize, category: usize) {
        match (state, &self.adds[item][category]) {
            (Seen::Counts(counts), Adds::Counts(counters)) => {
                for counter in counters {
                    counts[*counter] = (counts[*counter] + 1).min(self.counted_to[*counter]);
                }
            }
            (Seen::Points { any, sum }, Adds::Points(Some(points))) => {
                *any = true;
                *sum = sum.saturating_add(*points);
            }
            // Not an incident; a policy either counts or adds up, never both.
            _ => {}
        }
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
                let is_reached = |place: usize| match self.asked[place] {
                    Asked::Always => true,
                    Asked::Never => false,
                    Asked::Count(count, counter) => counts[counter] >= count,
                };
                let place = |rule: usize, test: &CompiledCondition| {
                    self.judge.conditions().position(|(of, known)| of == rule && known.0 == test.0)
                };
                let held = self.judge.first_rule(|rule, test| place(rule, test).is_some_and(is_reached));
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

    fn draws(&self) -> Option<usize> {
        self.is_drawn.then_some(DRAWS)
    }
}

impl Judge<'_> {
    /// Every checkable condition with the number of its rule, rule after rule.
    pub(super) fn conditions(&self) -> impl Iterator<Item = (usize, &CompiledCondition)> {
        (self.rules.iter().enumerate()).flat_map(|(rule, compiled)| compiled.tests.iter().map(move |test| (rule, test)))
    }

    /// The fields that the policy looks at, by number.
    pub(super) fn fields_read(&self) -> Vec<usize> {
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
}
