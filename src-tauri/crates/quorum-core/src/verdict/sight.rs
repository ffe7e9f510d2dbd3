//! What a policy can tell apart in one review, built field by field.
//!
//! A policy looks at some fields only, and of their values it keeps little: which conditions still match, or the points so far.
//! Readings that agree on that after a field are one from there on, so that a review costs a few sums and not every combination
//! of values. The steps depend on the policy alone and are built once for all reviews. Not here: what reviews add up to
//! ([`super::outlook`]).

use std::collections::HashMap;

use super::{Chances, FieldTest, Judge};

/// What is left of a review for a policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Tests that it matches, by their place in [`Sight::tests`].
    Tests(Vec<usize>),
    /// Its points before they are weighed by age; `None`: no incident.
    Points(Option<i64>),
}

/// Marks beyond which readings are drawn: a policy that tells so many apart comes of no catalog that a person reads.
const MARKS_MAX: usize = 512;
/// Steps, over all fields, that are built before.
const STEPS_MAX: usize = 200_000;

/// A policy with everything that it can tell apart in a review.
pub struct Sight<'a> {
    pub(super) judge: &'a Judge<'a>,
    /// What conditions ask of a judgment, each once: conditions often differ in their count alone.
    tests: Vec<&'a [FieldTest]>,
    /// The test of every condition, rule after rule.
    pub(super) test_of: Vec<usize>,
    /// The fields that the policy looks at, by number.
    fields: Vec<usize>,
    steps: Option<Steps>,
}

struct Steps {
    fields: Vec<FieldSteps>,
    /// Where the last field leads; the first is where a review that is not relevant stands from the start.
    ends: Vec<Mark>,
}

struct FieldSteps {
    field: usize,
    /// The place after the field, for every place before it and every value, the last being unset.
    next: Vec<usize>,
    places: usize,
}

impl<'a> Sight<'a> {
    pub fn new(judge: &'a Judge<'a>) -> Self {
        let mut tests: Vec<&[FieldTest]> = Vec::new();
        let test_of = judge.conditions().map(|(_, (_, wanted))| {
            let known = tests.iter().position(|known| *known == wanted.as_slice());
            known.unwrap_or_else(|| {
                tests.push(wanted);
                tests.len() - 1
            })
        });
        let test_of = test_of.collect();
        let mut sight = Self { judge, tests, test_of, fields: judge.fields_read(), steps: None };
        sight.steps = sight.build();
        sight
    }

    /// Whether the policy tells too much apart to go through it, so that readings are drawn.
    pub(super) fn is_drawn(&self) -> bool {
        self.steps.is_none()
    }

    /// The marks of a review and their chances, which sum to 1; `None` where readings are drawn.
    pub(super) fn marks(&self, chances: &Chances) -> Option<impl Iterator<Item = (&Mark, f64)>> {
        let steps = self.steps.as_ref()?;
        let mut now = vec![0.0, chances.relevant];
        for at in &steps.fields {
            let mut next = vec![0.0; at.places];
            let unset = chances.fields[at.field].len();
            let values: Vec<_> = options(&chances.fields[at.field]).collect();
            for (place, chance) in now.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
                let row = &at.next[place * (unset + 1)..];
                for (value, of_value) in &values {
                    next[row[value.map_or(unset, usize::from)]] += chance * of_value;
                }
            }
            now = next;
        }
        now[0] += 1.0 - chances.relevant;
        Some(steps.ends.iter().zip(now).filter(|(_, chance)| *chance > 0.0))
    }

    /// The mark of one reading of a review; `draw` gives the value of a field.
    pub(super) fn read(&self, relevant: bool, mut draw: impl FnMut(usize) -> Option<u8>) -> Mark {
        if !relevant {
            return self.nothing();
        }
        self.fields.iter().fold(self.start(), |mark, field| self.after(&mark, *field, draw(*field)))
    }

    /// The mark of a review that is not relevant.
    fn nothing(&self) -> Mark {
        if self.judge.points.is_some() { Mark::Points(None) } else { Mark::Tests(Vec::new()) }
    }

    /// The mark of a relevant review before any field is read.
    fn start(&self) -> Mark {
        match &self.judge.points {
            Some(points) => Mark::Points(points.severity_field.map(|_| 0)),
            None => {
                let possible = |test: &usize| self.tests[*test].iter().all(|test| test.field.is_some());
                Mark::Tests((0..self.tests.len()).filter(possible).collect())
            }
        }
    }

    /// The mark after one more field.
    fn after(&self, mark: &Mark, field: usize, value: Option<u8>) -> Mark {
        match (mark, &self.judge.points) {
            (Mark::Tests(matched), _) => {
                let holds = |test: &FieldTest| test.field != Some(field) || test.matches_value(value);
                Mark::Tests(matched.iter().copied().filter(|test| self.tests[*test].iter().all(holds)).collect())
            }
            (Mark::Points(Some(sum)), Some(points)) => {
                Mark::Points(points.of_field(field, value).map(|points| sum.saturating_add(points)))
            }
            (Mark::Points(_), _) => Mark::Points(None),
        }
    }

    fn build(&self) -> Option<Steps> {
        let (mut places, mut fields, mut n_steps) = (vec![self.nothing(), self.start()], Vec::new(), 0);
        // Relevant reviews begin at the second place; the first stays what it is, whatever a field says.
        for field in &self.fields {
            let values = self.judge.schema.fields()[*field].term.values.len();
            let mut after = vec![self.nothing()];
            let mut known = HashMap::from([(self.nothing(), 0)]);
            let mut next = Vec::with_capacity(places.len() * (values + 1));
            for mark in &places {
                for value in (0..=u8::MAX).take(values).map(Some).chain([None]) {
                    let mark = self.after(mark, *field, value);
                    let place = *known.entry(mark.clone()).or_insert(after.len());
                    if place == after.len() {
                        after.push(mark);
                    }
                    next.push(place);
                }
                n_steps += values + 1;
                if after.len() > MARKS_MAX || n_steps > STEPS_MAX {
                    return None;
                }
            }
            fields.push(FieldSteps { field: *field, next, places: after.len() });
            places = after;
        }
        Some(Steps { fields, ends: places })
    }
}

/// The values that a field may have, unset for what is left to 1.
pub(super) fn options(chances: &[f64]) -> impl Iterator<Item = (Option<u8>, f64)> + '_ {
    let left = 1.0 - chances.iter().sum::<f64>();
    let values = (0..=u8::MAX).zip(chances).filter(|(_, chance)| **chance > 0.0);
    let is_empty = chances.iter().all(|chance| *chance <= 0.0);
    // What rounding leaves is not a chance.
    let unset = (left > 1e-9 || is_empty).then_some((None, left.max(0.0)));
    values.map(|(value, chance)| (Some(value), *chance)).chain(unset)
}
