//! The probability of each verdict, from the posteriors of the items it counts.
//!
//! Items are independent given the votes. A verdict is a function of what was seen so far (a count,
//! a score, a set of counts) that one item after the other moves on; equal states are merged, so the
//! result is exact as long as states are few (the Poisson binomial and the convolution of scores are
//! special cases: Wang 1993, Statistica Sinica 3; Hong 2013, Computational Statistics and Data
//! Analysis 59). Where they are too many, it is a seeded simulation with its standard error. Either
//! way one pass over the items tells what a label of each could do: forwards the chance of every
//! state, backwards the verdicts that it leads to. Deliberately not here: any policy.

use std::hash::Hash;

use serde::Serialize;

use self::{exact::Layers, simulated::Simulation};

mod counts;
mod exact;
mod simulated;

pub use counts::{VerdictCount, count_distribution, verdict_counts};

/// How items lead to a verdict.
pub trait VerdictModel {
    /// What has to be known of the items seen so far. Merge all that cannot change the verdict any
    /// more, such as a count above its threshold.
    type State: Eq + Hash + Clone;

    fn start(&self) -> Self::State;
    /// Takes into the state that `item` turned out to be `category`.
    fn step(&self, state: &mut Self::State, item: usize, category: usize);
    /// The verdict, in `0..n_verdicts`.
    fn verdict(&self, state: &Self::State) -> usize;
    fn n_verdicts(&self) -> usize;

    /// Where the items' probabilities are themselves shares of draws: of how many each.
    fn draws(&self) -> Option<usize> {
        None
    }
}

/// How probabilities were computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Exact,
    Simulated { draws: usize },
}

/// Probability of every verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certainty {
    pub probabilities: Vec<f64>,
    /// Standard error per verdict; 0 where exact.
    pub standard_errors: Vec<f64>,
    pub method: Method,
}

impl Certainty {
    /// The most probable verdict; the first where several tie.
    pub fn verdict(&self) -> usize {
        let highest = self.confidence();
        let found = self.probabilities.iter().position(|&p| p >= highest);
        found.unwrap_or(0)
    }

    /// The probability of the most probable verdict.
    pub fn confidence(&self) -> f64 {
        highest(&self.probabilities)
    }

    /// Exact but for items that were drawn. Independent draws of every item err no more than as many draws of all of them
    /// together would: of the parts that the variance falls into, each is divided by the draws at least once.
    fn exactly(probabilities: Vec<f64>, items_drawn: Option<usize>) -> Self {
        let (errors, method) = match items_drawn {
            None => (vec![0.0; probabilities.len()], Method::Exact),
            Some(draws) => (standard_errors(&probabilities, draws), Method::Simulated { draws }),
        };
        Self { standard_errors: errors, probabilities, method }
    }

    fn simulated(probabilities: Vec<f64>, draws: usize, items_drawn: Option<usize>) -> Self {
        let both = items_drawn.map_or(draws, |items| draws * items / (draws + items));
        Self {
            standard_errors: standard_errors(&probabilities, both),
            probabilities,
            method: Method::Simulated { draws },
        }
    }
}

/// One draw more of each outcome, so that a verdict never drawn has an error above 0.
fn standard_errors(probabilities: &[f64], draws: usize) -> Vec<f64> {
    let n = draws.max(1) as f64;
    let of = |p: &f64| (p * n + 1.0) / (n + 2.0);
    probabilities.iter().map(of).map(|p| (p * (1.0 - p) / n).sqrt()).collect()
}

fn highest(probabilities: &[f64]) -> f64 {
    probabilities.iter().copied().fold(0.0, f64::max)
}

/// Draws that a simulation has at least: the standard error of a probability of one half is 1.1 % then.
pub const DRAWS_MIN: usize = 2_000;

/// When to give up on exactness, and how to simulate then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CertaintyOptions {
    /// States after an item.
    pub states_max: usize,
    /// Steps from state to state, over all items: what it costs.
    pub steps_max: usize,
    /// At most, where there are few items.
    pub draws: usize,
    /// Steps of all draws together: with many items there are fewer draws, though never fewer than [`DRAWS_MIN`].
    pub draw_steps_max: usize,
    pub seed: u64,
    /// Items that cannot move the verdict's probability by more than this are left out of [`impacts`].
    pub movement_min: f64,
}

impl Default for CertaintyOptions {
    fn default() -> Self {
        // A tenth of a second of one core each: a project has hundreds of businesses times policies, and a person waits.
        Self {
            states_max: 20_000,
            steps_max: 400_000,
            draws: 20_000,
            draw_steps_max: 400_000,
            seed: 1,
            movement_min: IMPACT_MIN,
        }
    }
}

/// Probability of every verdict. `items` holds a row of category probabilities an item; rows sum to
/// 1.
pub fn certainty<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions) -> Certainty {
    match Layers::new(model, items, options, false) {
        Some(layers) => Certainty::exactly(layers.probabilities(model.n_verdicts()), model.draws()),
        None => {
            let simulation = Simulation::new(model, items, options, &[]);
            Certainty::simulated(simulation.probabilities(), simulation.draws, model.draws())
        }
    }
}

/// What an item could do to the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Impact {
    pub item: usize,
    /// Probability that labelling the item changes the most probable verdict.
    pub flip: f64,
    /// Expected gain in the probability that the most probable verdict is right.
    pub gain: f64,
    /// Expected size of the move of the current verdict's probability, in either direction. Above 0
    /// also where two labels are needed to change anything.
    pub movement: f64,
}

/// Below this an impact is rounding.
const IMPACT_MIN: f64 = 1e-9;

/// The verdicts' probabilities, should an item turn out to be one of some categories.
struct Turn {
    /// That it does.
    chance: f64,
    probabilities: Vec<f64>,
    /// How far the probabilities may be off without meaning anything.
    error: f64,
}

/// [`certainty`], and what labelling each single item could do: those that can do anything, largest flip first.
pub fn impacts<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions) -> (Certainty, Vec<Impact>) {
    // A label moves the probability by no more than twice the chance that it is not the most likely one: the likely label by
    // 1 − p in p cases, the others by at most 1 in 1 − p. The same bound holds for the verdict.
    let is_open = |highest: f64| 2.0 * (1.0 - highest) > options.movement_min;
    let open: Vec<usize> = (0..items.len()).filter(|item| is_open(highest(&items[*item]))).collect();
    let (now, turns) = match Layers::new(model, items, options, true) {
        Some(layers) => {
            let now = Certainty::exactly(layers.probabilities(model.n_verdicts()), model.draws());
            let turns =
                if is_open(now.confidence()) { layers.turns(items, &open, model.n_verdicts()) } else { Vec::new() };
            (now, turns)
        }
        None => {
            let simulation = Simulation::new(model, items, options, &open);
            let now = Certainty::simulated(simulation.probabilities(), simulation.draws, model.draws());
            let turns = if is_open(now.confidence()) { simulation.turns(items, &open) } else { Vec::new() };
            (now, turns)
        }
    };
    let mut found: Vec<Impact> = (turns.iter())
        .map(|(item, turns)| impact(*item, &now, turns))
        .filter(|impact| impact.movement > options.movement_min)
        .collect();
    found.sort_by(|a, b| (b.flip.total_cmp(&a.flip)).then(b.movement.total_cmp(&a.movement)).then(a.item.cmp(&b.item)));
    (now, found)
}

fn impact(item: usize, now: &Certainty, turns: &[Turn]) -> Impact {
    let (verdict, confidence) = (now.verdict(), now.confidence());
    let mut impact = Impact { item, flip: 0.0, gain: 0.0, movement: 0.0 };
    for turn in turns {
        let (stays, best) = (turn.probabilities[verdict], highest(&turn.probabilities));
        if stays + turn.error.max(IMPACT_MIN) < best {
            impact.flip += turn.chance;
            // What the others gain and lose cancels out: without a flip the verdict is as likely right as it was.
            impact.gain += turn.chance * (best - stays);
        }
        impact.movement += turn.chance * (stays - confidence).abs();
    }
    impact
}
