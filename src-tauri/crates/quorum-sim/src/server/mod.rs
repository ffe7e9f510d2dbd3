//! The HTTP side: connections, routes, one exchange at a time through its faults.

pub(crate) mod batches;
pub(crate) mod chat;
pub(crate) mod control;
pub(crate) mod download;
pub(crate) mod exchange;
pub(crate) mod listen;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod spoil;
pub(crate) mod upload;
