//! The read side and the file formats against a store with votes put straight into it.

mod budget;
mod catalog;
mod compare;
mod coverage;
mod estimates;
mod ground_truth;
mod key;
mod models;
mod overrides;
mod pages;
mod polling;
mod queue;
mod restored;
mod runs;
mod trust;
mod trust_files;
mod verdicts;
mod vote_cache;
mod what_if;
mod world;
