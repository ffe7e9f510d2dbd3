//! A run's page: failures as they can be asked again, and what going on with a paused run may spend.

use quorum_api::{
    OpenOptions, Quorum, SAMPLE_NAME, Wish,
    dto::{
        app::ProviderKind,
        run::{FailureCause, FailureGroup, ResumeLifts, RetryWhen, RunDetail},
    },
};
use quorum_core::{
    ensemble::Ensemble,
    manifest::{Batch, BatchState, Mode, Pause, PauseKind, Trouble, TroubleKind},
};
use quorum_sim::{Call, Fault, Kind, SimConfig, Simulator};
use tempfile::TempDir;

/// 12 businesses, one review each, three votes.
const REQUESTS: u32 = 36;

struct Begun {
    quorum: Quorum,
    run: String,
    _simulator: Simulator,
    _folder: TempDir,
}

impl Begun {
    /// A run of four batches of at most ten requests, not sent yet.
    async fn new(faults: Vec<Fault>) -> Self {
        Self::in_mode(Mode::Batch, faults).await
    }

    async fn in_mode(mode: Mode, faults: Vec<Fault>) -> Self {
        let simulator = Simulator::start(SimConfig::default()).await.expect("a port");
        for fault in faults {
            simulator.fault(fault);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the data");
        quorum.dataset_import_sample().expect("the sample");
        quorum.provider_set(ProviderKind::Custom, Some(&simulator.base_url())).expect("a provider");
        let mut settings = quorum.settings_get().expect("settings");
        settings.batch_requests_max = 10;
        quorum.settings_set(settings).expect("settings");
        let wish = Wish {
            dataset: SAMPLE_NAME.into(),
            topic: "G1_allergy".to_owned(),
            k: 1,
            ensemble: Ensemble::read("gpt-5-nano:3").expect("an ensemble"),
            mode,
            canary: Some(false),
        };
        let (draft, of) = quorum.draft(&wish).expect("a draft");
        let run = quorum.start(&wish, draft, &of, None).expect("room").expect("something is missing").id.to_string();
        Self { quorum, run, _simulator: simulator, _folder: folder }
    }

    fn detail(&self) -> RunDetail {
        self.quorum.run_detail(&self.run).expect("the run")
    }

    /// Looks until nothing is under way.
    async fn settle(&self) {
        for _ in 0..60 {
            if self.quorum.tick().await.expect("a look").live == 0 {
                return;
            }
        }
        panic!("it does not end: {:?}", self.detail().summary);
    }

    fn pause(&self, kind: PauseKind) {
        let id = self.quorum.run_id(&self.run).expect("the run");
        let pause = Pause { kind, words: "for a test".to_owned() };
        self.quorum.store().change_manifest(id, |manifest| manifest.paused = Some(pause)).expect("written");
    }

    /// Requests of the batches that are still to be answered.
    fn unanswered(&self) -> u32 {
        let id = self.quorum.run_id(&self.run).expect("the run");
        let batches = self.quorum.store().batches(id).expect("readable");
        batches.iter().filter(|batch| batch.state == BatchState::Planned).map(|batch| batch.requests).sum()
    }
}

fn shown(group: &FailureGroup) -> (FailureCause, u32, Option<&str>, bool) {
    (group.cause, group.count, group.provider_code.as_deref(), group.retryable)
}

fn refused(code: &str) -> Fault {
    let refuse = Kind::FailValidation {
        code: code.to_owned(),
        message: "This line is not parseable as valid JSON.".to_owned(),
        param: None,
        line: Some(7),
    };
    Fault { count: Some(1), ..Fault::from(refuse) }
}

/// Two batches are refused under two codes; of each other one the model refuses the first line.
fn two_refused_and_a_line_of_the_others() -> Vec<Fault> {
    let first_line = Fault { row: Some(1), ..Fault::from(Kind::Refusal) };
    vec![refused("invalid_json_line"), Fault { after: Some(1), ..refused("duplicate_custom_id") }, first_line]
}

#[tokio::test]
async fn batches_refused_alike_are_one_group_with_their_codes_and_words() {
    let begun = Begun::new(two_refused_and_a_line_of_the_others()).await;
    begun.settle().await;
    let detail = begun.detail();
    let groups: Vec<_> = detail.failures.iter().map(shown).collect();
    let lines = REQUESTS.div_ceil(10) - 2;
    assert_eq!(groups.len(), 2, "{groups:?}");
    assert_eq!(
        (groups[0].0, groups[0].2, groups[0].3),
        (FailureCause::BatchRefused, Some("duplicate_custom_id, invalid_json_line"), true)
    );
    assert_eq!(groups[1], (FailureCause::Refused, lines, None, false));
    assert!(detail.failures[0].example.as_ref().is_some_and(|words| words.contains("not parseable")), "{detail:?}");
    assert_eq!(groups[0].1 + detail.summary.ingested + lines, REQUESTS);
    assert_eq!((detail.eta_earliest_at, detail.eta_latest_at), (None, None), "what stands still has no end");
}

#[tokio::test]
async fn asking_one_cause_again_sends_no_refused_batch_of_the_model() {
    let begun = Begun::new(two_refused_and_a_line_of_the_others()).await;
    begun.settle().await;
    let (batches, lines) = (begun.detail().failures[0].count, begun.detail().failures[1].count);
    let model = Some("gpt-5-nano");
    begun.quorum.run_retry(&begun.run, Some(FailureCause::Refused), model).expect("a round");
    assert_eq!(begun.unanswered(), lines);
    begun.settle().await;
    begun.quorum.run_retry(&begun.run, Some(FailureCause::BatchRefused), model).expect("a round");
    assert_eq!(begun.unanswered(), batches);
}

#[tokio::test]
async fn what_may_be_paid_already_is_asked_again_by_its_own_cause_alone() {
    let begun = Begun::new(vec![refused("invalid_json_line")]).await;
    let id = begun.quorum.run_id(&begun.run).expect("the run");
    let planned = begun.quorum.store().batches(id).expect("readable");
    let (unknown, gone) = (&planned[2], &planned[3]);
    let trouble = |kind| Some(Trouble { kind, words: String::new(), at: 1 });
    let change = |batch: &Batch, state, kind| {
        let set = |batch: &mut Batch| (batch.state, batch.trouble) = (state, trouble(kind));
        begun.quorum.store().change_batch(batch.id, set).expect("written");
    };
    change(unknown, BatchState::Missing, TroubleKind::BatchUnknown);
    change(gone, BatchState::Failed, TroubleKind::ResultsGone);
    begun.settle().await;
    let at_stake = unknown.requests + gone.requests;
    let offer = begun.quorum.retry_offer(&begun.run, None, None, false).expect("an offer");
    assert_eq!((offer.requests, offer.left_out), (10, at_stake), "the refused batch, of which nothing is paid");
    begun.quorum.run_retry(&begun.run, None, None).expect("a round");
    assert_eq!(begun.unanswered(), 10);
    begun.settle().await;
    let refused = begun.quorum.run_retry(&begun.run, None, None).expect_err("nothing else is left");
    assert!(refused.action.is_some_and(|words| words.contains("paid for already")), "{}", refused.message);

    begun.quorum.run_retry(&begun.run, Some(FailureCause::BatchMissing), None).expect("the user says so");
    assert_eq!(begun.unanswered(), at_stake);
    begun.settle().await;
    assert_eq!(begun.detail().summary.ingested, REQUESTS);
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_asked_again_when_the_user_says_so() {
    let lost = Fault { on: Some(Call::Chat), count: Some(1), ..Fault::from(Kind::LostAnswer) };
    let begun = Begun::in_mode(Mode::OnDemand, vec![lost]).await;
    begun.settle().await;
    let detail = begun.detail();
    assert_eq!(detail.failures.iter().map(shown).collect::<Vec<_>>(), [(FailureCause::Unclear, 1, None, true)]);
    assert_eq!(detail.summary.ingested, REQUESTS - 1, "it is not asked again by itself");
    let summary = &detail.summary;
    assert_eq!((summary.answered, summary.failed, summary.completed), (REQUESTS - 1, 1, REQUESTS), "{summary:?}");
    assert!(summary.sandbox && summary.provider.starts_with("127.0.0.1:"), "{summary:?}");
    let words = &detail.activity.iter().find(|entry| entry.title.contains("started")).expect("an entry").body;
    assert_eq!(*words, format!("{REQUESTS} requests, no cost"));
    begun.quorum.run_retry(&begun.run, None, None).expect("a round");
    assert_eq!(begun.unanswered(), 1);
    begun.settle().await;
    assert_eq!(begun.detail().summary.ingested, REQUESTS);
}

#[tokio::test]
async fn a_paused_run_says_what_going_on_may_spend_and_asks_nothing_again_before_it() {
    let begun = Begun::new(Vec::new()).await;
    assert_eq!((begun.detail().resume, begun.detail().retry_when), (None, RetryWhen::BatchesAreIn));
    let summary = begun.quorum.run_pause(&begun.run).expect("paused");
    let offer = begun.detail().resume.expect("it is paused");
    assert_eq!((offer.requests, offer.lifts), (REQUESTS, None));
    assert!((offer.usd - summary.usd_estimated).abs() < summary.usd_estimated * 0.05, "{offer:?} {summary:?}");
    assert_eq!(begun.detail().retry_when, RetryWhen::Resumed);
    let error = begun.quorum.run_retry(&begun.run, None, None).expect_err("it is paused");
    assert!(error.message.contains("paused before all of it was sent"), "{}", error.message);

    for (kind, lifts) in [(PauseKind::Budget, ResumeLifts::Budget), (PauseKind::Canary, ResumeLifts::Trial)] {
        begun.pause(kind);
        assert_eq!(begun.detail().resume.and_then(|offer| offer.lifts), Some(lifts));
    }
    begun.quorum.run_resume(&begun.run).expect("it goes on");
    assert_eq!(begun.detail().resume, None);
}
