//! Crashes at every sync of the store and at every boundary of HTTP, crossed with the provider's faults. What must hold at the end
//! of each: every vote is there and is the vote of an undisturbed run, no request was paid twice, and nobody had to help. In most
//! schedules a user meddles as well ([`crate::user`]); then somebody may have to undo what was wished, and everything else holds.
//!
//! `make crash-test RUNS=10000 SEED=1` runs so many schedules, from that seed on; a failing seed is printed and replays alone with
//! `RUNS=1 SEED=<it>`.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use quorum_core::{
    manifest::{Cause, ManifestState, Mode, Seconds},
    prng::Prng,
};
use quorum_engine::Clock;
use quorum_provider::Provider;
use quorum_sim::{Fault, Kind, SimConfig, Simulator};
use quorum_store::{
    Store,
    testing::{FrozenBackend, Loss},
};
use tempfile::TempDir;

use crate::{
    schedule::{Crash, Draw, Meddler, Schedule, Shape},
    user::User,
    world::{HandClock, Plan, START, Votes, World, import, paid_twice_at, provider, simulator, start, votes},
};

/// Schedules in the ordinary tests.
const RUNS: u64 = 500;
const SEED: u64 = 1;
/// Ticks until a run that does not end counts as stuck.
const TICKS_MAX: u32 = 600;
/// Every so many ticks a day passes, whatever is drawn: a batch that the provider lets expire takes one.
const DAY_EVERY: u32 = 200;
/// Ticks without a new batch after which a day passes where all batches take one: by then of two attempts one was stopped.
const CALM: u32 = 25;

/// What one schedule came to.
#[derive(Debug, Default)]
struct Outcome {
    crashes: u32,
    wishes: u32,
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
fn planned(shape: Shape) -> FrozenBackend {
    static PLANNED: [OnceLock<Vec<u8>>; 3] = [const { OnceLock::new() }; 3];
    let image = PLANNED[shape as usize].get_or_init(|| {
        let disk = FrozenBackend::new();
        let store = Store::open_with_backend(disk.clone()).expect("a store");
        import(&store, 2, 3);
        let mode = if shape == Shape::OnDemand { Mode::OnDemand } else { Mode::Batch };
        let plan = Plan { requests_max: 10, canary: shape == Shape::WithTrials, mode, ..Plan::default() };
        start(&store, plan).expect("a run");
        drop(store);
        disk.bytes()
    });
    FrozenBackend::from_image(image.clone())
}

fn open(disk: &FrozenBackend) -> Arc<Store> {
    Arc::new(Store::open_with_backend(disk.clone()).expect("the store opens after any crash"))
}

/// The votes of a run that nothing disturbs.
async fn undisturbed(config: SimConfig, shape: Shape) -> Votes {
    let sim = simulator(config).await;
    let store = open(&planned(shape));
    let folder = TempDir::new().expect("a folder");
    let world = World::on(store, HandClock::at(START), provider(&sim, None), folder.path());
    world.run(&sim, 30).await;
    votes(&world.store)
}

/// An engine on this store, with a user who sees what it does.
fn world_on(store: Arc<Store>, clock: &HandClock, provider: &Provider, folder: &TempDir, user: &Arc<User>) -> World {
    let beside = World::on(Arc::clone(&store), clock.clone(), provider.clone(), folder.path());
    let user = Arc::clone(user);
    World::telling(store, clock.clone(), provider.clone(), folder.path(), move |event| user.interrupt(&beside, &event))
}

/// Two accounts have no id in common, and models that do not err answer alike in both.
fn of_two_projects(nth: u64) -> SimConfig {
    let faultless = ["gpt-5-mini", "gpt-5-nano"].map(|model| (model.to_owned(), 0.0));
    SimConfig { seed: nth, error_rates: faultless.into(), ..SimConfig::default() }
}

/// The votes that must be there in the end.
struct Expected {
    usual: Votes,
    of_two_projects: Votes,
}

async fn run(seed: u64, expected: &Expected) -> Outcome {
    let mut draw = Draw(Prng::new(seed));
    let schedule = Schedule::draw(&mut draw);
    let user = User::new(schedule.user, seed);
    let (config, expected) = match schedule.user {
        Some(Meddler::OfTwoProjects) => (of_two_projects(1), &expected.of_two_projects),
        _ => (SimConfig::default(), &expected.usual),
    };
    let sim = simulator(config).await;
    let elsewhere = simulator(of_two_projects(2)).await;
    for fault in &schedule.faults {
        sim.fault(fault.clone());
    }
    let folder = TempDir::new().expect("a folder");
    let (own, other) = (provider(&sim, None), provider(&elsewhere, None));
    let mut key = &own;
    let clock = HandClock::at(START);
    let mut disk = planned(schedule.shape);
    let mut world = world_on(open(&disk), &clock, key, &folder, &user);
    let mut crashes = schedule.crashes.clone().into_iter();
    let mut armed = crashes.next();
    let mut hanging = sim.hanging();
    let mut outcome = Outcome::default();
    let (mut calm_since, mut created, mut rests) = (1, 0, 0);
    arm(armed, &disk, &sim);
    for tick in 1..=TICKS_MAX {
        let wished = user.act(&world, tick);
        assert!(wished.is_ok() || disk.is_frozen(), "seed {seed}: a wish failed by itself: {wished:?}");
        let mut is_at_rest = false;
        let is_dead = tokio::select! {
            biased;
            _ = hanging.changed() => true,
            ticked = world.tick() => {
                match &ticked {
                    Ok(ticked) => is_at_rest = ticked.live == 0,
                    Err(error) => assert!(disk.is_frozen(), "seed {seed}: a tick failed by itself: {error:?}"),
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
            world = world_on(open(&disk), &clock, key, &folder, &user);
            outcome.crashes += 1;
            armed = crashes.next();
            arm(armed, &disk, &sim);
        } else if is_at_rest {
            let is_whole = votes(&world.store).len() == expected.len();
            let is_over = world.store.manifests().expect("read").iter().all(|run| run.finished_at.is_some());
            let has_work = !world.engine.providers_with_work().expect("read").is_empty();
            if is_over && !has_work && (is_whole || !user.is_there()) {
                break;
            }
            if user.is_there() {
                rests += 1;
                let finished = user.finish(&world, is_whole);
                assert!(finished.is_ok() || disk.is_frozen(), "seed {seed}: {finished:?}");
            }
        }
        // One tick at rest may be all that a batch needs to be seen with the key that is stored.
        let changes_key = !is_dead && !disk.is_frozen() && user.changes_key(tick, is_at_rest && rests % 4 == 3);
        if changes_key {
            key = if std::ptr::eq(key, &own) { &other } else { &own };
            world = world_on(Arc::clone(&world.store), &clock, key, &folder, &user);
        }
        let batches = sim.batches().len();
        if batches > created {
            (created, calm_since) = (batches, tick);
        }
        let a_day = if schedule.has_late_twin { tick - calm_since == CALM } else { tick.is_multiple_of(DAY_EVERY) };
        if a_day {
            calm_since = tick;
        }
        let passed = pass(&mut draw, a_day, !schedule.has_late_twin, &clock, &sim);
        elsewhere.advance(passed);
    }
    let found = votes(&world.store);
    let runs = world.store.manifests().expect("read");
    let twice = paid_twice_at(&[&sim, &elsewhere]);
    outcome.wishes = user.wishes();
    let unclear = unclear(&world);
    outcome.votes_lost = expected.keys().filter(|key| !found.contains_key(*key) && !unclear.contains(*key)).count();
    outcome.votes_other = found.iter().filter(|(key, vote)| expected.get(*key) != Some(*vote)).count();
    outcome.paid_twice = twice.len();
    let is_unfinished = runs.iter().any(|run| run.finished_at.is_none());
    outcome.manual_steps =
        usize::from(is_unfinished || (!user.is_there() && world.state() != ManifestState::Completed));
    if !outcome.is_good() {
        println!("seed {seed}: {outcome:?}\n{schedule:#?}\n{:#?}", world.store.all_batches());
        println!("twice: {twice:?}\ncalls: {:#?}\nelsewhere: {:#?}", sim.calls(), elsewhere.calls());
    }
    outcome
}

/// Synchronous calls whose end is unclear, and which wait for the user.
fn unclear(world: &World) -> BTreeSet<(u32, String, u8)> {
    let failures = world.open_failures().into_iter();
    let unclear = failures.filter(|open| open.failure.cause == Cause::Unclear);
    unclear.map(|open| (open.request.review.0, open.model.to_string(), open.request.run)).collect()
}

fn arm(crash: Option<(Crash, Loss)>, disk: &FrozenBackend, sim: &Simulator) {
    let hang = |after_effect, nth| Fault { nth: Some(nth), ..Fault::once(Kind::Hang { after_effect }, None) };
    match crash {
        Some((Crash::Sync(nth), _)) => disk.freeze_at_sync(disk.syncs() + usize::try_from(nth).expect("small")),
        Some((Crash::BeforeCall(nth), _)) => sim.fault(hang(false, nth)),
        Some((Crash::AfterCall(nth), _)) => sim.fault(hang(true, nth)),
        None => {}
    }
}

/// Half a minute or so; now and then the computer sleeps for 30 hours, or its clock is put back. Returns what passed at the provider.
fn pass(draw: &mut Draw, a_day: bool, may_leap: bool, clock: &HandClock, sim: &Simulator) -> Duration {
    let seconds = match draw.within(0, 59) {
        0 if may_leap => 30 * 3_600,
        _ if a_day => 30 * 3_600,
        1 if may_leap => -3 * 3_600,
        _ => i64::try_from(draw.within(20, 60)).expect("small"),
    };
    clock.advance(seconds);
    // The provider's time does not go back with the computer's clock.
    let passed = if seconds < 0 { 30 } else { seconds };
    let passed = Duration::from_secs(passed.unsigned_abs());
    sim.advance(passed);
    debug_assert!(clock.now() > Seconds::MIN);
    passed
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
    let expected = runtime().block_on(async {
        Expected {
            usual: undisturbed(SimConfig::default(), Shape::Batches).await,
            of_two_projects: undisturbed(of_two_projects(1), Shape::Batches).await,
        }
    });
    for shape in [Shape::WithTrials, Shape::OnDemand] {
        assert_eq!(runtime().block_on(undisturbed(SimConfig::default(), shape)), expected.usual, "{shape:?}");
    }
    assert_eq!((expected.usual.len(), expected.of_two_projects.len()), (24, 24), "six reviews, four votes each");
    let (mut sum, mut failed) = (Outcome::default(), Vec::new());
    let began = std::time::Instant::now();
    let runtime = runtime();
    for seed in first..first + runs {
        let outcome = runtime.block_on(run(seed, &expected));
        sum.crashes += outcome.crashes;
        sum.wishes += outcome.wishes;
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
        "{runs} schedules from seed {first}, {} crashes, {} wishes of users: {} votes lost, {} votes changed, {} requests paid \
         twice, {} manual steps",
        sum.crashes, sum.wishes, sum.votes_lost, sum.votes_other, sum.paid_twice, sum.manual_steps
    );
    assert!(failed.is_empty(), "replay with RUNS=1 SEED=…: {failed:?}");
}
