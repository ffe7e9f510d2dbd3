//! A small seeded random number generator: the same seed gives the same draws on every machine.
//!
//! The only one of the product, its benchmarks and tests; the simulated provider has its own, as it shares no code with them.
//! SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators",
//! OOPSLA). It passes BigCrush and needs one word of state. Not for secrets.

/// The generator. Its state is the number of draws so far, mixed with the seed.
#[derive(Debug, Clone)]
pub struct Prng {
    state: u64,
}

impl Prng {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..n`; 0 for `n` = 0. The bias of the multiply-shift is below n / 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Puts a uniform random subset of `k` elements first, in random order (partial Fisher–Yates).
    pub fn shuffle_first<T>(&mut self, values: &mut [T], k: usize) {
        for i in 0..k.min(values.len()) {
            let j = i + self.below(values.len() - i);
            values.swap(i, j);
        }
    }

    /// The index drawn with the given probabilities (need not sum to 1); the last one with a
    /// positive weight where rounding leaves nothing.
    pub fn categorical(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut rest = self.next_f64() * total;
        let mut last = 0;
        for (index, &weight) in weights.iter().enumerate() {
            if weight > 0.0 {
                last = index;
                if rest < weight {
                    return index;
                }
                rest -= weight;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_reference_stream() {
        // First outputs for seed 1234567 as Rosetta Code lists them ("Pseudo-random numbers/Splitmix64").
        let mut prng = Prng::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| prng.next_u64()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn subset_is_without_replacement() {
        let mut prng = Prng::new(7);
        let mut values: Vec<usize> = (0..50).collect();
        prng.shuffle_first(&mut values, 20);
        let mut all = values.clone();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        assert_ne!(values[..20], (0..20).collect::<Vec<_>>()[..]);
    }

    #[test]
    fn categorical_follows_the_weights() {
        let mut prng = Prng::new(3);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[prng.categorical(&[0.5, 0.0, 1.5])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((f64::from(counts[0]) / 30_000.0 - 0.25).abs() < 0.01);
    }
}
