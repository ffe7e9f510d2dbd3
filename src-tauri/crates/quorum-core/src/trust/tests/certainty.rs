//! Verdict probabilities against enumeration of every outcome, and the queue that follows.

use super::super::certainty::*;
use super::super::queue::{StopReason, Unit, queue};
use crate::prng::Prng;

/// Verdict 1 where at least so many items have category 1.
pub struct AtLeast(pub usize);

impl VerdictModel for AtLeast {
    type State = usize;
    fn start(&self) -> usize {
        0
    }
    fn step(&self, state: &mut usize, _: usize, category: usize) {
        *state = (*state + usize::from(category == 1)).min(self.0);
    }
    fn verdict(&self, state: &usize) -> usize {
        usize::from(*state >= self.0)
    }
    fn n_verdicts(&self) -> usize {
        2
    }
}

/// Three ordered verdicts by points, one veto: category 2 worth 3 points, category 1 one, and two
/// of category 2 are always the worst. The state keeps what order the items came in out of it.
struct Points;

impl VerdictModel for Points {
    type State = (i64, u8);
    fn start(&self) -> (i64, u8) {
        (0, 0)
    }
    fn step(&self, (points, twos): &mut (i64, u8), item: usize, category: usize) {
        *points = (*points + [0, 1, 3][category] * (1 + item as i64 % 2)).min(6);
        *twos = (*twos + u8::from(category == 2)).min(2);
    }
    fn verdict(&self, state: &(i64, u8)) -> usize {
        match state {
            (_, 2..) => 2,
            (points, _) if *points >= 6 => 2,
            (points, _) if *points >= 3 => 1,
            _ => 0,
        }
    }
    fn n_verdicts(&self) -> usize {
        3
    }
}

fn random_items(n: usize, n_categories: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut prng = Prng::new(seed);
    (0..n)
        .map(|_| {
            let row: Vec<f64> = (0..n_categories).map(|_| prng.next_f64()).collect();
            let sum: f64 = row.iter().sum();
            row.iter().map(|p| p / sum).collect()
        })
        .collect()
}

/// Adds up every combination of categories.
fn enumerated<M: VerdictModel>(model: &M, items: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; model.n_verdicts()];
    let n_categories = items[0].len();
    for code in 0..n_categories.pow(items.len() as u32) {
        let (mut rest, mut p, mut state) = (code, 1.0, model.start());
        for (item, row) in items.iter().enumerate() {
            let category = rest % n_categories;
            rest /= n_categories;
            p *= row[category];
            model.step(&mut state, item, category);
        }
        sums[model.verdict(&state)] += p;
    }
    sums
}

fn close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < tolerance, "{a} is not {b}");
    }
}

#[test]
fn exact_probabilities_equal_enumeration() {
    for seed in 0..5 {
        let items = random_items(12, 2, seed);
        for threshold in 0..14 {
            let model = AtLeast(threshold);
            let ours = certainty(&model, &items, CertaintyOptions::default());
            assert_eq!(ours.method, Method::Exact);
            let theirs = enumerated(&model, &items);
            close(&ours.probabilities, &theirs, 1e-12);
            let yes: Vec<f64> = items.iter().map(|row| row[1]).collect();
            let counts = count_distribution(&yes);
            let reached = (counts.from..).zip(&counts.chances).filter(|(count, _)| *count >= threshold);
            assert!((reached.map(|(_, chance)| chance).sum::<f64>() - theirs[1]).abs() < 1e-12);
        }
        let items = random_items(9, 3, seed);
        let ours = certainty(&Points, &items, CertaintyOptions::default());
        close(&ours.probabilities, &enumerated(&Points, &items), 1e-12);
    }
}

#[test]
fn simulation_stays_within_its_stated_error() {
    let items = random_items(150, 3, 5);
    let exact = certainty(&Points, &items, CertaintyOptions::default());
    let items_few = random_items(5, 3, 6);
    // With many items there are fewer draws, and so a larger error, which is said.
    for (items, draws) in [(items, 2_666), (items_few, 20_000)] {
        let exactly = certainty(&Points, &items, CertaintyOptions::default());
        let options = CertaintyOptions { states_max: 0, ..CertaintyOptions::default() };
        let drawn = certainty(&Points, &items, options);
        assert_eq!(drawn.method, Method::Simulated { draws });
        for verdict in 0..3 {
            let distance = (drawn.probabilities[verdict] - exactly.probabilities[verdict]).abs();
            assert!(distance <= 4.0 * drawn.standard_errors[verdict]);
        }
        assert_eq!(drawn, certainty(&Points, &items, options), "same seed, same result");
    }
    assert_eq!(exact.method, Method::Exact);
    assert_eq!(exact.standard_errors, [0.0; 3]);
}

#[test]
fn impacts_equal_what_enumeration_says() {
    // Threshold 2: items are sure, near sure, and open.
    let items = vec![vec![0.0, 1.0], vec![0.9, 0.1], vec![0.6, 0.4], vec![1.0, 0.0]];
    let found = impacts(&AtLeast(2), &items, CertaintyOptions::default()).1;
    // Now: P(below 2) = 0.9 * 0.6 = 0.54. Item 2 at 1 gives certainty of the other verdict.
    assert_eq!(found.iter().map(|one| one.item).collect::<Vec<_>>(), [2, 1]);
    close(&[found[0].flip, found[1].flip], &[0.4, 0.1], 1e-12);
    // Item 2: 0.6 * 0.9 + 0.4 * 1 - 0.54.
    close(&[found[0].gain, found[1].gain], &[0.4, 0.1], 1e-12);
    close(&[found[0].movement], &[0.6 * 0.36 + 0.4 * 0.54], 1e-12);
}

#[test]
fn the_queue_sums_over_policies_and_stops() {
    let items = vec![vec![0.6, 0.4], vec![0.95, 0.05]];
    let options = CertaintyOptions::default();
    let (strict, strict_impacts) = impacts(&AtLeast(1), &items, options);
    assert_eq!(strict, certainty(&AtLeast(1), &items, options));
    let unit = Unit { certainty: &strict, impacts: &strict_impacts, reviews: &[70, 71] };
    let both = queue(&[unit.clone(), unit.clone()], 0.1);
    assert_eq!(both.entries[0].review, 70);
    assert!((both.entries[0].expected_changes - 0.8).abs() < 1e-12);
    assert!((both.expected_wrong - 2.0 * 0.43).abs() < 1e-12);
    assert_eq!(both.stop, None);
    assert_eq!(queue(&[unit], 0.5).stop, Some(StopReason::FewWrong));

    let (sure, nothing) = impacts(&AtLeast(1), &[vec![0.0, 1.0]], options);
    let unit = Unit { certainty: &sure, impacts: &nothing, reviews: &[3] };
    assert_eq!(queue(&[unit], 0.0).stop, Some(StopReason::NothingMoves));
}

#[test]
fn labels_that_matter_only_together_stay_in_the_queue() {
    // Two of two needed, each improbable: no single label flips, but the first would open the way.
    let items = vec![vec![0.6, 0.4], vec![0.6, 0.4], vec![0.6, 0.4]];
    let found = impacts(&AtLeast(3), &items, CertaintyOptions::default()).1;
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one.flip == 0.0 && one.movement > 0.0));
}

/// Every impact by the plain way: the certainty of the verdict with each category of each item fixed in turn.
fn fixed_in_turn<M: VerdictModel>(model: &M, items: &[Vec<f64>]) -> Vec<(f64, f64, f64)> {
    let now = enumerated(model, items);
    let highest = |row: &[f64]| row.iter().copied().fold(0.0, f64::max);
    let confidence = highest(&now);
    let verdict = now.iter().position(|p| *p >= confidence).expect("one is highest");
    let of = |item: usize| {
        let (mut flip, mut gain, mut movement) = (0.0, -confidence, 0.0);
        for (category, p) in items[item].iter().enumerate() {
            let mut fixed = items.to_vec();
            fixed[item] = (0..items[item].len()).map(|at| f64::from(u8::from(at == category))).collect();
            let then = enumerated(model, &fixed);
            flip += if then[verdict] + 1e-9 < highest(&then) { *p } else { 0.0 };
            gain += p * highest(&then);
            movement += p * (then[verdict] - confidence).abs();
        }
        (flip, gain.max(0.0), movement)
    };
    (0..items.len()).map(of).collect()
}

#[test]
fn impacts_of_one_pass_equal_those_of_fixing_every_category() {
    let mut prng = Prng::new(9);
    for seed in 0..20 {
        let mut items = random_items(6, 3, 100 + seed);
        // Some are certain, and some lack a category.
        items[prng.below(6)] = vec![0.0, 1.0, 0.0];
        items[prng.below(6)] = vec![0.7, 0.0, 0.3];
        let expected = fixed_in_turn(&Points, &items);
        let (_, found) = impacts(&Points, &items, CertaintyOptions::default());
        let mut seen = vec![(0.0, 0.0, 0.0); items.len()];
        found.iter().for_each(|one| seen[one.item] = (one.flip, one.gain, one.movement));
        for (seen, expected) in seen.iter().zip(&expected) {
            close(&[seen.0, seen.1, seen.2], &[expected.0, expected.1, expected.2], 1e-9);
        }
    }
}

#[test]
fn simulated_impacts_are_near_the_exact_ones_and_leave_nothing_out() {
    let items = random_items(8, 3, 41);
    let exact = impacts(&Points, &items, CertaintyOptions::default());
    let options = CertaintyOptions { steps_max: 10, ..CertaintyOptions::default() };
    let drawn = impacts(&Points, &items, options);
    assert_eq!((exact.0.method, drawn.0.method), (Method::Exact, Method::Simulated { draws: 20_000 }));
    assert_eq!(drawn.1.len(), exact.1.len());
    for one in &drawn.1 {
        let same = exact.1.iter().find(|exact| exact.item == one.item).expect("the same items");
        close(&[one.flip, one.movement], &[same.flip, same.movement], 0.02);
    }
}

/// Counts how often it is asked for a step.
struct Counted(std::cell::Cell<usize>);

impl VerdictModel for Counted {
    type State = usize;
    fn start(&self) -> usize {
        0
    }
    fn step(&self, state: &mut usize, _: usize, category: usize) {
        self.0.set(self.0.get() + 1);
        *state += category;
    }
    fn verdict(&self, state: &usize) -> usize {
        usize::from(*state > 100)
    }
    fn n_verdicts(&self) -> usize {
        2
    }
}

#[test]
fn a_queue_steps_no_more_often_than_the_certainty_alone() {
    let items = random_items(100, 4, 3);
    let steps = |run: &dyn Fn(&Counted)| {
        let model = Counted(std::cell::Cell::new(0));
        run(&model);
        model.0.get()
    };
    let options = CertaintyOptions::default();
    let alone = steps(&|model| drop(certainty(model, &items, options)));
    assert_eq!(steps(&|model| drop(impacts(model, &items, options))), alone);
    // And where there are too many states, both stop and draw.
    let few = CertaintyOptions { steps_max: 500, draws: 10, ..options };
    let bounded = steps(&|model| drop(impacts(model, &items, few)));
    assert!(bounded <= 500 + 10 * items.len(), "{bounded}");
}

#[test]
fn certain_events_cost_a_count_nothing() {
    // 20,000 businesses of which all but 40 are certain, or nearly.
    let p = |at: usize| match at % 500 {
        0 => 0.5,
        odd if odd % 2 == 1 => 1.0 - 1e-20,
        _ => 1e-20,
    };
    let counts = count_distribution(&(0..20_000).map(p).collect::<Vec<_>>());
    assert_eq!((counts.from, counts.chances.len()), (10_000, 41));
    let all: f64 = counts.chances.iter().sum();
    assert!((all - 1.0).abs() < 1e-12, "{all}");
    // 20 of 40 coins: 40! ÷ 20!² ÷ 2⁴⁰.
    let expected = 137_846_528_820.0 / 2.0_f64.powi(40);
    assert!((counts.chances[20] - expected).abs() < 1e-12, "{} is not {expected}", counts.chances[20]);
}

#[test]
fn counts_per_verdict_are_unbiased() {
    let one =
        |p: f64| Certainty { probabilities: vec![1.0 - p, p], standard_errors: vec![0.0; 2], method: Method::Exact };
    // 100 businesses at 0.3 each: none is stated as verdict 1, yet 30 are expected.
    let counts = verdict_counts(&vec![one(0.3); 100], 2);
    assert_eq!((counts[1].stated, counts[0].stated), (0, 100));
    assert!((counts[1].expected - 30.0).abs() < 1e-9);
    // The binomial(100, 0.3) quantiles at 0.025 and 0.975 are 21 and 39.
    assert_eq!((counts[1].low, counts[1].high), (21, 39));
    // Without a business there is nothing to expect, and that is not written −0.
    assert!(verdict_counts(&[], 2)[0].expected.is_sign_positive());
    assert!(queue(&[], 0.5).expected_wrong.is_sign_positive());
}
