//! The client against a server on loopback that answers from a script, down to the byte.
//!
//! The server is plain TCP on purpose: most of what is tested (cuts, silence, wrong lengths, pages of HTML) is what
//! an HTTP server would not let a test send.

mod calls;
mod download;
mod effects;
mod key;
mod line_table;
mod reader;
mod server;
mod upload;
mod wire;
