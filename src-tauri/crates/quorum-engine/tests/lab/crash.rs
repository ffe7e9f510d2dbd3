//! Crashes at every sync of the store and at every boundary of HTTP, crossed with the provider's faults. What must hold at the end
//! of each: every vote is there and is the vote of an undisturbed run, no request was paid twice, and nobody had to help.
//!
//! `make crash-test RUNS=10000 SEED=1` runs so many schedules, from that seed on; a failing seed is printed and replays alone with
//! `RUNS=1 SEED=<it>`.

use std::{sync::Arc, sync::OnceLock};

use quorum_core::{
    manifest::{ManifestState, Seconds},
    prng::Prng,
};
use quorum_engine::Clock;
use quorum_sim::{Fault, Kind, SimConfig};
use quorum_store::{
    Store,
    testing::{FrozenBackend, Loss},
};
use tempfile::TempDir;

use crate::{
    schedule::{Crash, Draw, Schedule},
    world::{HandClock, Plan, START, Votes, World, import, paid_twice, provider, simulator, start, votes},
};

/// Schedules in the ordinary tests.
const RUNS: u64 = 500;
const SEED: u64 = 1;
/// Ticks until a run that does not end counts as stuck.
const TICKS_MAX: u32 = 600;
/// Every so many ticks a day passes, whatever is drawn: a batch that the provider lets expire takes one.
const DAY_EVERY: u32 = 200;

/// What one schedule came to.
#[derive(Debug, Default)]
struct Outcome {
    crashes: u32,
    votes_lost: usize,
    votes_other: usize,
    paid_twice: usize,
    manual_steps: usize,
}

impl Outcome {
    fn is_good(&self) -> bool {
        self.votes_lost + self.votes_other + self.paid_twice + self.manual_steps == 0
    }
}

/// The store file as it is when the run was planned and nothing is sent.
fn planned() -> &'static [u8] {
    static PLANNED: OnceLock<Vec<u8>> = OnceLock::new();
    PLANNED.get_or_init(|| {
        let disk = FrozenBackend::new();
        let store = Store::open_with_backend(disk.clone()).expect("a store");
        import(&store, 2, 3);
        start(&store, Plan { requests_max: 10, ..Plan::default() }).expect("a run");
        drop(store);
        disk.bytes()
    })
}

fn open(disk: &FrozenBackend) -> Arc<Store> {
    Arc::new(Store::open_with_backend(disk.clone()).expect("the store opens after any crash"))
}

/// The votes of a run that nothing disturbs.
async fn undisturbed() -> Votes {
    let sim = simulator(SimConfig::default()).await;
    let store = open(&FrozenBackend::from_image(planned().to_vec()));
    let folder = TempDir::new().expect("a folder");
    let world = World::on(store, HandClock::at(START), provider(&sim, None), folder.path());
    world.run(&sim, 30).await;
    votes(&world.store)
}

async fn run(seed: u64, expected: &Votes) -> Outcome {
    let mut draw = Draw(Prng::new(seed));
    let schedule = Schedule::draw(&mut draw);
    let sim = simulator(SimConfig::default()).await;
    for fault in &schedule.faults {
        sim.fault(fault.clone());
    }
    let folder = TempDir::new().expect("a folder");
    let provider = provider(&sim, None);
    let clock = HandClock::at(START);
    let mut disk = FrozenBackend::from_image(planned().to_vec());
    let mut world = World::on(open(&disk), clock.clone(), provider.clone(), folder.path());
    let mut crashes = schedule.crashes.clone().into_iter();
    let mut armed = crashes.next();
    let mut hanging = sim.hanging();
    let mut outcome = Outcome::default();
    arm(armed, &disk, &sim);
    for tick in 1..=TICKS_MAX {
        let is_dead = tokio::select! {
            biased;
            _ = hanging.changed() => true,
            ticked = world.tick() => {
                if let Err(error) = &ticked {
                    assert!(disk.is_frozen(), "seed {seed}: a tick failed by itself: {error:?}");
                }
                disk.is_frozen()
            }
        };
        if is_dead {
            let loss = armed.map_or(Loss::Everything, |(_, loss)| loss);
            let image = disk.image(loss);
            // Whatever of the dead program still runs writes to a disk that nobody reads.
            disk.freeze_at_sync(disk.syncs() + 1);
            disk = FrozenBackend::from_image(image);
            world = World::on(open(&disk), clock.clone(), provider.clone(), folder.path());
            outcome.crashes += 1;
            armed = crashes.next();
            arm(armed, &disk, &sim);
        } else if world.manifest().finished_at.is_some() && !world.engine.has_work().expect("read") {
            break;
        }
        pass(&mut draw, tick.is_multiple_of(DAY_EVERY), &clock, &sim);
    }
    let found = votes(&world.store);
    outcome.votes_lost = expected.keys().filter(|key| !found.contains_key(*key)).count();
    outcome.votes_other = found.iter().filter(|(key, vote)| expected.get(*key) != Some(*vote)).count();
    outcome.paid_twice = paid_twice(&sim).len();
    outcome.manual_steps =
        usize::from(world.state() != ManifestState::Completed || world.manifest().finished_at.is_none());
    if !outcome.is_good() {
        println!("seed {seed}: {outcome:?}\n{schedule:#?}\n{:#?}", world.batches());
        println!("twice: {:?}\ncalls: {:#?}", paid_twice(&sim), sim.calls());
    }
    outcome
}

fn arm(crash: Option<(Crash, Loss)>, disk: &FrozenBackend, sim: &quorum_sim::Simulator) {
    let hang = |after_effect, nth| Fault { nth: Some(nth), ..Fault::once(Kind::Hang { after_effect }, None) };
    match crash {
        Some((Crash::Sync(nth), _)) => disk.freeze_at_sync(disk.syncs() + usize::try_from(nth).expect("small")),
        Some((Crash::BeforeCall(nth), _)) => sim.fault(hang(false, nth)),
        Some((Crash::AfterCall(nth), _)) => sim.fault(hang(true, nth)),
        None => {}
    }
}

/// Half a minute or so; now and then the computer sleeps for 30 hours, or its clock is put back.
fn pass(draw: &mut Draw, a_day: bool, clock: &HandClock, sim: &quorum_sim::Simulator) {
    let seconds = match draw.within(0, 59) {
        0 => 30 * 3_600,
        _ if a_day => 30 * 3_600,
        1 => -3 * 3_600,
        _ => i64::try_from(draw.within(20, 60)).expect("small"),
    };
    clock.advance(seconds);
    // The provider's time does not go back with the computer's clock.
    let passed = if seconds < 0 { 30 } else { seconds };
    sim.advance(std::time::Duration::from_secs(passed.unsigned_abs()));
    debug_assert!(clock.now() > Seconds::MIN);
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .filter(|text| !text.is_empty())
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number, not {text:?}")))
}

#[test]
fn no_crash_and_no_fault_loses_a_vote_or_pays_twice() {
    let runs = from_environment("QUORUM_CRASH_RUNS", RUNS);
    let first = from_environment("QUORUM_CRASH_SEED", SEED);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let expected = runtime().block_on(undisturbed());
    assert_eq!(expected.len(), 24, "six reviews, four votes each");
    let (mut sum, mut failed) = (Outcome::default(), Vec::new());
    let began = std::time::Instant::now();
    let runtime = runtime();
    for seed in first..first + runs {
        let outcome = runtime.block_on(run(seed, &expected));
        sum.crashes += outcome.crashes;
        sum.votes_lost += outcome.votes_lost;
        sum.votes_other += outcome.votes_other;
        sum.paid_twice += outcome.paid_twice;
        sum.manual_steps += outcome.manual_steps;
        if !outcome.is_good() {
            failed.push(seed);
        }
        if (seed + 1 - first).is_multiple_of(1_000) {
            println!("{} schedules after {:.0} s", seed + 1 - first, began.elapsed().as_secs_f64());
        }
    }
    println!(
        "{runs} schedules from seed {first}, {} crashes: {} votes lost, {} votes changed, {} requests paid twice, {} manual \
         steps",
        sum.crashes, sum.votes_lost, sum.votes_other, sum.paid_twice, sum.manual_steps
    );
    assert!(failed.is_empty(), "replay with RUNS=1 SEED=…: {failed:?}");
}
