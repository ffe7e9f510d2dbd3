pub mod aggregate;
pub mod csv;
pub mod dawid_skene;
pub mod matrix;
pub mod one_coin;
pub mod prng;
pub mod calibrated;
pub mod best_single;
