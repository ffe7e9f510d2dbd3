//! Which keys of a stream may stand twice, found in memory that does not grow with the stream.
//!
//! A Bloom filter (B. Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970) of fixed size sees every key
//! once. Keys that it takes for known are remembered by their hash: all that do stand twice, and a few that do not (below 1 %
//! at 26 million keys).

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// 32 MB.
const FILTER_BITS: u64 = 1 << 28;

const PROBES: u64 = 4;

pub struct Twice {
    filter: Vec<u64>,
    suspects: HashSet<u64>,
}

/// The hashes of the keys that may stand twice.
pub struct Suspects(HashSet<u64>);

fn hash_of(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Twice {
    pub fn new() -> Self {
        let words = usize::try_from(FILTER_BITS / 64).expect("4 million fits");
        Self { filter: vec![0; words], suspects: HashSet::new() }
    }

    pub fn see(&mut self, key: &impl Hash) {
        let hash = hash_of(key);
        let (step, mut probe) = (hash >> 32 | 1, hash);
        let mut is_new = false;
        for _ in 0..PROBES {
            let bit = probe % FILTER_BITS;
            let word = &mut self.filter[usize::try_from(bit / 64).expect("within the filter")];
            is_new |= *word >> (bit % 64) & 1 == 0;
            *word |= 1 << (bit % 64);
            probe = probe.wrapping_add(step);
        }
        if !is_new {
            self.suspects.insert(hash);
        }
    }

    /// Gives the filter's memory back.
    pub fn suspects(self) -> Suspects {
        Suspects(self.suspects)
    }
}

impl Suspects {
    pub fn has(&self, key: &impl Hash) -> bool {
        !self.0.is_empty() && self.0.contains(&hash_of(key))
    }
}
