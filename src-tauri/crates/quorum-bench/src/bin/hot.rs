//! Runs one hot path some rounds, for a counter of instructions to watch.

use std::process::ExitCode;

use quorum_bench::hot::Prepared;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let path = words.next().and_then(|name| name.parse().ok());
    let rounds = words.next().and_then(|rounds| rounds.parse::<u32>().ok());
    let (Some(path), Some(rounds)) = (path, rounds) else {
        eprintln!("hot PATH ROUNDS: read_line, write_request or tally_review, and how often");
        return ExitCode::from(2);
    };
    let prepared = Prepared::new(path);
    println!("{}", (0..rounds).map(|_| prepared.round()).sum::<u64>());
    ExitCode::SUCCESS
}
