//! A user who cannot leave it alone: between any two ticks and within them, wishes that every face of the program lets through, and
//! some that only a race does.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use quorum_core::{
    manifest::{BatchState, Manifest, Pause, PauseKind},
    prng::Prng,
};
use quorum_engine::{Engine, EngineError, Event};

use crate::{
    schedule::{Draw, Meddler},
    world::{Plan, World, try_start},
};

/// Ticks after which nothing is wished any more but that it ends.
const TICKS_MAX: u32 = 60;

pub struct User {
    kind: Option<Meddler>,
    draw: Mutex<Draw>,
    wishes: AtomicU32,
}

impl User {
    pub fn new(kind: Option<Meddler>, seed: u64) -> Arc<Self> {
        Arc::new(Self { kind, draw: Mutex::new(Draw(Prng::new(!seed))), wishes: AtomicU32::new(0) })
    }

    pub fn is_there(&self) -> bool {
        self.kind.is_some()
    }

    /// Wishes so far.
    pub fn wishes(&self) -> u32 {
        self.wishes.load(Ordering::SeqCst)
    }

    fn within(&self, low: u64, high: u64) -> u64 {
        self.draw.lock().unwrap_or_else(PoisonError::into_inner).within(low, high)
    }

    /// Between two ticks. Errors are the disk's.
    pub fn act(&self, world: &World, tick: u32) -> Result<(), EngineError> {
        if self.kind.is_none() || tick > TICKS_MAX || self.within(0, 4) > 0 {
            return Ok(());
        }
        self.wishes.fetch_add(1, Ordering::SeqCst);
        let runs = world.store.manifests()?;
        let last = if self.kind == Some(Meddler::Fickle) { 5 } else { 3 };
        for run in &runs {
            match self.within(0, last) {
                0 => drop(world.store.change_manifest(run.id, pause)?),
                1 | 2 => drop(world.store.change_manifest(run.id, |run| run.paused = None)?),
                3 => ask_again(&world.engine, run)?,
                4 => drop(world.store.change_manifest(run.id, cancel)?),
                _ => plan(world)?,
            }
        }
        Ok(())
    }

    /// In the middle of a tick, at any of its events.
    pub fn interrupt(&self, beside: &World, event: &Event) {
        if self.kind.is_none() || !matches!(event, Event::BatchChanged(_)) || self.within(0, 7) > 0 {
            return;
        }
        self.wishes.fetch_add(1, Ordering::SeqCst);
        let asked = beside
            .store
            .manifests()
            .map_err(EngineError::from)
            .and_then(|runs| runs.iter().try_for_each(|run| ask_again(&beside.engine, run)));
        // Only a disk that stopped refuses, and the tick meets it next.
        asked.ok();
    }

    /// Whether the other project's key is stored, or taken out again, before this tick.
    pub fn changes_key(&self, tick: u32, at_rest: bool) -> bool {
        self.kind == Some(Meddler::OfTwoProjects) && (at_rest || (tick <= TICKS_MAX && self.within(0, 9) == 0))
    }

    /// Nothing goes on by itself: resumes, asks again, and plans what is missing, as any user would in the end.
    pub fn finish(&self, world: &World, is_whole: bool) -> Result<(), EngineError> {
        let runs = world.store.manifests()?;
        for run in runs.iter().filter(|run| run.finished_at.is_none()) {
            world.store.change_manifest(run.id, |run| run.paused = None)?;
            ask_again(&world.engine, run)?;
        }
        if !is_whole && runs.iter().all(|run| run.finished_at.is_some()) {
            plan(world)?;
        }
        Ok(())
    }
}

fn pause(run: &mut Manifest) {
    run.paused.get_or_insert(Pause { kind: PauseKind::User, words: "by you".to_owned() });
}

fn cancel(run: &mut Manifest) {
    run.cancelled |= run.finished_at.is_none();
}

/// Everything that failed and every refused batch; not what the account does not know, which may be paid already.
fn ask_again(engine: &Engine, run: &Manifest) -> Result<(), EngineError> {
    engine.ask_again(run.id, |_| true, |batch| batch.state == BatchState::Failed, false).map(drop)
}

fn plan(world: &World) -> Result<(), EngineError> {
    Ok(try_start(&world.store, Plan { requests_max: 10, ..Plan::default() }).map(drop)?)
}
