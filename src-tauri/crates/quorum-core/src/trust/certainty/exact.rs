//! All states that items may lead to, one layer an item, with the chance of each.

use std::collections::HashMap;

use super::{CertaintyOptions, Turn, VerdictModel};

/// A state less likely than this is not followed: 20,000 of them after each of 200 items are less than 1e-11 together.
const CHANCE_MIN: f64 = 1e-18;

/// Where a step leads that is not followed.
const NOWHERE: u32 = u32::MAX;

pub(super) struct Layers {
    /// Before every item; empty unless they were to be kept.
    kept: Vec<Layer>,
    /// After the last item: the chance of every state, and its verdict.
    chances: Vec<f64>,
    verdicts: Vec<usize>,
}

struct Layer {
    chances: Vec<f64>,
    /// The state after the item, for every state and every category.
    next: Vec<u32>,
}

impl Layers {
    /// `None` where states or steps are too many.
    pub fn new<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions, keep: bool) -> Option<Self> {
        let (mut states, mut chances) = (vec![model.start()], vec![1.0]);
        let (mut kept, mut steps) = (Vec::new(), 0);
        for (item, row) in items.iter().enumerate() {
            steps += states.len() * row.len();
            if steps > options.steps_max {
                return None;
            }
            let mut places: HashMap<M::State, u32> = HashMap::new();
            let (mut after, mut after_chances): (Vec<M::State>, Vec<f64>) = (Vec::new(), Vec::new());
            let mut next = vec![NOWHERE; if keep { states.len() * row.len() } else { 0 }];
            for (from, (state, of_state)) in states.iter().zip(&chances).enumerate() {
                if *of_state < CHANCE_MIN {
                    continue;
                }
                for (category, of_category) in row.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
                    let mut to = state.clone();
                    model.step(&mut to, item, category);
                    let new = u32::try_from(after.len()).ok()?;
                    let place = *places.entry(to).or_insert_with_key(|to| {
                        after.push(to.clone());
                        after_chances.push(0.0);
                        new
                    });
                    after_chances[place as usize] += of_state * of_category;
                    if keep {
                        next[from * row.len() + category] = place;
                    }
                }
                if after.len() > options.states_max {
                    return None;
                }
            }
            let before = std::mem::replace(&mut chances, after_chances);
            if keep {
                kept.push(Layer { chances: before, next });
            }
            states = after;
        }
        if states.len() > options.states_max {
            return None;
        }
        let verdicts = states.iter().map(|state| model.verdict(state)).collect();
        Some(Self { kept, chances, verdicts })
    }

    pub fn probabilities(&self, n_verdicts: usize) -> Vec<f64> {
        let mut probabilities = vec![0.0; n_verdicts];
        for (verdict, chance) in self.verdicts.iter().zip(&self.chances) {
            probabilities[*verdict] += chance;
        }
        probabilities
    }

    /// What each category of these items, in ascending order, would lead to. The layers must have been kept.
    pub fn turns(&self, items: &[Vec<f64>], open: &[usize], n_verdicts: usize) -> Vec<(usize, Vec<Turn>)> {
        // From every state of a layer, the probability of each verdict in the end.
        let mut ahead = vec![0.0; self.verdicts.len() * n_verdicts];
        for (state, verdict) in self.verdicts.iter().enumerate() {
            ahead[state * n_verdicts + verdict] = 1.0;
        }
        let mut found = Vec::with_capacity(open.len());
        let mut open = open.iter().rev().peekable();
        for (item, (row, layer)) in items.iter().zip(&self.kept).enumerate().rev() {
            let is_open = open.next_if_eq(&&item).is_some();
            let mut turns = vec![0.0; if is_open { row.len() * n_verdicts } else { 0 }];
            let mut behind = vec![0.0; layer.chances.len() * n_verdicts];
            for (from, of_state) in layer.chances.iter().enumerate() {
                let of_from = &mut behind[from * n_verdicts..][..n_verdicts];
                for (category, of_category) in row.iter().enumerate() {
                    let to = layer.next[from * row.len() + category];
                    if to == NOWHERE {
                        continue;
                    }
                    let ahead = &ahead[to as usize * n_verdicts..][..n_verdicts];
                    of_from.iter_mut().zip(ahead).for_each(|(sum, chance)| *sum += of_category * chance);
                    if is_open {
                        let turn = &mut turns[category * n_verdicts..][..n_verdicts];
                        turn.iter_mut().zip(ahead).for_each(|(sum, chance)| *sum += of_state * chance);
                    }
                }
            }
            ahead = behind;
            if is_open {
                let turns = row.iter().zip(turns.chunks_exact(n_verdicts));
                let turns = turns.filter(|(chance, _)| **chance > 0.0).map(|(chance, probabilities)| Turn {
                    chance: *chance,
                    probabilities: probabilities.to_vec(),
                    error: 0.0,
                });
                found.push((item, turns.collect()));
            }
        }
        found
    }
}
