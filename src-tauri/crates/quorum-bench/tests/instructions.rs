//! Counts the instructions of the hot paths, so that a slowdown is seen when it lands and on any machine: callgrind gives the
//! same count again, whatever else runs.
//!
//! Skipped, with a word, where there is no valgrind or another processor.

use std::{env, fmt::Write as _, fs, path::PathBuf, process::Command};

use quorum_bench::hot::{HotPath, ITEMS};

/// Percent above the recorded count that are let pass: what another compiler or C library may make of the same code.
const TOLERANCE_PERCENT: f64 = 5.0;

#[test]
fn hot_paths_take_no_more_instructions_than_recorded() {
    if !cfg!(target_arch = "x86_64") {
        return quorum_outside::skipped("the recorded counts are those of x86-64");
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        return quorum_outside::skipped("valgrind is not installed, so instructions cannot be counted");
    }
    let record = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let recorded = fs::read_to_string(&record).expect("the record is in the repository");
    let counts = HotPath::ALL.map(|path| (path.name(), instructions_an_item(path)));
    if env::var_os("UPDATE_INSTRUCTIONS").is_some() {
        let mut text: String =
            recorded.lines().filter(|line| line.starts_with('#')).fold(String::new(), |text, line| text + line + "\n");
        for (name, count) in counts {
            let _infallible = writeln!(text, "{name} {count:.0}");
        }
        fs::write(&record, text).expect("the record can be written");
        return;
    }
    let mut slower = Vec::new();
    for (name, count) in counts {
        let line = recorded.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let known: f64 = line.and_then(|known| known.parse().ok()).unwrap_or_else(|| panic!("{name} is not recorded"));
        let percent = (count / known - 1.0) * 100.0;
        eprintln!("{name}: {count:.0} instructions, {percent:+.1} % of the recorded {known:.0}");
        if percent > TOLERANCE_PERCENT {
            slower.push(format!(
                "{name} takes {count:.0} instructions, {percent:.1} % more than the recorded {known:.0}"
            ));
        }
    }
    assert!(
        slower.is_empty(),
        "{}. If that is right, record it: UPDATE_INSTRUCTIONS=1 cargo test -p quorum-bench --test instructions",
        slower.join("; ")
    );
}

/// The difference between many rounds and few: what comes before and after the loop falls away.
fn instructions_an_item(path: HotPath) -> f64 {
    const FEW: u32 = 2;
    const MANY: u32 = 6;
    (instructions(path, MANY) - instructions(path, FEW)) / f64::from((MANY - FEW) * ITEMS)
}

fn instructions(path: HotPath, rounds: u32) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", folder.path().join("profile").display()))
        .args([env!("CARGO_BIN_EXE_hot"), path.name(), &rounds.to_string()])
        .output()
        .expect("valgrind runs");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let count = words.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("callgrind gave no count: {words}"))
}
