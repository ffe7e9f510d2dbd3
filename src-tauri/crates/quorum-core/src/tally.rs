//! The tally: the votes of one review settle into a consensus with a confidence per field.
//!
//! Weighted majority, as `domain.md` fixes it. Pure and cheap: consensus is computed when someone looks, never stored.
//! Not here: other aggregators ([`crate::trust`]) and policies ([`crate::verdict`]).

use crate::{
    ensemble::{Ensemble, Member},
    schema::{Schema, VALUES_MAX},
    votes::{ModelNo, VoteRow},
};

/// What the votes of one review settle to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consensus {
    pub relevant: bool,
    /// Winning weight ÷ weight of all votes counted for relevance; 0 without votes.
    pub relevance_confidence: f64,
    pub relevance_tied: bool,
    /// One per field in field order; all unset when the review is not relevant.
    pub fields: Vec<FieldConsensus>,
    /// Votes of the ensemble that are stored.
    pub votes: u32,
    /// Every (model, run) of the ensemble is stored.
    pub complete: bool,
    /// Votes that said relevant and gave no valid value, summed over the fields.
    pub abstentions: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FieldConsensus {
    /// Index in term order; `None`: no valid vote, the field stays unset.
    pub value: Option<u8>,
    /// Winning weight ÷ weight of the votes counted for this field, in (0, 1]; 0 when unset.
    pub confidence: f64,
    pub tied: bool,
    /// A person's correction stands here.
    pub overridden: bool,
}

/// An ensemble with the store's model numbers, ready for many tallies.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Models that the store has never seen are not in here but count for completeness.
    seats: Vec<Seat>,
    pairs: u32,
    /// Sums that differ by no more units than this are a tie: a billionth of all weight, since a third, as it can be written, is
    /// not exactly a third.
    slack: i64,
}

/// Where a model's votes sit.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    pub model: ModelNo,
    pub runs: u8,
    pub weight: f64,
    /// The weight in whole units of the panel: sums of those do not depend on the order of the votes.
    units: i64,
    /// Place of its member in the ensemble, and its own among the member's models: 0 is the one that is asked.
    pub member: usize,
    pub rank: usize,
    /// The models that go before it in the member. A run that one of them has answered is not this model's any more.
    before: Vec<ModelNo>,
}

impl Panel {
    /// `number` gives a model's number, `None` when no vote of it was ever stored.
    pub fn new(ensemble: &Ensemble, number: impl Fn(&str) -> Option<ModelNo>) -> Self {
        let scale = scale(ensemble);
        let seats = ensemble
            .members()
            .iter()
            .enumerate()
            .flat_map(|(member, is)| {
                let known = is.models().enumerate().filter_map(|(rank, model)| Some((rank, number(model.as_str())?)));
                let known: Vec<(usize, ModelNo)> = known.collect();
                let seat = |nth: usize| {
                    let (rank, model) = known[nth];
                    let before = known[..nth].iter().map(|(_, model)| *model).collect();
                    Seat {
                        model,
                        runs: is.runs,
                        weight: is.weight,
                        units: units(is.weight, scale),
                        member,
                        rank,
                        before,
                    }
                };
                (0..known.len()).map(seat).collect::<Vec<_>>()
            })
            .collect();
        let weighs = |member: &Member| i64::from(member.runs) * units(member.weight, scale);
        let total: i64 = ensemble.members().iter().map(weighs).sum();
        Self { seats, pairs: ensemble.requests(), slack: total / 1_000_000_000 }
    }

    /// Where a vote of a review sits; `None` when it does not sit in the panel.
    pub fn seat(&self, row: VoteRow<'_>, model: ModelNo, run: u8) -> Option<&Seat> {
        let seat = self.seats.iter().find(|seat| seat.model == model && (1..=seat.runs).contains(&run))?;
        (!seat.before.iter().any(|before| row.contains(*before, run))).then_some(seat)
    }

    /// The weight of a vote of a review; `None` when it does not count.
    pub fn weight(&self, row: VoteRow<'_>, model: ModelNo, run: u8) -> Option<f64> {
        self.seat(row, model, run).map(|seat| seat.weight)
    }

    /// Whether a review has a vote for a member's run, whichever of its models gave it.
    pub fn has(&self, row: VoteRow<'_>, member: usize, run: u8) -> bool {
        self.seats.iter().filter(|seat| seat.member == member).any(|seat| row.contains(seat.model, run))
    }

    /// Votes that make a review complete.
    pub fn pairs(&self) -> u32 {
        self.pairs
    }
}

/// The heaviest member's weight is counted as so many units, or up to ten times as many.
const UNITS_MIN: f64 = 1e12;

/// Units of a weight of 1: a power of ten, so that 0.1 and 0.2 are 0.3 in units, which they are not as floating-point numbers.
fn scale(ensemble: &Ensemble) -> f64 {
    let heaviest = ensemble.members().iter().map(|member| member.weight).fold(0.0, f64::max);
    let mut scale = UNITS_MIN;
    while heaviest * scale >= 10.0 * UNITS_MIN {
        scale /= 10.0;
    }
    // A weight so small that there is no such scale is no weight that a person gives.
    while heaviest * scale < UNITS_MIN && scale < 1e300 {
        scale *= 10.0;
    }
    scale
}

fn units(weight: f64, scale: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a weight is at most ten times UNITS_MIN in units")]
    let units = (weight * scale).round() as i64;
    units.max(1)
}

fn share(part: i64, total: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the same quotient from the same numbers, whatever it rounds to")]
    let share = part as f64 / total as f64;
    if total > 0 { share } else { 0.0 }
}

/// Settles the votes of one review.
pub fn tally(schema: &Schema, panel: &Panel, row: VoteRow<'_>) -> Consensus {
    let mut consensus = Consensus::default();
    tally_into(schema, panel, row, &mut consensus);
    consensus
}

/// As [`tally`], into a consensus that is there already: nothing is allocated, so that a scan over many reviews costs only
/// the counting.
pub fn tally_into(schema: &Schema, panel: &Panel, row: VoteRow<'_>, consensus: &mut Consensus) {
    let mut weight_of = [0_i64; 2];
    let mut votes = 0;
    for vote in row.iter() {
        if let Some(seat) = panel.seat(row, vote.model, vote.run) {
            weight_of[usize::from(vote.relevant)] += seat.units;
            votes += 1;
        }
    }
    let [against, for_it] = weight_of;
    let total = for_it + against;
    // A tie is relevant; no votes at all are not.
    let relevant = votes > 0 && for_it + panel.slack >= against;
    consensus.relevant = relevant;
    consensus.relevance_confidence = share(for_it.max(against), total);
    consensus.relevance_tied = votes > 0 && (for_it - against).abs() <= panel.slack;
    consensus.fields.clear();
    consensus.fields.resize(schema.fields().len(), FieldConsensus::default());
    consensus.votes = votes;
    consensus.complete = votes == panel.pairs;
    consensus.abstentions = 0;
    if relevant {
        tally_fields(schema, panel, row, consensus);
    }
}

/// Settles the fields from the votes that said relevant, be they the majority or not: a person may have found a review relevant
/// that most votes did not.
pub fn tally_fields(schema: &Schema, panel: &Panel, row: VoteRow<'_>, consensus: &mut Consensus) {
    consensus.abstentions = 0;
    for at in 0..schema.fields().len() {
        let (field, abstentions) = if schema.fields()[at].term.values.len() <= VALUES_USUAL {
            tally_field::<VALUES_USUAL>(schema, panel, row, at)
        } else {
            tally_field::<VALUES_MAX>(schema, panel, row, at)
        };
        consensus.fields[at] = field;
        consensus.abstentions += abstentions;
    }
}

/// Terms up to this many values are counted in a small array: clearing one for [`VALUES_MAX`] takes longer than counting.
const VALUES_USUAL: usize = 16;

/// Weighted majority of one field over the votes that said relevant and gave a valid value, and the abstentions among them.
fn tally_field<const VALUES: usize>(
    schema: &Schema,
    panel: &Panel,
    row: VoteRow<'_>,
    at: usize,
) -> (FieldConsensus, u32) {
    let (field, slot) = (&schema.fields()[at], schema.slot(at));
    let mut weights = [0_i64; VALUES];
    let (mut total, mut abstentions) = (0, 0);
    for vote in row.iter().filter(|vote| vote.relevant) {
        let Some(seat) = panel.seat(row, vote.model, vote.run) else { continue };
        match vote.codes.get(slot).and_then(|code| field.decode(*code)) {
            Some(value) => {
                weights[usize::from(value)] += seat.units;
                total += seat.units;
            }
            None => abstentions += 1,
        }
    }
    let mut winner = FieldConsensus::default();
    let (mut best, mut beats, mut ties) = (0, 0, i64::MAX);
    for (value, weight) in (0..=u8::MAX).zip(&weights[..field.term.values.len()]) {
        if *weight > beats {
            (best, beats, ties) = (*weight, *weight + panel.slack, (*weight - panel.slack).max(1));
            winner.value = Some(value);
            winner.tied = false;
        } else if *weight >= ties {
            // The earlier value keeps the field; the tie is marked.
            winner.tied = true;
        }
    }
    winner.confidence = share(best, total);
    (winner, abstentions)
}

/// A person's correction of a consensus: relevance and values that replace what the vote said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    pub relevant: Option<bool>,
    /// (field number, index of the value in term order)
    pub values: Vec<(usize, u8)>,
}

impl Correction {
    /// Takes in a later correction, which wins field by field.
    ///
    /// A later correction of a value makes a review relevant again that an earlier one called irrelevant, as one alone would.
    pub fn add(&mut self, later: Self) {
        match later.relevant {
            Some(relevant) => self.relevant = Some(relevant),
            None if self.relevant == Some(false) => self.relevant = None,
            None => {}
        }
        self.values.extend(later.values);
    }
}

impl Consensus {
    /// Applies a correction. Corrected values make a review relevant unless the correction says otherwise: who names a
    /// severity has found the review relevant. Corrected fields are certain (confidence 1) and not tied.
    ///
    /// A review that only the correction makes relevant gets its other fields from `settle`: as always, from the votes that said
    /// relevant ([`tally_fields`], or what another aggregator makes of them).
    pub fn correct(&mut self, correction: &Correction, settle: impl FnOnce(&mut Self)) {
        let was_relevant = self.relevant;
        if let Some(relevant) = correction.relevant {
            self.relevant = relevant;
            self.relevance_confidence = 1.0;
            self.relevance_tied = false;
        } else if !correction.values.is_empty() {
            self.relevant = true;
        }
        if !self.relevant {
            self.fields.fill(FieldConsensus::default());
            return;
        }
        if !was_relevant {
            settle(self);
        }
        for (field, value) in &correction.values {
            self.fields[*field] =
                FieldConsensus { value: Some(*value), confidence: 1.0, tied: false, overridden: true };
        }
    }

    /// The least sure of the set fields and the relevance, in (0, 1]; what a person should look at first.
    pub fn least_confidence(&self) -> f64 {
        self.fields
            .iter()
            .filter(|field| field.value.is_some())
            .map(|field| field.confidence)
            .fold(self.relevance_confidence, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ensemble::Member,
        schema::tests::term,
        votes::{Vote, encode, merge},
    };

    const SEVERITIES: [&str; 4] = ["none", "mild", "moderate", "severe"];

    fn schema() -> Schema {
        Schema::new([term("d", "SEVERITY", &SEVERITIES), term("d", "CLAIM", &["true", "false"])])
    }

    /// (relevant, severity)
    type Answer<'a> = (bool, Option<&'a str>);

    /// Members as (weight, votes): one model a member, one run a vote.
    fn settle(members: &[(f64, &[Answer<'_>])]) -> Consensus {
        let (panel, row) = cast(members);
        tally(&schema(), &panel, VoteRow::read(&row).expect("row"))
    }

    /// What [`settle`] counts.
    fn cast(members: &[(f64, &[Answer<'_>])]) -> (Panel, Vec<u8>) {
        let schema = schema();
        let ensemble = Ensemble::new(
            members
                .iter()
                .enumerate()
                .map(|(at, (weight, votes))| Member {
                    model: format!("m{at}").as_str().into(),
                    runs: u8::try_from(votes.len()).expect("few votes"),
                    weight: *weight,
                    replaces: Vec::new(),
                })
                .collect(),
        )
        .expect("ensemble");
        let mut votes = Vec::new();
        for (model, (_, answers)) in (0..).zip(members) {
            for (run, (relevant, severity)) in (1..).zip(*answers) {
                let value = severity.map(|id| schema.fields()[0].value(id).expect("value"));
                let codes = encode(&schema, &[value, None]);
                votes.push(Vote { model: ModelNo(model), run, relevant: *relevant, imported: false, at: 0, codes });
            }
        }
        let mut row = Vec::new();
        merge(VoteRow::empty(), &votes, 2, &mut row);
        (Panel::new(&ensemble, |name| name[1..].parse().ok().map(ModelNo)), row)
    }

    #[test]
    fn the_documented_example() {
        let yes = |severity| (true, Some(severity));
        let consensus = settle(&[
            (3.0, &[yes("moderate")]),
            (2.0, &[yes("mild"), yes("moderate"), yes("moderate")]),
            (1.0, &[yes("moderate"); 5]),
        ]);
        let field = consensus.fields[0];
        assert_eq!((field.value, field.confidence, field.tied), (Some(2), 12.0 / 14.0, false));
        assert!(consensus.complete && consensus.relevant);
    }

    #[test]
    fn relevance_ties_are_relevant_and_field_ties_go_to_the_first_value() {
        let consensus = settle(&[(1.0, &[(true, Some("severe")), (true, Some("mild")), (false, None), (false, None)])]);
        assert!(consensus.relevant && consensus.relevance_tied);
        assert_eq!((consensus.fields[0].value, consensus.fields[0].tied), (Some(1), true));
        assert_eq!(consensus.fields[0].confidence, 0.5);
    }

    #[test]
    fn weights_that_add_up_to_the_same_tie_whatever_the_order_of_the_votes() {
        let (mild, severe, not) = ((true, Some("mild")), (true, Some("severe")), (false, None));
        // As floating-point numbers 0.1 + 0.2 is more than 0.3, and (0.1 + 0.2) + 0.3 is not 0.1 + (0.2 + 0.3).
        let fractions: [(f64, Answer<'_>); 3] = [(0.1, severe), (0.2, severe), (0.3, mild)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let votes = order.map(|at| fractions[at].1);
            let members: Vec<(f64, &[Answer<'_>])> =
                order.iter().zip(&votes).map(|(at, vote)| (fractions[*at].0, std::slice::from_ref(vote))).collect();
            let field = settle(&members).fields[0];
            assert_eq!((field.value, field.tied, field.confidence), (Some(1), true, 0.5), "{order:?}");
        }
        let relevance = settle(&[(0.3, &[severe]), (0.1, &[not]), (0.2, &[not])]);
        assert!(relevance.relevant && relevance.relevance_tied && relevance.relevance_confidence == 0.5);
        // Thirds as a person writes them.
        let thirds = settle(&[(0.333_333_333, &[severe; 3]), (1.0, &[mild])]);
        assert_eq!((thirds.fields[0].value, thirds.fields[0].tied), (Some(1), true));
        // What differs in the sixth place is no tie.
        let near = settle(&[(0.333_334, &[severe; 3]), (1.0, &[mild])]);
        assert_eq!((near.fields[0].value, near.fields[0].tied), (Some(3), false));
    }

    #[test]
    fn irrelevant_votes_do_not_count_for_fields_and_abstentions_are_counted() {
        let consensus = settle(&[(2.0, &[(true, None)]), (1.0, &[(false, Some("severe")), (true, Some("mild"))])]);
        assert_eq!((consensus.fields[0].value, consensus.fields[0].confidence), (Some(1), 1.0));
        // Two relevant votes without a claim, one of them without a severity.
        assert_eq!(consensus.abstentions, 3);
        assert_eq!(consensus.fields[1], FieldConsensus::default());
    }

    #[test]
    fn a_replaced_model_fills_the_runs_that_its_successor_has_not_answered() {
        let ensemble = Ensemble::read("m1=m0:2:3,m2:1").expect("ensemble");
        let panel = Panel::new(&ensemble, |name| name[1..].parse().ok().map(ModelNo));
        let vote = |model, run, severity: &str| {
            let value = schema().fields()[0].value(severity);
            Vote {
                model: ModelNo(model),
                run,
                relevant: true,
                imported: false,
                at: 0,
                codes: encode(&schema(), &[value, None]),
            }
        };
        let check = |votes: &[Vote], counted: u32, complete: bool, severity: u8, confidence: f64| {
            let mut row = Vec::new();
            merge(VoteRow::empty(), votes, 2, &mut row);
            let consensus = tally(&schema(), &panel, VoteRow::read(&row).expect("row"));
            let field = consensus.fields[0];
            assert_eq!((consensus.votes, consensus.complete), (counted, complete));
            assert_eq!((field.value, field.confidence), (Some(severity), confidence));
        };
        // Run 1 from the model that sat here before, run 2 from its successor.
        check(&[vote(0, 1, "mild"), vote(1, 2, "mild"), vote(2, 1, "severe")], 3, true, 1, 6.0 / 7.0);
        // Both answered run 1: the successor's vote counts, once.
        check(&[vote(0, 1, "severe"), vote(1, 1, "mild"), vote(2, 1, "mild")], 2, false, 1, 1.0);
        check(&[vote(0, 1, "mild"), vote(0, 2, "mild"), vote(0, 3, "severe")], 2, false, 1, 1.0);
    }

    #[test]
    fn a_review_without_votes_is_not_relevant_and_not_complete() {
        let panel = Panel::new(&Ensemble::standard(), |_| None);
        let consensus = tally(&schema(), &panel, VoteRow::empty());
        assert!(!consensus.relevant && !consensus.complete && !consensus.relevance_tied);
    }

    #[test]
    fn corrections_win_over_votes() {
        let mut consensus = settle(&[(1.0, &[(false, None)])]);
        consensus.correct(&Correction { relevant: None, values: vec![(0, 3)] }, |_| {});
        assert!(consensus.relevant && consensus.fields[0].overridden);
        assert_eq!(consensus.fields[0].value, Some(3));
        consensus.correct(&Correction { relevant: Some(false), values: Vec::new() }, |_| {});
        assert_eq!((consensus.relevant, consensus.fields[0].value), (false, None));
    }

    #[test]
    fn a_review_that_a_person_found_relevant_has_the_values_of_the_votes_that_did() {
        let members: &[(f64, &[Answer<'_>])] =
            &[(2.0, &[(false, None)]), (1.0, &[(true, Some("mild")), (true, Some("severe")), (true, None)])];
        let members = [members, &[(2.0, &[(false, Some("none"))])]].concat();
        let (panel, row) = cast(&members);
        let (schema, row) = (schema(), VoteRow::read(&row).expect("row"));
        let voted = tally(&schema, &panel, row);
        assert_eq!((voted.relevant, voted.fields[0].value, voted.abstentions), (false, None, 0));

        let settle = |it: &mut Consensus| tally_fields(&schema, &panel, row, it);
        let mut relevant = voted.clone();
        relevant.correct(&Correction { relevant: Some(true), values: Vec::new() }, settle);
        let mild = FieldConsensus { value: Some(1), confidence: 0.5, tied: true, overridden: false };
        assert_eq!((relevant.fields[0], relevant.fields[1]), (mild, FieldConsensus::default()));
        // One without a severity, three without a claim.
        assert_eq!((relevant.relevance_confidence, relevant.abstentions), (1.0, 4));

        // Naming one field settles the others as well.
        let mut named = voted;
        named.correct(&Correction { relevant: None, values: vec![(1, 0)] }, settle);
        assert_eq!((named.fields[0], named.fields[1].value, named.fields[1].overridden), (mild, Some(0), true));
    }
}
