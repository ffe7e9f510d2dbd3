//! Verdicts of items that are drawn, where there are too many states to go through.

use super::{CertaintyOptions, DRAWS_MIN, Turn, VerdictModel};
use crate::prng::Prng;

pub(super) struct Simulation {
    pub draws: usize,
    /// How often each verdict came out.
    counts: Vec<u32>,
    /// For each open item, how often each verdict came out with each of its categories.
    by_category: Vec<Vec<u32>>,
}

/// Categories of an item are taken together with their neighbours until so many draws have them: fewer say nothing.
const TOGETHER_MIN: u32 = 100;

impl Simulation {
    /// Draws everything; the categories of the `open` items, in ascending order, are kept count of.
    pub fn new<M: VerdictModel>(model: &M, items: &[Vec<f64>], options: CertaintyOptions, open: &[usize]) -> Self {
        let n_verdicts = model.n_verdicts();
        let mut prng = Prng::new(options.seed);
        let wheels: Vec<Vec<f64>> = items.iter().map(|row| sums(row)).collect();
        let affordable = options.draw_steps_max / items.len().max(1);
        let draws = options.draws.min(affordable.max(DRAWS_MIN)).max(1);
        let mut counts = vec![0; n_verdicts];
        let mut by_category: Vec<Vec<u32>> = open.iter().map(|item| vec![0; items[*item].len() * n_verdicts]).collect();
        let mut drawn = vec![0; items.len()];
        for _ in 0..draws {
            let mut state = model.start();
            for (item, wheel) in wheels.iter().enumerate() {
                drawn[item] = spin(wheel, &mut prng);
                model.step(&mut state, item, drawn[item]);
            }
            let verdict = model.verdict(&state);
            counts[verdict] += 1;
            for (counts, item) in by_category.iter_mut().zip(open) {
                counts[drawn[*item] * n_verdicts + verdict] += 1;
            }
        }
        Self { draws, counts, by_category }
    }

    pub fn probabilities(&self) -> Vec<f64> {
        self.counts.iter().map(|count| f64::from(*count) / self.draws as f64).collect()
    }

    /// What the categories of the open items would lead to: those of the draws that have them.
    pub fn turns(&self, items: &[Vec<f64>], open: &[usize]) -> Vec<(usize, Vec<Turn>)> {
        let of = |(item, counts): (&usize, &Vec<u32>)| (*item, together(&items[*item], counts, self.counts.len()));
        open.iter().zip(&self.by_category).map(of).collect()
    }
}

/// One item's categories, neighbours together where they were seldom drawn.
fn together(row: &[f64], counts: &[u32], n_verdicts: usize) -> Vec<Turn> {
    let mut groups: Vec<(f64, Vec<u32>)> = Vec::new();
    let drawn = |group: &(f64, Vec<u32>)| group.1.iter().sum::<u32>();
    let merge = |group: &mut (f64, Vec<u32>), chance: f64, counts: &[u32]| {
        group.0 += chance;
        group.1.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    };
    for (chance, counts) in row.iter().zip(counts.chunks_exact(n_verdicts)) {
        match groups.last_mut().filter(|group| drawn(group) < TOGETHER_MIN) {
            Some(group) => merge(group, *chance, counts),
            None => groups.push((*chance, counts.to_vec())),
        }
    }
    if groups.len() > 1 && groups.last().is_some_and(|group| drawn(group) < TOGETHER_MIN) {
        let (chance, counts) = groups.pop().expect("more than one");
        merge(groups.last_mut().expect("one is left"), chance, &counts);
    }
    let turn = |(chance, counts): (f64, Vec<u32>)| {
        let n = f64::from(counts.iter().sum::<u32>()).max(1.0);
        let probabilities = counts.iter().map(|count| f64::from(*count) / n).collect();
        // Twice the standard error of a share of one half, the largest there is.
        Turn { chance, probabilities, error: 1.0 / n.sqrt() }
    };
    groups.into_iter().map(turn).collect()
}

/// Running sums of a row.
fn sums(row: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let add = |chance: &f64| {
        sum += chance;
        sum
    };
    row.iter().map(add).collect()
}

/// A category drawn by its chance.
fn spin(wheel: &[f64], prng: &mut Prng) -> usize {
    let total = wheel.last().copied().unwrap_or(0.0);
    let at = prng.next_f64() * total;
    let place = wheel.partition_point(|sum| *sum <= at);
    // Rounding may lead beyond the last one that has a chance.
    place.min(wheel.partition_point(|sum| *sum < total))
}
