//! The state machine of a batch: what is known goes in, the new state and the one next action come out.
//!
//! Pure, and the only place with branches: executing an action makes no choices, and what came of it goes through
//! [`record`] into the batch. An action that creates something is only ever returned together with the state that
//! says so (`Uploading`, `Creating`), which the loop commits first; after a crash the same state means "look before
//! doing it again".

mod observe;
mod record;
#[cfg(test)]
mod tests;

pub use observe::{attempt, is_refusal};
use quorum_core::manifest::{Batch, BatchState, Outcome, Seconds, Trouble, TroubleKind};
pub(crate) use record::{RESULTS_LOOKS_MAX, account_stop, pause};
pub use record::{Recorded, record, trouble};

/// What the loop knows about a batch at this moment, beside the batch itself.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Seconds,
    pub may_send: MaySend,
    pub room: Room,
    pub sighting: Sighting,
    pub file: FileSighting,
    /// The user wants files at the provider deleted once their content is here.
    pub delete_files: bool,
    /// How long something unclear is waited for: an intent that shows no effect, a batch that the account does not show, the
    /// files of an ended one.
    pub patience_s: Seconds,
}

/// Whether the manifest lets this batch be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaySend {
    Yes,
    /// Paused, waiting for a first trial batch, or its budget is used up.
    No,
    /// The extraction was cancelled.
    Never,
}

/// Whether the provider takes another batch of this model now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Free,
    /// The model's queue allowance is used up by what is at the provider.
    QueueFull,
    /// As many batches were created within the hour as the provider allows.
    TooFast,
    /// As many files were sent within the minute as the provider allows.
    TooManyFiles,
}

/// What looking for the batch at the provider found.
#[derive(Clone, Debug, Default)]
pub enum Sighting {
    /// Nobody looked in this tick.
    #[default]
    NotLooked,
    Found(Box<quorum_provider::wire::Batch>),
    /// Looked where it would have to be, and it is not there.
    Absent,
}

/// What looking for the input file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileSighting {
    #[default]
    NotLooked,
    Found(String),
    Absent,
}

/// The one next thing to do for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing before the next tick.
    Rest,
    /// Step again: the state changed without an effect outside.
    Again,
    /// Look for the input file: by its id where there is one, else by its name.
    LookForFile,
    Upload,
    /// Look whether an earlier attempt created it.
    LookForBatch,
    Create,
    /// Cancel the batch that the provider knows by this id.
    Cancel(String),
    /// Download both result files and ingest them.
    Fetch,
    /// Delete the files at the provider.
    Clean,
}

/// Looks in a row that must miss something before it counts as not there.
pub const UNSEEN_MAX: u32 = 3;

/// Longest pause that anything sets; a provider's own `retry-after` is cut to it.
pub const PAUSE_S_MAX: Seconds = 86_400;

/// First pause after a refusal for want of queue room, when none of our own batches explains it.
pub const QUEUE_RETRY_S: Seconds = 300;

/// The new state of a batch and the one next action for it.
pub fn step(batch: &Batch, view: &View) -> (Batch, Action) {
    let mut next = batch.clone();
    let action = match batch.state {
        BatchState::Planned | BatchState::Waiting => step_planned(&mut next, view),
        BatchState::Uploading => step_uploading(&mut next, view),
        BatchState::Uploaded => step_uploaded(&mut next, view),
        BatchState::Creating => step_creating(&mut next, view),
        BatchState::Validating
        | BatchState::InProgress
        | BatchState::Finalizing
        | BatchState::Cancelling
        | BatchState::Missing => step_at_provider(&mut next, view),
        BatchState::Ready => step_ready(&mut next, view),
        BatchState::Cancelled if batch.is_adrift() => step_adrift(&mut next, view),
        BatchState::Ingested | BatchState::Cancelled => step_settled(&next, view),
        BatchState::Failed => {
            if view.may_send == MaySend::Never {
                give_up(&mut next, view.now);
            }
            Action::Rest
        }
    };
    (next, action)
}

/// A time further ahead than any pause was set by a clock that has been put back since.
fn is_due(batch: &Batch, view: &View) -> bool {
    batch.retry_at.is_none_or(|at| view.now >= at || at - view.now > PAUSE_S_MAX)
}

/// Counts a look that did not find what should be there. True once that is believed: after looks enough and time enough, as looks
/// may follow each other within seconds.
fn is_gone(batch: &mut Batch, now: Seconds, patience_s: Seconds) -> bool {
    batch.unseen = batch.unseen.saturating_add(1);
    // A clock that was put back would make the wait endless: it starts anew.
    let since = batch.unseen_since.filter(|since| *since <= now).unwrap_or(now);
    batch.unseen_since = Some(since);
    batch.unseen >= UNSEEN_MAX && now - since >= patience_s
}

/// The trouble of a batch that the provider would not take now.
fn no_room(room: Room, now: Seconds) -> Trouble {
    let (kind, words) = match room {
        Room::TooFast => (TroubleKind::RateLimited, "the provider takes 2,000 new batches an hour"),
        Room::TooManyFiles => (TroubleKind::RateLimited, "the provider takes 1,000 files a minute"),
        Room::Free | Room::QueueFull => (TroubleKind::QueueFull, ""),
    };
    Trouble { kind, words: words.to_owned(), at: now }
}

fn step_planned(batch: &mut Batch, view: &View) -> Action {
    // An attempt that this store does not remember, but that carries its mark: a copy of the store has sent it.
    match &view.sighting {
        Sighting::NotLooked => return Action::LookForBatch,
        Sighting::Found(seen) => {
            observe::take_up(batch, seen, view.now, view.patience_s);
            return Action::Again;
        }
        Sighting::Absent => {}
    }
    match view.may_send {
        MaySend::Never => {
            give_up(batch, view.now);
            return Action::Again;
        }
        MaySend::No => return Action::Rest,
        MaySend::Yes => {}
    }
    if !is_due(batch, view) {
        return Action::Rest;
    }
    if view.room != Room::Free {
        if batch.state != BatchState::Waiting {
            batch.state = BatchState::Waiting;
            batch.trouble = Some(no_room(view.room, view.now));
        }
        return Action::Rest;
    }
    batch.retry_at = None;
    if batch.input_file.is_some() {
        batch.state = BatchState::Uploaded;
        return Action::Again;
    }
    batch.state = BatchState::Uploading;
    batch.intended_at = Some(view.now);
    Action::Upload
}

fn step_uploading(batch: &mut Batch, view: &View) -> Action {
    // Found in this state at the start of a step: the upload was tried and its end is not known.
    match &view.file {
        FileSighting::NotLooked => Action::LookForFile,
        FileSighting::Found(id) => {
            batch.input_file = Some(id.clone());
            batch.state = BatchState::Uploaded;
            Action::Again
        }
        FileSighting::Absent => {
            // Files cost nothing: sending again is safe, and a late twin is only clutter.
            batch.state = BatchState::Planned;
            Action::Again
        }
    }
}

fn step_uploaded(batch: &mut Batch, view: &View) -> Action {
    match &view.sighting {
        Sighting::NotLooked => return Action::LookForBatch,
        Sighting::Found(seen) => {
            observe::take_up(batch, seen, view.now, view.patience_s);
            return Action::Again;
        }
        Sighting::Absent => {}
    }
    if view.may_send == MaySend::Never {
        give_up(batch, view.now);
        return Action::Again;
    }
    if view.may_send == MaySend::No || !is_due(batch, view) {
        return Action::Rest;
    }
    if view.room != Room::Free {
        batch.state = BatchState::Waiting;
        batch.trouble = Some(no_room(view.room, view.now));
        return Action::Rest;
    }
    batch.state = BatchState::Creating;
    batch.attempts += 1;
    batch.unseen = 0;
    batch.retry_at = None;
    batch.intended_at = Some(view.now);
    Action::Create
}

fn step_creating(batch: &mut Batch, view: &View) -> Action {
    // Found in this state at the start of a step: the creation was tried and its end is not known.
    match &view.sighting {
        Sighting::NotLooked => Action::LookForBatch,
        Sighting::Found(seen) => {
            observe::take_up(batch, seen, view.now, view.patience_s);
            Action::Again
        }
        Sighting::Absent => {
            batch.unseen = batch.unseen.saturating_add(1);
            // A clock that was put back would make the wait endless: it starts anew.
            let intended_at = batch.intended_at.filter(|at| *at <= view.now).unwrap_or(view.now);
            batch.intended_at = Some(intended_at);
            let is_settled = view.now - intended_at >= view.patience_s;
            if !is_settled || batch.unseen < 2 {
                return Action::Rest;
            }
            step_unclear(batch, view)
        }
    }
}

/// A creation that shows no effect. That counts only in the account that it went to, and that one knows the input file; with a key
/// of another project the batch would be made, and paid, a second time.
fn step_unclear(batch: &mut Batch, view: &View) -> Action {
    match &view.file {
        FileSighting::NotLooked => Action::LookForFile,
        FileSighting::Found(_) => {
            // Nothing came of it. The next attempt has a number of its own, so a late twin would still be told apart.
            batch.state = BatchState::Uploaded;
            (batch.unseen, batch.unseen_since, batch.trouble) = (0, None, None);
            Action::Again
        }
        FileSighting::Absent => {
            if is_gone(batch, view.now, view.patience_s) && batch.state != BatchState::Missing {
                miss(batch, view.now);
            }
            Action::Rest
        }
    }
}

fn step_at_provider(batch: &mut Batch, view: &View) -> Action {
    match &view.sighting {
        Sighting::NotLooked => Action::LookForBatch,
        Sighting::Found(seen) => {
            observe::take_up(batch, seen, view.now, view.patience_s);
            if matches!(batch.state, BatchState::Ready | BatchState::Waiting | BatchState::Planned | BatchState::Failed)
            {
                return Action::Again;
            }
            let is_unwanted = batch.cancel_requested || view.may_send == MaySend::Never;
            if is_unwanted && batch.state != BatchState::Cancelling {
                return Action::Cancel(seen.id.clone());
            }
            Action::Rest
        }
        Sighting::Absent => {
            if batch.state == BatchState::Missing && view.may_send == MaySend::Never {
                give_up(batch, view.now);
                return Action::Rest;
            }
            // Its creation was unclear in an account that is not looked at any more, or is again.
            if batch.state == BatchState::Missing && batch.provider_id.is_none() {
                return step_unclear(batch, view);
            }
            if is_gone(batch, view.now, view.patience_s) && batch.state != BatchState::Missing {
                miss(batch, view.now);
            }
            Action::Rest
        }
    }
}

fn step_ready(batch: &mut Batch, view: &View) -> Action {
    if !is_due(batch, view) {
        return Action::Rest;
    }
    batch.retry_at = None;
    Action::Fetch
}

fn step_settled(batch: &Batch, view: &View) -> Action {
    let has_files = batch.input_file.is_some() || batch.output_file.is_some() || batch.error_file.is_some();
    if view.delete_files && has_files && !batch.cleaned && is_due(batch, view) { Action::Clean } else { Action::Rest }
}

/// A batch that was closed while the account did not know it, and that may turn up: what runs is cancelled, what is answered is
/// paid and taken.
fn step_adrift(batch: &mut Batch, view: &View) -> Action {
    if !is_due(batch, view) {
        return Action::Rest;
    }
    match &view.sighting {
        Sighting::NotLooked => Action::LookForBatch,
        Sighting::Found(seen) if observe::is_refusal(seen) => {
            (batch.provider_id, batch.trouble) = (None, None);
            Action::Again
        }
        Sighting::Found(seen) => {
            batch.cancel_requested = true;
            observe::take_up(batch, seen, view.now, view.patience_s);
            Action::Again
        }
        // Its files stay too: they are another project's, or the batch may still need them.
        Sighting::Absent => Action::Rest,
    }
}

/// The account does not know the batch: the user decides, or it is seen again.
fn miss(batch: &mut Batch, now: Seconds) {
    batch.state = BatchState::Missing;
    batch.trouble = Some(Trouble { kind: TroubleKind::BatchUnknown, words: String::new(), at: now });
}

/// Ends a batch that was never created, or that the account does not know.
fn give_up(batch: &mut Batch, now: Seconds) {
    batch.state = BatchState::Cancelled;
    batch.outcome = Some(Outcome::Cancelled);
    batch.ended_at = Some(now);
}
