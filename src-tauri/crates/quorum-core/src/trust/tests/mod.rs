//! Tests of the whole module, on made votes, on values of public packages, and on public vote sets.

mod aggregators;
mod agreement;
mod bad_input;
mod certainty;
mod csv;
mod made_votes;
mod shared_votes;

use super::gold::{Gold, GoldLabel};
use super::matrix::{Judge, Vote, VoteMatrix};
use crate::prng::Prng;

/// A matrix from a table: `votes[item][judge]` is a label code or missing. Judge `i` is run `i` of
/// model `i`.
fn table(n_labels: usize, votes: &[Vec<Option<u16>>]) -> VoteMatrix {
    let n_judges = votes.first().map_or(0, Vec::len);
    let judges = (0..n_judges).map(|judge| Judge::named(format!("judge {judge}")));
    matrix_of(n_labels, judges.collect(), votes)
}

fn matrix_of(n_labels: usize, judges: Vec<Judge>, votes: &[Vec<Option<u16>>]) -> VoteMatrix {
    let mut coded = Vec::new();
    for (item, row) in votes.iter().enumerate() {
        for (judge, label) in row.iter().enumerate() {
            if let Some(label) = *label {
                let (item, judge) = (item as u32, judge as u32);
                coded.push(Vote { item, judge, label });
            }
        }
    }
    let labels = (0..n_labels).map(|label| label.to_string()).collect();
    VoteMatrix::new(votes.len(), judges, labels, &coded).expect("codes are in range")
}

fn gold_of(matrix: &VoteMatrix, labels: impl Iterator<Item = (u32, u16)>) -> Gold {
    let labels = labels.map(|(item, label)| GoldLabel { item, label, weight: 1.0 });
    Gold::new(matrix, labels.collect()).expect("gold fits the matrix")
}

/// Votes of independent judges of the given accuracies on `n_items` of random truth.
fn simulated(n_items: usize, accuracies: &[f64], n_labels: usize, seed: u64) -> (VoteMatrix, Gold) {
    let mut prng = Prng::new(seed);
    let mut truths = Vec::new();
    let mut votes = Vec::new();
    for _ in 0..n_items {
        let truth = prng.below(n_labels);
        truths.push(truth);
        let vote = |accuracy: &f64| {
            let wrong = (truth + 1 + prng.below(n_labels - 1)) % n_labels;
            Some(if prng.next_f64() < *accuracy { truth } else { wrong } as u16)
        };
        votes.push(accuracies.iter().map(vote).collect());
    }
    let matrix = table(n_labels, &votes);
    let labels = truths.iter().enumerate().map(|(item, &truth)| (item as u32, truth as u16));
    let gold = gold_of(&matrix, labels);
    (matrix, gold)
}
