//! Running the program: a data directory of its own, nothing of the user's around it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        let json: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert!(json.is_object(), "{self:?}");
        json
    }

    /// Done: its JSON.
    #[track_caller]
    pub fn done(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.json()
    }

    /// Refused with this status, for a reason on stderr that has these words, and no panic. Understood commands tell one
    /// JSON object all the same.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) {
        if code != 2 {
            self.json();
        }
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

/// A data directory that goes away with the test.
pub struct Data {
    folder: TempDir,
}

impl Data {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// With the bundled sample in it.
    pub fn with_sample() -> Self {
        let data = Self::new();
        let done = data.json(&["dataset", "import", sample().to_str().expect("a path"), "--name", "sample"]).done();
        assert_eq!(
            (done["businesses"].as_u64(), done["reviews"].as_u64(), done["skipped"].as_u64()),
            (Some(12), Some(300), Some(0))
        );
        data
    }

    /// With the sample and all of its votes on `G1_allergy` at K=10: made once, copied for each test.
    pub fn with_votes() -> Self {
        static MADE: OnceLock<Data> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let data = Self::with_sample();
            let done = data.extract("G1_allergy", 10).done();
            assert_eq!((done["state"].as_str(), done["ingested"].as_u64()), (Some("completed"), Some(480)), "{done}");
            data
        });
        let data = Self::new();
        std::fs::create_dir_all(data.path()).expect("a folder");
        std::fs::copy(made.store(), data.store()).expect("a copy");
        data
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn store(&self) -> PathBuf {
        self.path().join("quorum.redb")
    }

    /// A place beside the data.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the data.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.beside(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(&path, content).expect("a file");
        path.to_str().expect("a path").to_owned()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorumctl"));
        command.arg("--data").arg(self.path()).arg("--sandbox-evidence").args(args).stdin(Stdio::null());
        isolate(&mut command, self.folder.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        end(self.command(args))
    }

    /// With `--json`.
    pub fn json(&self, args: &[&str]) -> Ended {
        end(self.command(&[&["--json"], args].concat()))
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("a process")
    }

    /// The sample's missing votes, from the sandbox in the process.
    pub fn extract(&self, topic: &str, k: u32) -> Ended {
        let k = k.to_string();
        self.json(&[
            "--provider",
            "sandbox",
            "extract",
            "--dataset",
            "sample",
            "--topic",
            topic,
            "--k",
            &k,
            "--yes",
            "--wait",
        ])
    }

    /// Every vote of a topic, as the export has it, without the time that each was given at.
    pub fn votes(&self, topic: &str) -> Value {
        let path = self.beside("votes.json");
        self.json(&["votes", "export", topic, path.to_str().expect("a path")]).done();
        let mut cache: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
        for (_, vote) in cache["raw"].as_object_mut().expect("votes") {
            vote.as_object_mut().expect("a vote").remove("_extracted_at");
        }
        cache["raw"].take()
    }

    /// The requests that the sandbox of this data directory executed, as `custom_id` of a batch's body.
    pub fn executed(&self) -> Vec<String> {
        executed(&self.path().join("sandbox"))
    }
}

/// Bodies of the requests in a simulator's log.
pub fn executed(state: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(state.join("requests.log")).expect("a log");
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        // The body does not know the run: the id does.
        format!("{} {} {}", row["model"], row["custom_id"], row["body_sha256"])
    };
    log.lines().map(row).collect()
}

/// Nothing of the person who runs the tests: no key, no keyring, no data of theirs.
fn isolate(command: &mut Command, home: &Path) {
    command.env("HOME", home).env("XDG_DATA_HOME", home);
    for name in ["QUORUM_API_KEY", "QUORUM_DATA", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
}

pub fn end(mut command: Command) -> Ended {
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../quorum-api/sample/sample.jsonl")
}

/// The shared reviews, where they are present.
pub fn shared_reviews() -> Option<String> {
    quorum_outside::found("data/reviews_40x25.jsonl").map(|path| path.to_str().expect("a path").to_owned())
}
