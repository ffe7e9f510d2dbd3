//! Seeded draws: stable numbers from a seed and the things they are about.
//!
//! Deliberately not a stateful generator. Every draw names its subject (a model, a text, a field), so the outcome does not
//! depend on the order of requests, on how they were batched, or on restarts.

/// A hash in progress; [`Draw::unit`] and [`Draw::bits`] read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(avalanche(seed ^ 0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn with(self, value: u64) -> Self {
        Self(avalanche(self.0.rotate_left(17) ^ value))
    }

    pub(crate) fn with_str(self, value: &str) -> Self {
        self.with(hash_bytes(value.as_bytes()))
    }

    pub(crate) fn bits(self) -> u64 {
        avalanche(self.0)
    }

    /// A number in [0, 1).
    pub(crate) fn unit(self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number in `0..bound`; 0 when the bound is 0.
    pub(crate) fn below(self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.bits() % bound }
    }
}

/// FNV-1a with a final mix: not cryptographic, the same on every machine.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    avalanche(hash ^ bytes.len() as u64)
}

/// The finalizer of SplitMix64.
fn avalanche(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// `file-` and 22 letters and digits, the provider's shape.
pub(crate) fn file_id(seed: u64, serial: u64) -> String {
    const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let draw = Draw::new(seed).with_str("file").with(serial);
    let mut id = String::from("file-");
    for position in 0..22 {
        id.push(char::from(BASE62[draw.with(position).below(62) as usize]));
    }
    id
}

/// `batch_` and 32 hex digits, the provider's shape.
pub(crate) fn batch_id(seed: u64, serial: u64) -> String {
    format!("batch_{}", hex32(Draw::new(seed).with_str("batch").with(serial)))
}

/// 32 hex digits.
pub(crate) fn hex32(draw: Draw) -> String {
    format!("{:016x}{:016x}", draw.with(1).bits(), draw.with(2).bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_providers_shape_and_differ() {
        let file = file_id(7, 1);
        assert_eq!(file.len(), 27);
        assert!(file.starts_with("file-"));
        assert!(file[5..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let batch = batch_id(7, 1);
        assert_eq!(batch.len(), 38);
        assert!(batch[6..].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(file, file_id(7, 2));
        assert_ne!(file, file_id(8, 1));
        assert_ne!(batch, batch_id(7, 2));
    }

    #[test]
    fn units_spread_over_the_interval() {
        let mean = (0..10_000).map(|i| Draw::new(1).with(i).unit()).sum::<f64>() / 10_000.0;
        assert!((0.49..0.51).contains(&mean), "{mean}");
    }
}
