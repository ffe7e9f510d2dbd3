//! SIGKILL at any moment of `extract --wait`: `poll --wait` brings the same votes, and no request runs twice at the provider.
//!
//! The moments are counted, not timed: a proxy between the program and the server kills it at the n-th piece of data
//! that passes, before the piece is passed on or after, so that requests are lost, and answers to requests that had their effect.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    thread,
};

use serde_json::Value;

use crate::{
    program::{Data, executed},
    providers::Sandbox,
    proxy::{Moment, Proxy},
};

const WISH: [&str; 8] = ["extract", "--dataset", "sample", "--topic", "G1_allergy", "--k", "2", "--yes"];

#[test]
fn a_killed_extraction_is_taken_up_without_asking_twice() {
    let undisturbed = Data::with_sample();
    let sandbox = Sandbox::start(&undisturbed, &[]);
    let proxy = Proxy::to(sandbox.port);
    let done = undisturbed.json(&[&["--provider", &proxy.address()], &WISH[..], &["--wait"]].concat()).done();
    assert_eq!(done["ingested"], 96);
    let (votes, pieces) = (undisturbed.votes("G1_allergy"), proxy.pieces());
    assert!(pieces > 20, "{pieces}");
    drop(sandbox);

    // The first pieces one by one, where the batches are made; then spread over the rest. Mostly they wait for a provider:
    // four at a time.
    let rest = (1..=8).map(|part| pieces * part / 9);
    let moments: Vec<(u64, Moment)> =
        [1, 2, 4].into_iter().chain(rest).zip([Moment::Before, Moment::After].into_iter().cycle()).collect();
    for some in moments.chunks(4) {
        thread::scope(|scope| {
            for &(piece, moment) in some {
                let votes = &votes;
                scope.spawn(move || killed_at(piece, moment, votes));
            }
        });
    }
}

fn killed_at(piece: u64, moment: Moment, votes: &Value) {
    let data = Data::with_sample();
    let sandbox = Sandbox::start(&data, &[]);
    let proxy = Proxy::to(sandbox.port);
    let address = proxy.address();
    let child = data.spawn(&[&["--provider", &address], &WISH[..], &["--wait"]].concat());
    let killed = proxy.kill_at(child, piece, moment);
    let polled = data.json(&["poll", "--wait"]).done();
    assert_eq!(polled["live"], 0, "killed {moment:?} piece {piece}");
    if killed {
        // Where it died before the plan was stored, nothing was sent: the wish is still to be said.
        data.json(&[&["--provider", &address], &WISH[..], &["--wait"]].concat()).done();
    }
    assert_eq!(&data.votes("G1_allergy"), votes, "killed {moment:?} piece {piece}");
    let ran = executed(&sandbox.state(&data));
    assert_eq!(ran.len(), 96, "killed {moment:?} piece {piece}");
    assert_eq!(ran.iter().collect::<BTreeSet<_>>().len(), 96, "killed {moment:?} piece {piece}");
}

#[test]
fn the_sandbox_in_the_process_survives_its_death_too() {
    let data = Data::with_sample();
    let mut child = data.spawn(&[&["--provider", "sandbox"], &WISH[..], &["--wait"]].concat());
    // Told after the first look: the batches are made, and nothing is in yet.
    let told = BufReader::new(child.stderr.take().expect("stderr")).lines().map_while(Result::ok);
    assert!(told.into_iter().any(|line| line.starts_with("run 1 ")));
    child.kill().expect("killed");
    child.wait().expect("dead");
    assert_eq!(data.json(&["status"]).done()["manifests"][0]["state"], "live");
    let polled = data.json(&["poll", "--wait"]).done();
    assert_eq!(polled["live"], 0);
    let stats = data.json(&["votes", "stats", "--dataset", "sample", "--topic", "G1_allergy", "--k", "2"]).done();
    assert_eq!((&stats["complete"], &stats["partial"]), (&24.into(), &0.into()), "{stats}");
    let ran = data.executed();
    assert_eq!((ran.len(), ran.iter().collect::<BTreeSet<_>>().len()), (96, 96));
}
