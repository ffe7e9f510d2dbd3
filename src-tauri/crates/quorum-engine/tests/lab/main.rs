//! The loop against a real HTTP server that misbehaves, on a disk that stops, with a clock of its own.

mod account;
mod allowance;
mod at_once;
mod copies;
mod crash;
mod doc;
mod faults;
mod files;
mod once;
mod results;
mod schedule;
mod terms;
mod tier1;
mod user;
mod world;
