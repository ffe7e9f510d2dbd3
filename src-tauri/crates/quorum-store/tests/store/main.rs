//! The store, from outside: what it keeps, what it refuses, and what survives a disk that stops, tears or fills up.

mod backup;
mod claims;
mod crash;
mod data;
mod datasets;
mod disk_full;
mod fixture;
mod manifests;
mod opening;
mod script;
mod trail;
mod votes;
