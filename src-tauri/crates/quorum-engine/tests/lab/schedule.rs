//! A schedule of misfortune, all drawn from one seed: where the program dies, what the provider does wrong, how time passes.

use quorum_core::prng::Prng;
use quorum_sim::{Call, Fault, Kind, Stage};
use quorum_store::testing::Loss;

pub struct Draw(pub Prng);

impl Draw {
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From `low` to `high`, both included.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        let at = self.within(0, choices.len() as u64 - 1);
        choices[usize::try_from(at).expect("small")].clone()
    }

    fn share(&mut self) -> f64 {
        self.within(0, 100) as f64 / 100.0
    }
}

/// Where the program dies.
#[derive(Clone, Copy, Debug)]
pub enum Crash {
    /// At the nth sync of the store from now.
    Sync(u64),
    /// At the nth call from now, before it had any effect.
    BeforeCall(u64),
    /// At the nth call from now, after its effect and before its answer.
    AfterCall(u64),
}

/// How the run is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Batches,
    /// A trial of each model goes first.
    WithTrials,
    OnDemand,
}

#[derive(Clone, Debug)]
pub struct Schedule {
    pub shape: Shape,
    pub crashes: Vec<(Crash, Loss)>,
    pub faults: Vec<Fault>,
    /// An attempt at a batch that was taken as lost turns up when another one runs.
    pub has_late_twin: bool,
    /// Somebody sits before it: see [`crate::user`].
    pub user: Option<Meddler>,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meddler {
    /// Pauses, resumes and asks again.
    Impatient,
    /// Cancels and plans anew besides.
    Fickle,
    /// Stores another project's key now and then, and the first one again.
    OfTwoProjects,
}

const CRASHES_MAX: u64 = 5;
const FAULTS_MAX: u64 = 5;
/// Faults that cost rows a round; the loop asks again three times by itself.
const ROUNDS_MAX: usize = 3;

/// A file that the provider cannot see is uploaded so many times more.
const UPLOADS_AGAIN_MAX: usize = 3;

impl Schedule {
    pub fn draw(draw: &mut Draw) -> Self {
        let crashes = (0..draw.within(0, CRASHES_MAX)).map(|_| (crash(draw), loss(draw))).collect();
        let mut faults: Vec<Fault> = (0..draw.within(0, FAULTS_MAX)).map(|_| fault(draw)).collect();
        let user =
            draw.of(&[None, None, Some(Meddler::Impatient), Some(Meddler::Fickle), Some(Meddler::OfTwoProjects)]);
        let shape = match user {
            None => draw.of(&[Shape::Batches, Shape::Batches, Shape::WithTrials, Shape::OnDemand]),
            // Of a synchronous call whose end is unclear a user says that it is asked, and perhaps paid, again.
            Some(_) => Shape::Batches,
        };
        // Once cancelled, what turns up late is looked for no more.
        let is_given_up = matches!(user, Some(Meddler::Fickle | Meddler::OfTwoProjects));
        let has_late_twin = shape == Shape::Batches && !is_given_up && draw.one_in(6);
        if has_late_twin {
            faults = late_twin(draw.within(1, 3));
        }
        // The provider's own fault in place of a completion leaves none behind: that much of it is believed.
        if shape != Shape::Batches {
            for fault in &mut faults {
                if let Kind::Status { after_effect, .. } = &mut fault.kind {
                    *after_effect = false;
                }
            }
        }
        // Time that runs backwards there takes back what was listed and named.
        if faults.iter().any(|fault| matches!(fault.kind, Kind::FilesLate { .. } | Kind::OutputFileLate { .. })) {
            faults.retain(|fault| !matches!(fault.kind, Kind::ClockJump { seconds } if seconds < 0));
        }
        let (mut rounds, mut unseen) = (0, 0);
        faults.retain(|fault| {
            rounds += usize::from(costs_a_round(&fault.kind));
            let is_unseen = matches!(fault.kind, Kind::FileNotVisible { .. });
            unseen += usize::from(is_unseen);
            (!costs_a_round(&fault.kind) || rounds <= ROUNDS_MAX) && (!is_unseen || unseen <= UPLOADS_AGAIN_MAX)
        });
        Self { shape, crashes, faults, has_late_twin, user }
    }
}

/// The `nth` batch is created without an answer and listed only long after another attempt at it was made. All batches take their
/// whole day, so that the second is stopped before it cost anything.
fn late_twin(nth: u64) -> Vec<Fault> {
    vec![
        Fault { nth: Some(nth), ..Fault::once(Kind::LostAnswer, Some(Call::CreateBatch)) },
        Fault { nth: Some(nth), ..Fault::once(Kind::Unlisted { seconds: 300 }, None) },
        Fault::from(Kind::LongRunning { seconds: 40_000_000, observations: 0 }),
        Fault::from(Kind::Expire { fraction: 1.0 }),
    ]
}

fn crash(draw: &mut Draw) -> Crash {
    match draw.within(0, 3) {
        0 | 1 => Crash::Sync(draw.within(1, 24)),
        2 => Crash::BeforeCall(draw.within(1, 24)),
        _ => Crash::AfterCall(draw.within(1, 24)),
    }
}

fn loss(draw: &mut Draw) -> Loss {
    match draw.within(0, 2) {
        0 => Loss::Nothing,
        1 => Loss::Everything,
        _ => Loss::Some { seed: draw.next() },
    }
}

fn costs_a_round(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Expire { .. }
            | Kind::BreakOff { .. }
            | Kind::RowStatus { .. }
            | Kind::StatusZero
            | Kind::RequestTimeout
            | Kind::ServerText
    )
}

/// A fault that passes without anybody's help.
fn fault(draw: &mut Draw) -> Fault {
    let call = draw.of(&[
        None,
        Some(Call::CreateBatch),
        Some(Call::UploadFile),
        Some(Call::ListBatches),
        Some(Call::ListFiles),
        Some(Call::GetBatch),
        Some(Call::Download),
        Some(Call::DeleteFile),
        Some(Call::Chat),
    ]);
    let after_effect = draw.one_in(2);
    let status = |status| Kind::Status {
        status,
        message: None,
        error_type: None,
        code: None,
        retry_after_s: None,
        retry_after_ms: None,
        should_retry: None,
        after_effect,
    };
    let row_status = |status| Kind::RowStatus {
        status,
        message: "The server had an error.".to_owned(),
        error_type: None,
        param: None,
        code: None,
    };
    let passing = ["server_error", "too_many_tasks"];
    let kind = match draw.within(0, 28) {
        0 => status(500),
        1 => status(503),
        2 => too_many_requests(draw.within(1, 90)),
        3 => Kind::Html { status: 200, after_effect },
        4 | 5 => Kind::LostAnswer,
        6 => Kind::DropRequest,
        7 => Kind::TruncatedBody { bytes: draw.within(0, 9_000) },
        8 => Kind::Cut { bytes: draw.within(0, 9_000) },
        9 => Kind::Reset { bytes: draw.within(0, 9_000) },
        10 => Kind::FileNotVisible { at: draw.of(&[Stage::Create, Stage::Validation]) },
        11 => Kind::TokenLimitExceeded { limit: draw.of(&[2_000_000, 6_000, 20_000]) },
        12 => Kind::FailValidation {
            code: draw.of(&passing).to_owned(),
            message: "The server had an error.".to_owned(),
            param: None,
            line: None,
        },
        13 | 14 => Kind::Expire { fraction: draw.share() },
        15 => Kind::CountsOff { completed: draw.of(&[-3, 2]), failed: draw.of(&[-1, 1]) },
        16 => Kind::LongFinalizing { seconds: 3_600, observations: 3 },
        17 => Kind::LongRunning { seconds: 7_200, observations: 3 },
        18 => Kind::EmptyErrorFileId,
        19 => Kind::Unlisted { seconds: draw.of(&[20, 45, 60]) },
        20 => row_status(draw.of(&[500, 503, 429, 408])),
        21 => draw.of(&[Kind::StatusZero, Kind::RequestTimeout, Kind::ServerText]),
        22 => Kind::Duplicate,
        23 => draw.of(&[Kind::Fenced, Kind::Prose]),
        24 => Kind::FilesLate { seconds: draw.of(&[20, 45, 80]) },
        25 => Kind::BreakOff { fraction: draw.share() },
        26 => Kind::OutputFileLate { seconds: draw.of(&[20, 45, 80]) },
        27 => Kind::NoMetadata,
        _ => Kind::ClockJump { seconds: draw.of(&[-7_200, 3_600]) },
    };
    let mut fault = Fault::once(kind, None);
    fault.nth = Some(draw.within(1, 12));
    match &fault.kind {
        Kind::Status { .. }
        | Kind::Html { .. }
        | Kind::LostAnswer
        | Kind::DropRequest
        | Kind::TruncatedBody { .. }
        | Kind::Cut { .. }
        | Kind::Reset { .. }
        | Kind::ClockJump { .. } => fault.on = call,
        kind => {
            fault.nth = Some(draw.within(1, 4));
            let is_row = costs_a_round(kind) && !matches!(kind, Kind::Expire { .. } | Kind::BreakOff { .. })
                || matches!(kind, Kind::Duplicate | Kind::Fenced | Kind::Prose);
            fault.row_rate = is_row.then(|| draw.share());
        }
    }
    fault
}

fn too_many_requests(retry_after_s: u64) -> Kind {
    Kind::Status {
        status: 429,
        message: None,
        error_type: None,
        code: None,
        retry_after_s: Some(retry_after_s),
        retry_after_ms: None,
        should_retry: None,
        after_effect: false,
    }
}
