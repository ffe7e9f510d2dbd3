//! What tests take from outside the repository, and what they say where it is missing.
//!
//! Public data that is too large or not ours to copy lies in a folder beside the repository; a clone without it passes all the
//! same. So that nobody takes that for a proof, a test that cannot run says so with [`skipped`]: `.ci/test` collects what was
//! said, tells it after the tests, and does not count such a test as passed.

use std::{
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    thread,
};

/// Names the file that collects what was skipped.
const RECORD: &str = "QUORUM_SKIPPED";

/// A file or folder of the shared data, where it is: in `QUORUM_SHARED`, else in `../shared` beside the repository.
pub fn found(part: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let path = env::var_os("QUORUM_SHARED").map_or_else(beside, PathBuf::from).join(part);
    path.exists().then_some(path)
}

/// The same for a test that is nothing without it: says that the test is skipped where it is not there.
pub fn needed(part: &str) -> Option<PathBuf> {
    let path = found(part);
    if path.is_none() {
        skipped(&format!("no {part} in QUORUM_SHARED, or in ../shared beside the repository"));
    }
    path
}

/// Says that the running test does not prove what it is for, and why.
pub fn skipped(why: &str) {
    // The test harness names each test's thread after it.
    let line = format!("{}: {why}\n", thread::current().name().unwrap_or("a test"));
    eprint!("skipped: {line}");
    let Some(record) = env::var_os(RECORD) else { return };
    let written = OpenOptions::new().append(true).create(true).open(&record).and_then(|mut file| {
        // In one piece: tests run side by side.
        file.write_all(line.as_bytes())
    });
    if let Err(error) = written {
        panic!("{}: {error}", Path::new(&record).display());
    }
}
