//! Advice on the ensemble: what each run adds, and what the same money buys otherwise.
//!
//! From the project's own votes only: a run is left out and the consensus is compared, on gold where
//! there is any. Deliberately not here: models that have no votes yet, about which votes say nothing.

use serde::Serialize;

use super::aggregate::weighted_majority;
use super::evaluate::{Accuracy, accuracy};
use super::gold::Gold;
use super::matrix::VoteMatrix;

/// What one run adds to weighted majority.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunValue {
    pub judge: String,
    /// Share of items, in percent, whose consensus changes without the run. Ties that change count
    /// in part.
    pub changed_percent: f64,
    /// Points of accuracy lost without the run, with its 95 % interval; `None` without gold.
    pub lost: Option<Lost>,
    /// Cost of the run's votes in USD, as given.
    pub usd: f64,
    pub words: String,
}

/// A paired difference of accuracy in percentage points; positive means that the run helps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lost {
    pub points: f64,
    pub low: f64,
    pub high: f64,
    pub n: usize,
}

/// An ensemble of some of the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternative {
    /// Judges that stay.
    pub judges: Vec<String>,
    pub usd: f64,
    /// Share of items, in percent, with the same consensus as the whole ensemble.
    pub same_percent: f64,
    /// Accuracy on gold; the choice was made on the same gold, so it flatters a little.
    pub accuracy: Option<Accuracy>,
}

/// All advice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// In judge order.
    pub runs: Vec<RunValue>,
    /// The whole ensemble first, then one run fewer each time, the least missed left out.
    pub alternatives: Vec<Alternative>,
}

/// A run that changes fewer consensus values than this, in percent, adds nothing that can be seen.
const CHANGED_MIN_PERCENT: f64 = 0.5;

/// Advises. `usd` is the cost of every judge's votes, in judge order; missing entries count as 0.
/// The work grows with the square of the number of judges.
pub fn advise(matrix: &VoteMatrix, gold: &Gold, usd: &[f64]) -> Advice {
    let cost = |judge: usize| usd.get(judge).copied().unwrap_or(0.0);
    let mut voted = vec![false; matrix.n_judges()];
    for item in 0..matrix.n_items() {
        matrix.votes(item).for_each(|(judge, _)| voted[judge] = true);
    }
    let mut staying: Vec<usize> = (0..matrix.n_judges()).filter(|&judge| voted[judge]).collect();
    let whole = Consensus::of(matrix, gold, &staying);
    let alternative = |staying: &[usize], consensus: &Consensus| Alternative {
        judges: staying.iter().map(|&j| matrix.judges()[j].name.clone()).collect(),
        usd: staying.iter().map(|&judge| cost(judge)).sum(),
        same_percent: 100.0 - consensus.changed_percent(&whole),
        accuracy: accuracy(consensus.credits.iter().copied()),
    };
    let mut alternatives = vec![alternative(&staying, &whole)];
    let mut runs = Vec::new();
    while staying.len() > 1 {
        let without: Vec<(usize, Consensus)> = (staying.iter())
            .map(|&out| {
                let rest: Vec<usize> = staying.iter().copied().filter(|&j| j != out).collect();
                (out, Consensus::of(matrix, gold, &rest))
            })
            .collect();
        if runs.is_empty() {
            runs = (without.iter()).map(|(out, rest)| run_value(matrix, *out, cost(*out), &whole, rest)).collect();
        }
        let Some((out, rest)) = without.into_iter().min_by(|(a, rest_a), (b, rest_b)| {
            (rest_b.right().total_cmp(&rest_a.right()))
                .then_with(|| {
                    let changed = |rest: &Consensus| rest.changed_percent(&whole);
                    changed(rest_a).total_cmp(&changed(rest_b))
                })
                .then_with(|| cost(*b).total_cmp(&cost(*a)))
                .then(b.cmp(a))
        }) else {
            break;
        };
        staying.retain(|&judge| judge != out);
        alternatives.push(alternative(&staying, &rest));
    }
    Advice { runs, alternatives }
}

/// Weighted majority of some judges.
struct Consensus {
    /// Credit of every item's labels, row by row.
    shares: Vec<Vec<(usize, f64)>>,
    /// (sampling weight, credit) on gold.
    credits: Vec<(f64, f64)>,
}

impl Consensus {
    fn of(matrix: &VoteMatrix, gold: &Gold, staying: &[usize]) -> Self {
        let mut stays = vec![false; matrix.n_judges()];
        staying.iter().for_each(|&judge| stays[judge] = true);
        let rest = matrix.retain_judges(|judge| stays[judge]);
        let posteriors = weighted_majority(&rest);
        let row = |item: usize| -> Vec<(usize, f64)> {
            if rest.n_votes_of_item(item) == 0 {
                return Vec::new();
            }
            (0..matrix.n_labels())
                .map(|label| (label, posteriors.credit(item, label)))
                .filter(|(_, credit)| *credit > 0.0)
                .collect()
        };
        let credit = |gold: &super::gold::GoldLabel| {
            let credit = posteriors.credit(gold.item as usize, usize::from(gold.label));
            (gold.weight, credit)
        };
        Self { shares: (0..matrix.n_items()).map(row).collect(), credits: gold.labels().iter().map(credit).collect() }
    }

    fn right(&self) -> f64 {
        self.credits.iter().map(|(weight, credit)| weight * credit).sum()
    }

    /// Share of the other's answered items that are answered otherwise here.
    fn changed_percent(&self, other: &Self) -> f64 {
        let (mut changed, mut answered) = (0.0, 0.0);
        for (here, there) in self.shares.iter().zip(&other.shares) {
            if there.is_empty() {
                continue;
            }
            answered += 1.0;
            let same: f64 = (here.iter()).flat_map(|a| there.iter().filter(|b| b.0 == a.0).map(|b| a.1.min(b.1))).sum();
            changed += 1.0 - same;
        }
        if answered > 0.0 { 100.0 * changed / answered } else { 0.0 }
    }
}

fn run_value(matrix: &VoteMatrix, out: usize, usd: f64, whole: &Consensus, rest: &Consensus) -> RunValue {
    let changed_percent = rest.changed_percent(whole);
    let lost = lost(whole, rest);
    let words = match lost {
        _ if changed_percent < CHANGED_MIN_PERCENT => format!(
            "Adds nothing that can be seen: without it {changed_percent:.1} % of the consensus \
             changes."
        ),
        None => format!(
            "Without it {changed_percent:.1} % of the consensus changes; whether for better or \
             worse cannot be known without gold labels."
        ),
        Some(lost) if lost.low > 0.0 => {
            format!("Helps: without it accuracy falls by {:.1} points.", lost.points)
        }
        Some(lost) if lost.high < 0.0 => {
            format!("Hurts: without it accuracy rises by {:.1} points.", -lost.points)
        }
        Some(lost) => format!(
            "Whether it helps cannot be told from {} gold labels: without it accuracy moves by \
             {:+.1} points (95 % interval {:+.1} to {:+.1}).",
            lost.n, -lost.points, -lost.high, -lost.low
        ),
    };
    RunValue { judge: matrix.judges()[out].name.clone(), changed_percent, lost, usd, words }
}

fn lost(whole: &Consensus, rest: &Consensus) -> Option<Lost> {
    let pairs = whole.credits.iter().zip(&rest.credits);
    let differences: Vec<(f64, f64)> = pairs.map(|(a, b)| (a.0, a.1 - b.1)).collect();
    let difference = super::evaluate::paired_difference(&differences)?;
    Some(Lost {
        points: 100.0 * difference.mean,
        low: 100.0 * (difference.mean - 1.959_964 * difference.error),
        high: 100.0 * (difference.mean + 1.959_964 * difference.error),
        n: differences.len(),
    })
}
