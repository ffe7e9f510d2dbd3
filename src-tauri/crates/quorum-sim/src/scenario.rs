//! Scenario files: an account, durations and faults as commented TOML.
//!
//! ```toml
//! # Everything is optional.
//! name = "a bad afternoon"
//! seed = 7                          # decides ids, answers and every drawn fault
//!
//! [account]                         # see AccountLimits
//! tier = 1
//! enqueued_tokens = { "gpt-5-nano" = 2000000 }
//!
//! [durations]                       # virtual milliseconds, see Durations
//! in_progress_ms = 600000
//!
//! [[fault]]
//! do = "status"                     # what goes wrong, see Kind
//! on = "get_batch"                  # which calls (call faults only; default any)
//! nth = 2                           # when, see Fault
//! status = 503
//! ```
//!
//! *Call faults* spoil one HTTP exchange: `status`, `html`, `lost_answer`, `drop_request`, `truncated_body`, `cut`, `reset`,
//! `slow`, `hang`, `delay`, `clock_jump`, `revoke_key`, `offline`.
//! *Batch faults* are decided when a batch is created: `file_not_visible`, `fail_validation`, `token_limit_exceeded`, `expire`,
//! `cancel`, `break_off`, `no_output_file`, `files_late`, `vanish`, `unlisted`, `counts_off`, `long_finalizing`, `long_running`,
//! `empty_error_file_id`.
//! *Row faults* are decided per row of the batches they select: `row_status`, `status_zero`, `request_timeout`, `server_text`,
//! `missing`, `duplicate`, `unknown_id`, `length`, `refusal`, `out_of_list`, `prose`, `fenced`, `broken_json`.
//!
//! Calls (or creations) are counted per fault from 1. A fault is due on number `nth` only; or on every `every`-th; else on all;
//! in each case only after `after` of them, at most `count` times, and with `probability`. The counts survive a restart.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{AccountLimits, Durations};
use crate::error::SimError;

/// A scenario file's content.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Scenario {
    pub name: String,
    pub seed: Option<u64>,
    pub account: Option<AccountLimits>,
    pub durations: Option<Durations>,
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
}

/// One fault: what, where, and when.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Fault {
    #[serde(flatten)]
    pub kind: Kind,
    /// The calls it concerns; call faults only, absent means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Call>,
    /// Only batches of this model (batch and row faults; known once the input is validated, so not for `file_not_visible`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// 0 to 1, drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Row faults: only this line (1-based).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Row faults: only so many lines, from the first on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Row faults: this share of the lines, drawn from the seed, the batch and the custom_id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_rate: Option<f64>,
}

/// The API's calls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    UploadFile,
    ListFiles,
    GetFile,
    Download,
    DeleteFile,
    CreateBatch,
    GetBatch,
    ListBatches,
    CancelBatch,
    ListModels,
    Chat,
    Other,
}

/// What goes wrong.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Kind {
    /// An error status with the provider's envelope. With `after_effect` the call has done its work all the same.
    Status {
        status: u16,
        #[serde(default)]
        message: Option<String>,
        #[serde(default, rename = "type")]
        error_type: Option<String>,
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        retry_after_s: Option<u64>,
        #[serde(default)]
        retry_after_ms: Option<u64>,
        #[serde(default)]
        should_retry: Option<bool>,
        #[serde(default)]
        after_effect: bool,
    },
    /// An HTML page, as a proxy or captive portal sends it.
    Html {
        #[serde(default = "ok_status")]
        status: u16,
        #[serde(default)]
        after_effect: bool,
    },
    /// The call does its work, then the connection closes without an answer.
    LostAnswer,
    /// The connection closes without an answer and nothing is done.
    DropRequest,
    /// A 200 whose body ends after so many bytes, with a `content-length` that agrees.
    TruncatedBody {
        bytes: u64,
    },
    /// A 200 that promises all and closes after so many bytes.
    Cut {
        bytes: u64,
    },
    /// The same with a TCP reset.
    Reset {
        bytes: u64,
    },
    /// A body that trickles: so many bytes per real second.
    Slow {
        bytes_per_s: u64,
    },
    /// No answer at all until the client gives up. With `after_effect` the call has done its work all the same.
    Hang {
        #[serde(default)]
        after_effect: bool,
    },
    /// The answer comes so many real milliseconds late.
    Delay {
        ms: u64,
    },
    /// The virtual clock jumps before the call is served; may be negative.
    ClockJump {
        seconds: i64,
    },
    /// From this call on the caller's key gets 401.
    RevokeKey,
    /// From this call on, connections are refused for so many real milliseconds.
    Offline {
        ms: u64,
    },

    /// The input file cannot be found although it was uploaded.
    FileNotVisible {
        at: Stage,
    },
    FailValidation {
        code: String,
        message: String,
        #[serde(default)]
        param: Option<String>,
        #[serde(default)]
        line: Option<u64>,
    },
    /// The queue allowance is used up, whatever is enqueued.
    TokenLimitExceeded {
        limit: u64,
    },
    /// Ends as expired after 24 virtual hours with this share of the rows done.
    Expire {
        fraction: f64,
    },
    /// Somebody else cancels it when this share of the rows is done.
    Cancel {
        fraction: f64,
    },
    /// Fails in mid-run when this share of the rows is done; the files have what was done.
    BreakOff {
        fraction: f64,
    },
    /// Completed, with neither output nor error file; the results are lost.
    NoOutputFile,
    /// Ended, but its files are named only so much later.
    FilesLate {
        seconds: i64,
    },
    /// The same of its output file alone.
    OutputFileLate {
        seconds: i64,
    },
    /// Its metadata are not given back, as by servers that keep none.
    NoMetadata,
    /// Once it ended (or at once, with `live`), the account no longer knows it.
    Vanish {
        #[serde(default)]
        live: bool,
    },
    /// The account's list does not show it for so long after its creation; it is found by its id.
    Unlisted {
        seconds: i64,
    },
    /// `request_counts` in the final state are off by so much.
    CountsOff {
        completed: i64,
        failed: i64,
    },
    /// Finalizing takes so much longer; with [`crate::Speed::Instant`] so many more observations.
    LongFinalizing {
        #[serde(default)]
        seconds: i64,
        #[serde(default)]
        observations: u32,
    },
    /// Running takes so much longer; with [`crate::Speed::Instant`] so many more observations.
    LongRunning {
        #[serde(default)]
        seconds: i64,
        #[serde(default)]
        observations: u32,
    },
    /// `error_file_id` is "" instead of null where there is no error file.
    EmptyErrorFileId,

    /// An HTTP error in the error file.
    RowStatus {
        status: u16,
        message: String,
        #[serde(default, rename = "type")]
        error_type: Option<String>,
        #[serde(default)]
        param: Option<String>,
        #[serde(default)]
        code: Option<String>,
    },
    /// `status_code` 0, empty body, no error.
    StatusZero,
    RequestTimeout,
    /// The "An error occurred while processing your request" text with status 500.
    ServerText,
    /// In neither file.
    Missing,
    /// Twice in the output file.
    Duplicate,
    /// Under a custom_id that nobody sent.
    UnknownId,
    /// finish_reason length, content cut.
    Length,
    Refusal,
    OutOfList,
    Prose,
    Fenced,
    BrokenJson,
}

/// Where a missing input file is noticed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 400 at creation.
    Create,
    /// Status failed after creation.
    Validation,
}

/// Which of the three families a fault belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scope {
    Call,
    Batch,
    Row,
}

fn ok_status() -> u16 {
    200
}

impl Kind {
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::Status { .. }
            | Self::Html { .. }
            | Self::LostAnswer
            | Self::DropRequest
            | Self::TruncatedBody { .. }
            | Self::Cut { .. }
            | Self::Reset { .. }
            | Self::Slow { .. }
            | Self::Hang { .. }
            | Self::Delay { .. }
            | Self::ClockJump { .. }
            | Self::RevokeKey
            | Self::Offline { .. } => Scope::Call,
            Self::FileNotVisible { .. }
            | Self::FailValidation { .. }
            | Self::TokenLimitExceeded { .. }
            | Self::Expire { .. }
            | Self::Cancel { .. }
            | Self::BreakOff { .. }
            | Self::NoOutputFile
            | Self::FilesLate { .. }
            | Self::OutputFileLate { .. }
            | Self::NoMetadata
            | Self::Vanish { .. }
            | Self::Unlisted { .. }
            | Self::CountsOff { .. }
            | Self::LongFinalizing { .. }
            | Self::LongRunning { .. }
            | Self::EmptyErrorFileId => Scope::Batch,
            Self::RowStatus { .. }
            | Self::StatusZero
            | Self::RequestTimeout
            | Self::ServerText
            | Self::Missing
            | Self::Duplicate
            | Self::UnknownId
            | Self::Length
            | Self::Refusal
            | Self::OutOfList
            | Self::Prose
            | Self::Fenced
            | Self::BrokenJson => Scope::Row,
        }
    }
}

impl From<Kind> for Fault {
    /// The fault that is due every time.
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            on: None,
            model: None,
            nth: None,
            every: None,
            after: None,
            count: None,
            probability: None,
            row: None,
            rows: None,
            row_rate: None,
        }
    }
}

impl Fault {
    /// The same fault, once, on the next matching call.
    pub fn once(kind: Kind, on: Option<Call>) -> Self {
        Self { on, count: Some(1), ..Self::from(kind) }
    }

    fn check(&self) -> Result<(), String> {
        let scope = self.kind.scope();
        if self.on.is_some() && scope != Scope::Call {
            return Err("`on` belongs to call faults only".to_owned());
        }
        if self.model.is_some() && scope == Scope::Call {
            return Err("`model` belongs to batch and row faults only".to_owned());
        }
        if (self.row.is_some() || self.rows.is_some() || self.row_rate.is_some()) && scope != Scope::Row {
            return Err("`row`, `rows` and `row_rate` belong to row faults only".to_owned());
        }
        if self.nth == Some(0) || self.every == Some(0) {
            return Err("`nth` and `every` count from 1".to_owned());
        }
        let shares = [self.probability, self.row_rate];
        if shares.iter().flatten().any(|share| !(0.0..=1.0).contains(share)) {
            return Err("a share lies between 0 and 1".to_owned());
        }
        if let Kind::Expire { fraction } | Kind::Cancel { fraction } = self.kind
            && !(0.0..=1.0).contains(&fraction)
        {
            return Err("`fraction` lies between 0 and 1".to_owned());
        }
        Ok(())
    }
}

impl Scenario {
    pub fn read(path: &Path) -> Result<Self, SimError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| SimError::ReadScenario { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    pub fn parse(text: &str) -> Result<Self, SimError> {
        let scenario: Self = toml::from_str(text).map_err(SimError::ParseScenario)?;
        let table: toml::Table = toml::from_str(text).map_err(SimError::ParseScenario)?;
        let known = ["name", "seed", "account", "durations", "fault"];
        if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(SimError::ScenarioFault { number: 0, reason: format!("the top level has no key `{key}`") });
        }
        let written = table.get("fault").and_then(toml::Value::as_array);
        for (index, fault) in scenario.faults.iter().enumerate() {
            let report = |reason| SimError::ScenarioFault { number: index + 1, reason };
            fault.check().map_err(report)?;
            // serde cannot refuse unknown keys beside a flattened enum: a typo would silently change the fault.
            let read = serde_json::to_value(fault).map_err(|error| report(error.to_string()))?;
            let read: BTreeSet<&str> =
                read.as_object().map_or_else(BTreeSet::new, |map| map.keys().map(String::as_str).collect());
            let keys = written.and_then(|faults| faults.get(index)).and_then(toml::Value::as_table);
            if let Some(key) = keys.and_then(|keys| keys.keys().find(|key| !read.contains(key.as_str()))) {
                return Err(report(format!("this fault has no key `{key}`")));
            }
        }
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_scenario_parses() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).expect("scenarios are shipped") {
            let path = entry.expect("the folder can be listed").path();
            let scenario = Scenario::read(&path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
            assert!(!scenario.name.is_empty(), "{}", path.display());
            read += 1;
        }
        assert!(read >= 10, "{read}");
    }

    #[track_caller]
    fn check_refused(text: &str, part: &str) {
        let error = Scenario::parse(text).expect_err("the scenario is wrong");
        assert!(format!("{error} {:?}", std::error::Error::source(&error)).contains(part), "{error:?}");
    }

    #[test]
    fn a_wrong_key_is_refused_by_name() {
        check_refused("[[fault]]\ndo = \"lost_answer\"\nnht = 2\n", "`nht`");
        check_refused("[[fault]]\ndo = \"vanish\"\non = \"get_batch\"\n", "`on` belongs");
        check_refused("[[fault]]\ndo = \"status\"\nstatus = 500\nrow_rate = 0.5\n", "row faults only");
        check_refused("[[fault]]\ndo = \"explode\"\n", "explode");
        check_refused("speed = 3\n", "`speed`");
        check_refused("[[fault]]\ndo = \"missing\"\nrow_rate = 2.0\n", "between 0 and 1");
    }
}
