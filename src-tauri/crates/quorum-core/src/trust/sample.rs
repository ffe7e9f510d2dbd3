//! Which items to label: 20 to 60, stratified by disagreement and predicted label, with known
//! chances.
//!
//! A third of the sample is drawn from all items alike, the rest from strata of (predicted label,
//! disagreement) in equal parts, so that rare labels and hard items are seen. Every item has a
//! chance, and its inverse is its sampling weight (Horvitz and Thompson 1952, JASA 47), so accuracy
//! over all items stays estimable. Blind: a drawn item carries no prediction. Deliberately not here:
//! asking the person.

use std::collections::BTreeMap;

use serde::Serialize;

use super::aggregate::Posteriors;
use crate::prng::Prng;

/// An item to label. Nothing in it tells what the judges said.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drawn {
    pub item: u32,
    /// The chance that a sample of this design holds the item.
    pub inclusion: f64,
    /// 1 ÷ inclusion: how many items it stands for.
    pub weight: f64,
}

/// Smallest and largest useful sample.
pub const SIZE_MIN: usize = 20;
pub const SIZE_MAX: usize = 60;
/// Part of the sample that is drawn from all items alike.
const RANDOM_PART: f64 = 1.0 / 3.0;
/// An item is disputed where the consensus has less than this probability.
const DISPUTED_BELOW: f64 = 0.8;

/// Draws about `size` items, clamped to 20..=60 and to the number of candidates, in random order.
/// `candidates` are the items that may be labelled, without repeats; `consensus` predicts them.
///
/// Inclusion chances follow the design and sum to the size; systematic sampling over items in random
/// order within strata meets them exactly (Madow 1949).
pub fn draw(consensus: &Posteriors, candidates: &[u32], size: usize, seed: u64) -> Vec<Drawn> {
    let size = size.clamp(SIZE_MIN, SIZE_MAX).min(candidates.len());
    if size == 0 {
        return Vec::new();
    }
    let mut prng = Prng::new(seed);
    let mut order: Vec<u32> = candidates.to_vec();
    order.sort_unstable();
    prng.shuffle_first(&mut order, candidates.len());
    let mut strata: BTreeMap<(usize, bool), Vec<u32>> = BTreeMap::new();
    for &item in &order {
        let disputed = consensus.confidence(item as usize) < DISPUTED_BELOW;
        let stratum = strata.entry((consensus.top(item as usize), disputed));
        stratum.or_default().push(item);
    }
    let chances = inclusions(&strata, candidates.len(), size);
    let mut drawn = Vec::with_capacity(size);
    let mut passed = 0.0;
    let mut next = prng.next_f64();
    for (items, chance) in strata.values().zip(chances) {
        for &item in items {
            passed += chance;
            // The last item's sum may fall short of a whole number by rounding.
            if passed + 1e-9 > next && drawn.len() < size {
                next += 1.0;
                drawn.push(Drawn { item, inclusion: chance, weight: 1.0 / chance });
            }
        }
    }
    let n = drawn.len();
    prng.shuffle_first(&mut drawn, n);
    drawn
}

/// What a label of one of several samples stands for. Each sample was drawn from the items that had no label yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// Which of the samples, in the order they were drawn.
    pub sample: usize,
    /// How many items it stood for there.
    pub weight: f64,
}

/// The weights of labels of several samples, `populations` saying how many items each was drawn from. They sum to the number of
/// labels.
///
/// A sample and the labels before it, which stand for themselves as nothing else could have been drawn in their place, make one
/// estimate about all items; the estimates count by how many labels were new in them. To take a later sample alone for an
/// estimate about all would be biased: hard items are drawn first, and so missing from it.
pub fn pooled(labels: &[Pooled], populations: &[usize]) -> Vec<f64> {
    let mut n = vec![0.0; populations.len()];
    let mut sums = vec![0.0; populations.len()];
    for label in labels {
        n[label.sample] += 1.0;
        sums[label.sample] += label.weight;
    }
    // Per sample, what a label of it and one before it weigh in its estimate.
    let before = |sample: usize| n[..sample].iter().sum::<f64>();
    let known = |sample: usize| n[sample] / (populations[sample] as f64 + before(sample));
    let weight = |label: &Pooled| {
        let own = known(label.sample) * populations[label.sample] as f64 * label.weight / sums[label.sample];
        own + (label.sample + 1..populations.len()).map(known).sum::<f64>()
    };
    labels.iter().map(weight).collect()
}

/// The chance of an item of each stratum: the random part, plus an equal part a stratum. Where that
/// is more than 1 the stratum is taken whole and the others share the rest.
fn inclusions(strata: &BTreeMap<(usize, bool), Vec<u32>>, n_items: usize, size: usize) -> Vec<f64> {
    let sizes: Vec<f64> = strata.values().map(|items| items.len() as f64).collect();
    let random = RANDOM_PART * size as f64 / n_items as f64;
    let equal = (1.0 - RANDOM_PART) * size as f64 / sizes.len() as f64;
    let wanted: Vec<f64> = sizes.iter().map(|n| random + equal / n).collect();
    let mut whole = vec![false; sizes.len()];
    loop {
        let taken: f64 = sizes.iter().zip(&whole).filter(|(_, w)| **w).map(|(n, _)| n).sum();
        let open = |place: &usize| !whole[*place];
        let asked: f64 = (0..sizes.len()).filter(open).map(|p| wanted[p] * sizes[p]).sum();
        let scale = if asked > 0.0 { (size as f64 - taken) / asked } else { 0.0 };
        let over: Vec<usize> = (0..sizes.len()).filter(open).filter(|&place| wanted[place] * scale > 1.0).collect();
        if over.is_empty() {
            return (0..sizes.len())
                .map(|place| if whole[place] { 1.0 } else { (wanted[place] * scale).min(1.0) })
                .collect();
        }
        over.into_iter().for_each(|place| whole[place] = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 items: 900 clear of label 0, 80 disputed of label 0, 20 clear of label 1.
    fn consensus() -> Posteriors {
        let mut posteriors = Posteriors::uniform(1000, 2);
        for item in 0..1000 {
            posteriors.set(
                item,
                match item {
                    0..900 => &[0.95, 0.05],
                    900..980 => &[0.6, 0.4],
                    _ => &[0.1, 0.9],
                },
            );
        }
        posteriors
    }

    #[test]
    fn draws_the_size_once_each_and_reproducibly() {
        let candidates: Vec<u32> = (0..1000).collect();
        let drawn = draw(&consensus(), &candidates, 40, 5);
        assert_eq!(drawn.len(), 40);
        let mut items: Vec<u32> = drawn.iter().map(|one| one.item).collect();
        items.sort_unstable();
        items.dedup();
        assert_eq!(items.len(), 40);
        assert_eq!(drawn, draw(&consensus(), &candidates, 40, 5));
        assert_ne!(drawn, draw(&consensus(), &candidates, 40, 6));
    }

    #[test]
    fn rare_strata_are_seen_and_weights_undo_it() {
        let candidates: Vec<u32> = (0..1000).collect();
        let (mut rare, mut total) = (0.0, 0.0);
        for seed in 0..400 {
            for one in draw(&consensus(), &candidates, 40, seed) {
                total += one.weight / 400.0;
                if one.item >= 980 {
                    rare += one.weight / 400.0;
                    assert!(one.inclusion > 0.4, "20 rare items get a third of 2/3 of 40");
                }
            }
        }
        assert!((total - 1000.0).abs() < 30.0, "{total}");
        assert!((rare - 20.0).abs() < 1.0, "{rare}");
    }

    #[test]
    fn observed_frequencies_match_the_stated_inclusion() {
        let candidates: Vec<u32> = (0..1000).collect();
        let mut seen = vec![0u32; 1000];
        let mut stated = vec![0.0; 1000];
        for seed in 0..2000 {
            for one in draw(&consensus(), &candidates, 30, seed) {
                seen[one.item as usize] += 1;
                stated[one.item as usize] = one.inclusion;
            }
        }
        let disputed: u32 = seen[900..980].iter().sum();
        let expected = 2000.0 * stated[900..980].iter().sum::<f64>();
        assert!((f64::from(disputed) / expected - 1.0).abs() < 0.05, "{disputed} {expected}");
    }

    #[test]
    fn accuracy_from_several_samples_is_that_of_all_items() {
        // The clear ones of label 0 are answered right, the disputed ones wrong, the rare ones right half of the time.
        let consensus = {
            let mut few = Posteriors::uniform(120, 2);
            (0..120).for_each(|item| few.set(item, if item < 84 { &[0.95, 0.05] } else { &[0.6, 0.4] }));
            few
        };
        let right = |item: u32| if item < 84 { 1.0 } else { f64::from(item % 2) };
        let truth = (84.0 + 18.0) / 120.0;
        let (mut pooled_sum, mut apart_sum) = (0.0, 0.0);
        for seed in 0..2000 {
            let mut left: Vec<u32> = (0..120).collect();
            let (mut labels, mut items, mut populations) = (Vec::new(), Vec::new(), Vec::new());
            for sample in 0..2 {
                let drawn = draw(&consensus, &left, 40, seed * 2 + sample as u64);
                populations.push(left.len());
                labels.extend(drawn.iter().map(|one| Pooled { sample, weight: one.weight }));
                items.extend(drawn.iter().map(|one| one.item));
                left.retain(|item| !items.contains(item));
            }
            let mean = |weights: &[f64]| {
                let hits: f64 = weights.iter().zip(&items).map(|(weight, item)| weight * right(*item)).sum();
                hits / weights.iter().sum::<f64>()
            };
            let weights = pooled(&labels, &populations);
            assert!((weights.iter().sum::<f64>() - 80.0).abs() < 1e-9);
            pooled_sum += mean(&weights);
            // As if the second sample were drawn from all items.
            let apart =
                |sample: usize| labels.iter().filter(|one| one.sample == sample).map(|one| one.weight).sum::<f64>();
            let apart: Vec<f64> = labels.iter().map(|one| one.weight / apart(one.sample)).collect();
            apart_sum += mean(&apart);
        }
        assert!((pooled_sum / 2000.0 - truth).abs() < 0.003, "{} is not {truth}", pooled_sum / 2000.0);
        assert!((apart_sum / 2000.0 - truth).abs() > 0.01, "{} shows the bias", apart_sum / 2000.0);
    }

    #[test]
    fn one_sample_weighs_as_it_was_drawn() {
        let labels = [2.0, 6.0].map(|weight| Pooled { sample: 0, weight });
        assert_eq!(pooled(&labels, &[100]), [0.5, 1.5]);
        assert!(pooled(&[], &[]).is_empty());
    }

    #[test]
    fn small_populations_are_taken_whole() {
        let posteriors = Posteriors::uniform(7, 3);
        let drawn = draw(&posteriors, &[0, 1, 2, 3, 4, 5, 6], 40, 1);
        assert_eq!(drawn.len(), 7);
        assert!(drawn.iter().all(|one| (one.weight - 1.0).abs() < 1e-12));
        assert!(draw(&posteriors, &[], 40, 1).is_empty());
    }
}
