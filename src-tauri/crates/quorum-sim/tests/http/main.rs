//! The simulator over real HTTP: what a client of the Batch API sees of it.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod faults;
mod lifecycle;
mod persistence;
mod support;
mod uploads;
