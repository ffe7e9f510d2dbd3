//! The state machine as a table: state and view in, state and action out.

use std::collections::BTreeMap;

use quorum_core::manifest::{Batch, BatchId, BatchState, ManifestId, Outcome, TroubleKind};
use quorum_provider::{ProviderError, wire};

use super::*;

const NOW: Seconds = 1_000;

fn batch(state: BatchState) -> Batch {
    let id = BatchId { manifest: ManifestId(1), number: 1 };
    let mut batch = Batch { state, ..Batch::planned(id, "m".into(), 10, 1, 1) };
    if !matches!(state, BatchState::Planned | BatchState::Uploading) {
        batch.input_file = Some("file-1".to_owned());
    }
    if state.is_at_provider() && state != BatchState::Creating {
        batch.provider_id = Some("batch_1".to_owned());
    }
    if matches!(state, BatchState::Uploading | BatchState::Creating) {
        batch.intended_at = Some(NOW);
        batch.attempts = 1;
    }
    batch
}

fn view() -> View {
    View {
        now: NOW,
        may_send: MaySend::Yes,
        room: Room::Free,
        sighting: Sighting::Absent,
        file: FileSighting::NotLooked,
        delete_files: true,
        patience_s: 90,
    }
}

fn wire_batch(status: &str, more: &str) -> wire::Batch {
    let json =
        format!(r#"{{"id":"batch_1","object":"batch","status":"{status}","metadata":{{"quorum_attempt":"1"}}{more}}}"#);
    serde_json::from_str(&json).expect("a batch")
}

fn seen(status: &str, more: &str) -> Sighting {
    Sighting::Found(Box::new(wire_batch(status, more)))
}

fn check(state: BatchState, change: impl Fn(&mut Batch, &mut View), expected: (BatchState, Action)) -> Batch {
    let (mut batch, mut view) = (batch(state), view());
    change(&mut batch, &mut view);
    let (next, action) = step(&batch, &view);
    assert_eq!((next.state, action), expected, "from {batch:?}\nseeing {view:?}");
    next
}

use BatchState as S;

#[test]
fn the_straight_way() {
    check(S::Planned, |_, view| view.sighting = Sighting::NotLooked, (S::Planned, Action::LookForBatch));
    check(S::Planned, |_, _| {}, (S::Uploading, Action::Upload));
    let created = check(S::Uploaded, |_, _| {}, (S::Creating, Action::Create));
    assert_eq!((created.attempts, created.intended_at), (1, Some(NOW)));
    check(S::Validating, |_, view| view.sighting = seen("in_progress", ""), (S::InProgress, Action::Rest));
    check(S::InProgress, |_, view| view.sighting = seen("finalizing", ""), (S::Finalizing, Action::Rest));
    let ready = check(
        S::Finalizing,
        |_, view| view.sighting = seen("completed", r#","output_file_id":"o","error_file_id":"""#),
        (S::Ready, Action::Again),
    );
    assert_eq!(
        (ready.output_file.as_deref(), ready.error_file, ready.outcome),
        (Some("o"), None, Some(Outcome::Completed))
    );
    check(S::Ready, |_, _| {}, (S::Ready, Action::Fetch));
    check(S::Ingested, |_, _| {}, (S::Ingested, Action::Clean));
    check(S::Ingested, |batch, _| batch.cleaned = true, (S::Ingested, Action::Rest));
    check(S::Ingested, |_, view| view.delete_files = false, (S::Ingested, Action::Rest));
}

#[test]
fn an_upload_whose_end_is_unknown_is_looked_for() {
    check(S::Uploading, |_, _| {}, (S::Uploading, Action::LookForFile));
    let found = |_: &mut Batch, view: &mut View| view.file = FileSighting::Found("f".to_owned());
    assert_eq!(check(S::Uploading, found, (S::Uploaded, Action::Again)).input_file.as_deref(), Some("f"));
    check(S::Uploading, |_, view| view.file = FileSighting::Absent, (S::Planned, Action::Again));
}

#[test]
fn a_creation_whose_end_is_unknown_is_never_repeated_blindly() {
    check(S::Creating, |_, view| view.sighting = Sighting::NotLooked, (S::Creating, Action::LookForBatch));
    // Not listed yet, and the answer may still be on its way.
    check(S::Creating, |_, _| {}, (S::Creating, Action::Rest));
    check(S::Creating, |batch, view| (batch.unseen, view.now) = (9, NOW + 89), (S::Creating, Action::Rest));
    check(S::Creating, |_, view| view.now = NOW + 91, (S::Creating, Action::Rest));
    // Twice not there and long enough ago: it never happened, if this is the account that has the input file.
    let late = |batch: &mut Batch, view: &mut View| (batch.unseen, view.now) = (1, NOW + 91);
    check(S::Creating, late, (S::Creating, Action::LookForFile));
    let found = |batch: &mut Batch, view: &mut View| {
        late(batch, view);
        view.file = FileSighting::Found("file-1".to_owned());
    };
    assert_eq!(
        check(S::Creating, found, (S::Uploaded, Action::Again)).attempts,
        1,
        "the next creation takes the next number"
    );
    let elsewhere = |batch: &mut Batch, view: &mut View| {
        late(batch, view);
        view.file = FileSighting::Absent;
    };
    let waiting = check(S::Creating, elsewhere, (S::Creating, Action::Rest));
    let since = waiting.unseen_since.expect("it waits");
    let much_later = |batch: &mut Batch, view: &mut View| {
        elsewhere(batch, view);
        (batch.unseen, batch.unseen_since, view.now) = (waiting.unseen, Some(since), since + view.patience_s);
    };
    let missing = check(S::Creating, much_later, (S::Missing, Action::Rest));
    assert_eq!(missing.trouble.map(|trouble| trouble.kind), Some(TroubleKind::BatchUnknown));
    let adopted = check(S::Creating, |_, view| view.sighting = seen("in_progress", ""), (S::InProgress, Action::Again));
    assert_eq!(adopted.provider_id.as_deref(), Some("batch_1"));
}

#[test]
fn an_attempt_of_a_copied_store_is_adopted_before_anything_is_sent() {
    for state in [S::Planned, S::Waiting, S::Uploaded] {
        let adopted = check(state, |_, view| view.sighting = seen("validating", ""), (S::Validating, Action::Again));
        assert_eq!((adopted.provider_id.as_deref(), adopted.attempts), (Some("batch_1"), 1));
    }
}

#[test]
fn a_full_queue_is_a_wait_and_the_same_file_is_used_again() {
    let words = r#","errors":{"data":[{"code":"token_limit_exceeded","message":"Enqueued token limit reached for m in organization o. Limit: 2,000,000 enqueued tokens."}]}"#;
    let waiting = check(S::Validating, |_, view| view.sighting = seen("failed", words), (S::Waiting, Action::Again));
    assert_eq!((waiting.provider_id, waiting.input_file.as_deref()), (None, Some("file-1")));
    assert_eq!(waiting.trouble.map(|trouble| trouble.kind), Some(TroubleKind::QueueFull));
    check(S::Waiting, |batch, _| batch.retry_at = Some(NOW + 1), (S::Waiting, Action::Rest));
    check(S::Waiting, |_, view| view.room = Room::QueueFull, (S::Waiting, Action::Rest));
    check(S::Waiting, |_, _| {}, (S::Uploaded, Action::Again));
    check(S::Planned, |_, view| view.room = Room::QueueFull, (S::Waiting, Action::Rest));
}

#[test]
fn a_refused_input_fails_with_the_providers_words() {
    let words = r#","errors":{"data":[{"code":"invalid_json_line","message":"This line is not parseable as valid JSON.","line":7}]}"#;
    let failed = check(S::Validating, |_, view| view.sighting = seen("failed", words), (S::Failed, Action::Again));
    let trouble = failed.trouble.expect("trouble");
    assert_eq!(trouble.words, "invalid_json_line: This line is not parseable as valid JSON. (line 7)");
    check(S::Failed, |_, _| {}, (S::Failed, Action::Rest));
}

#[test]
fn a_file_that_the_provider_cannot_see_is_sent_a_few_times_more() {
    let words = r#","errors":{"data":[{"code":"invalid_request","message":"Cannot find file","param":"file_id"}]}"#;
    let once = |batch: &mut Batch, view: &mut View| {
        batch.attempts = 7;
        view.sighting = seen("failed", words);
    };
    let again = check(S::Validating, once, (S::Planned, Action::Again));
    assert_eq!((again.input_file, again.files_unseen, again.retry_at), (None, 1, None));
    let twice = |batch: &mut Batch, view: &mut View| {
        batch.files_unseen = 3;
        view.sighting = seen("failed", words);
    };
    let failed = check(S::Validating, twice, (S::Failed, Action::Again));
    assert_eq!(failed.trouble.map(|trouble| trouble.kind), Some(TroubleKind::FileNotVisible));
}

#[test]
fn however_it_ended_both_files_are_fetched() {
    for (status, outcome) in [("expired", Outcome::Expired), ("cancelled", Outcome::Cancelled)] {
        let sight = |_: &mut Batch, view: &mut View| {
            view.sighting = seen(status, r#","output_file_id":"o","error_file_id":"e""#)
        };
        let ready = check(S::InProgress, sight, (S::Ready, Action::Again));
        assert_eq!((ready.outcome, ready.error_file.as_deref()), (Some(outcome), Some("e")));
    }
}

#[test]
fn pausing_and_cancelling() {
    check(S::Planned, |_, view| view.may_send = MaySend::No, (S::Planned, Action::Rest));
    check(S::Uploaded, |_, view| view.may_send = MaySend::No, (S::Uploaded, Action::Rest));
    check(S::Planned, |_, view| view.may_send = MaySend::Never, (S::Cancelled, Action::Again));
    check(S::Uploaded, |_, view| view.may_send = MaySend::Never, (S::Cancelled, Action::Again));
    let wish = |batch: &mut Batch, view: &mut View| {
        batch.cancel_requested = true;
        view.may_send = MaySend::Never;
        view.sighting = seen("in_progress", "");
    };
    check(S::InProgress, wish, (S::InProgress, Action::Cancel("batch_1".to_owned())));
    let asked = |batch: &mut Batch, view: &mut View| {
        batch.cancel_requested = true;
        view.sighting = seen("cancelling", "");
    };
    check(S::Cancelling, asked, (S::Cancelling, Action::Rest));
}

#[test]
fn a_batch_that_vanishes_is_missing_and_comes_back_when_it_is_seen() {
    check(S::InProgress, |_, _| {}, (S::InProgress, Action::Rest));
    let unseen = |since: Seconds| {
        move |batch: &mut Batch, _: &mut View| (batch.unseen, batch.unseen_since) = (UNSEEN_MAX - 1, Some(since))
    };
    // Looks may follow each other within a second.
    check(S::InProgress, unseen(NOW - 89), (S::InProgress, Action::Rest));
    let missing = check(S::InProgress, unseen(NOW - 90), (S::Missing, Action::Rest));
    assert_eq!(missing.trouble.map(|trouble| trouble.kind), Some(TroubleKind::BatchUnknown));
    let is_back = |_: &mut Batch, view: &mut View| view.sighting = seen("completed", r#","output_file_id":"o""#);
    assert_eq!(check(S::Missing, is_back, (S::Ready, Action::Again)).unseen_since, None);
}

#[test]
fn an_ended_batch_without_files_is_looked_at_again_before_it_is_believed() {
    let counts = |completed| format!(r#","request_counts":{{"total":10,"completed":{completed},"failed":0}}"#);
    for (status, completed) in [("completed", 0), ("completed", 9), ("expired", 3), ("cancelled", 1), ("failed", 1)] {
        let nameless = |batch: &mut Batch, view: &mut View| {
            view.sighting = seen(status, &counts(completed));
            (batch.unseen, batch.unseen_since) = (UNSEEN_MAX - 1, Some(view.now - 90));
        };
        check(S::InProgress, |_, view| view.sighting = seen(status, &counts(completed)), (S::Finalizing, Action::Rest));
        // Answers that are paid for and cannot be had are the user's to decide about.
        let believed = if completed == 0 { S::Ready } else { S::Failed };
        check(S::Finalizing, nameless, (believed, Action::Again));
    }
    // Nothing was done, so there is nothing to name.
    check(S::InProgress, |_, view| view.sighting = seen("cancelled", &counts(0)), (S::Ready, Action::Again));
}

#[test]
fn a_batch_that_failed_while_it_ran_has_its_results_read() {
    for more in [
        r#","output_file_id":"o","errors":{"data":[{"code":"server_error","message":"sorry"}]}"#,
        r#","error_file_id":"e""#,
    ] {
        let ready = check(S::InProgress, |_, view| view.sighting = seen("failed", more), (S::Ready, Action::Again));
        assert_eq!((ready.provider_id.as_deref(), ready.outcome), (Some("batch_1"), Some(Outcome::Completed)));
    }
}

#[test]
fn a_closed_batch_that_turns_up_is_stopped_and_what_it_answered_is_taken() {
    let adrift = |status: &'static str, more: &'static str| {
        move |batch: &mut Batch, view: &mut View| {
            batch.provider_id = Some("batch_1".to_owned());
            view.sighting = seen(status, more);
        }
    };
    let running = check(S::Cancelled, adrift("in_progress", ""), (S::InProgress, Action::Again));
    assert!(running.cancel_requested);
    let (next, action) = step(&running, &View { sighting: seen("in_progress", ""), ..view() });
    assert_eq!((next.state, action), (S::InProgress, Action::Cancel("batch_1".to_owned())));
    check(S::Cancelled, adrift("completed", r#","output_file_id":"o""#), (S::Ready, Action::Again));
    let over = check(S::Cancelled, adrift("failed", ""), (S::Cancelled, Action::Again));
    assert_eq!(over.provider_id, None);
}

fn server_error() -> ProviderError {
    ProviderError::Server { status: 500, retry_after: None, words: "sorry".to_owned() }
}

#[test]
fn outcomes_are_recorded() {
    let uploaded = record(&batch(S::Uploading), Recorded::Uploaded("f".to_owned()), NOW);
    assert_eq!((uploaded.state, uploaded.input_file.as_deref()), (S::Uploaded, Some("f")));
    let created = record(&batch(S::Creating), Recorded::Created(Box::new(wire_batch("validating", ""))), NOW);
    assert_eq!((created.state, created.provider_id.as_deref()), (S::Validating, Some("batch_1")));
    let unclear = record(&batch(S::Creating), Recorded::CreateUnclear(server_error()), NOW);
    assert_eq!(unclear.state, S::Creating);
    let refused = ProviderError::InvalidRequest { status: 400, code: None, param: None, words: "no".to_owned() };
    assert_eq!(record(&batch(S::Creating), Recorded::NotCreated(refused), NOW).state, S::Failed);
    let key = ProviderError::Unauthorized { words: "bad key".to_owned() };
    let paused = record(&batch(S::Creating), Recorded::NotCreated(key), NOW);
    // No wait helps against that: the run is paused instead.
    assert_eq!((paused.state, paused.retry_at), (S::Uploaded, None));
}

#[test]
fn pauses_grow_and_honour_what_the_provider_asks() {
    let mut failing = batch(S::Ready);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        failing = record(&failing, Recorded::Failed(server_error()), NOW);
        pauses.push(failing.retry_at.expect("a pause") - NOW);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    let asked =
        ProviderError::RateLimited { retry_after: Some(std::time::Duration::from_secs(99)), words: String::new() };
    assert_eq!(record(&batch(S::Ready), Recorded::Failed(asked), NOW).retry_at, Some(NOW + 99));
}

#[test]
fn files_that_may_not_be_deleted_are_left_to_expire() {
    let no = ProviderError::InvalidRequest { status: 400, code: None, param: None, words: "no".to_owned() };
    assert!(record(&batch(S::Ingested), Recorded::NotCleaned(no), NOW).cleaned);
    assert!(!record(&batch(S::Ingested), Recorded::NotCleaned(server_error()), NOW).cleaned);
    let mut refused = batch(S::Ingested);
    let mut tries = 0;
    while !refused.cleaned {
        refused =
            record(&refused, Recorded::NotCleaned(ProviderError::Forbidden { words: "not this key".to_owned() }), NOW);
        tries += 1;
    }
    assert_eq!((tries, refused.state), (9, S::Ingested));
}

#[test]
fn a_settled_batch_does_nothing_twice() {
    // Stepping what a step returned, with nothing new in sight, changes nothing and asks for nothing that costs.
    for state in [S::Waiting, S::Creating, S::Validating, S::InProgress, S::Finalizing, S::Failed, S::Cancelled] {
        let (mut batch, mut view) = (batch(state), view());
        batch.retry_at = Some(NOW + 1_000);
        batch.cleaned = true;
        view.sighting =
            if state.is_at_provider() && state != S::Creating { seen(name(state), "") } else { Sighting::Absent };
        let (next, action) = step(&batch, &view);
        assert_eq!((next.state, action), (state, Action::Rest));
    }
}

fn name(state: BatchState) -> &'static str {
    let names =
        BTreeMap::from([("validating", S::Validating), ("in_progress", S::InProgress), ("finalizing", S::Finalizing)]);
    names.into_iter().find(|(_, named)| *named == state).map_or("validating", |(name, _)| name)
}
