//! How far votes can be trusted, and how a few labels make their consensus better.
//!
//! Works on a generic matrix of items, judges and labels. Deliberately not here: reviews, terms,
//! policies, files and clocks; the caller maps those to codes.

pub mod advice;
pub mod aggregate;
pub mod agreement;
pub mod best_single;
pub mod calibrated;
pub mod calibration;
pub mod certainty;
pub mod csv;
pub mod dawid_skene;
pub mod dependence;
pub mod evaluate;
pub mod fit;
pub mod gold;
pub mod learned;
pub mod matrix;
pub mod one_coin;
pub mod queue;
pub mod recommend;
pub mod sample;
pub mod stacked;
pub mod trial;
pub mod words;

pub use evaluate::{EvalOptions, EvalReport, eval};
pub use gold::{Gold, GoldLabel};
pub use matrix::{Judge, Vote, VoteMatrix};

#[cfg(test)]
mod tests;
