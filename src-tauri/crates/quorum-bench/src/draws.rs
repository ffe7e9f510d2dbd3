//! Random draws from a seed: the same seed gives the same files on every machine.

use quorum_core::prng::Prng;

#[derive(Clone, Debug)]
pub struct Draws(Prng);

impl Draws {
    /// A stream of its own for each (seed, place), so that a file does not depend on the ones before it.
    pub fn new(seed: u64, place: u64) -> Self {
        let mut draws = Self(Prng::new(seed ^ place.wrapping_mul(0xd134_2543_de82_ef95)));
        draws.next();
        draws
    }

    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 0 to `bound - 1`; 0 for an empty range.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The upper half of a product: biased by less than bound ÷ 2^64.
        u64::try_from((u128::from(self.next()) * u128::from(bound)) >> 64).expect("below the bound")
    }

    pub fn index(&mut self, len: usize) -> usize {
        self.0.below(len)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.0.next_f64()
    }

    /// About normal, mean 0 and deviation 1: the sum of twelve uniform draws.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::Draws;

    #[test]
    fn a_stream_depends_on_seed_and_place_alone() {
        let first = |seed, place| Draws::new(seed, place).next();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
        let mut draws = Draws::new(7, 0);
        assert!((0..1_000).all(|_| draws.below(5) < 5));
        assert_eq!(draws.below(0), 0);
    }
}
