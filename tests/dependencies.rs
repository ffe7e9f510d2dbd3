//! The arrows between the crates point one way: shell → api → engine → provider and store, store → core; the command line and
//! the measurements may also reach below api. Read from `cargo metadata`, so that a new dependency that turns an arrow round fails here.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Each crate of the workspace and those of the workspace that it uses: no others, and none that it has ceased to use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("quorum", &["quorum-api"]),
    (
        "quorumctl",
        &["quorum-api", "quorum-bench", "quorum-catalog", "quorum-core", "quorum-engine", "quorum-sim", "quorum-store"],
    ),
    // Measures the product from outside; nothing that ships with a window may reach it.
    (
        "quorum-bench",
        &["quorum-api", "quorum-catalog", "quorum-core", "quorum-engine", "quorum-provider", "quorum-store"],
    ),
    // Feeds every reader with damaged bytes.
    ("quorum-fuzz", &["quorum-api", "quorum-catalog", "quorum-core", "quorum-provider"]),
    (
        "quorum-api",
        &["quorum-catalog", "quorum-core", "quorum-engine", "quorum-provider", "quorum-sim", "quorum-store"],
    ),
    ("quorum-engine", &["quorum-core", "quorum-provider", "quorum-store"]),
    // Knows the provider's protocol, not the domain.
    ("quorum-provider", &[]),
    ("quorum-store", &["quorum-core"]),
    ("quorum-catalog", &["quorum-core"]),
    // The simulator stands outside: it knows the provider's protocol and nothing of Quorum.
    ("quorum-sim", &[]),
    ("quorum-core", &[]),
    // Only tests use it.
    ("quorum-outside", &[]),
];

/// Crates that must not be reached from a crate, however indirectly.
const KEPT_OUT: &[(&str, &[&str])] = &[
    ("quorum-core", &["tokio", "reqwest", "redb", "tauri", "hyper", "rand", "getrandom"]),
    ("quorum-catalog", &["tokio", "reqwest", "redb", "tauri", "hyper"]),
    ("quorum-store", &["reqwest", "tauri", "hyper"]),
    ("quorum-provider", &["redb", "tauri"]),
    ("quorum-sim", &["redb", "tauri"]),
    ("quorum-engine", &["tauri", "keyring", "notify-rust"]),
    // Notifications are shown by the shell; `doctor` asks whether there is a service for them.
    ("quorum-api", &["tauri"]),
    ("quorumctl", &["tauri"]),
    ("quorum", &["quorum-bench", "quorum-fuzz"]),
];

struct Workspace {
    names: BTreeMap<String, String>,
    members: Vec<String>,
    /// Package id → package ids of its normal and build dependencies, as resolved. Development ones are left out.
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl Workspace {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let names =
            list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let members = list(&metadata["workspace_members"]).iter().map(text).collect();
        let uses = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let shipped = list(&node["deps"])
                    .into_iter()
                    .filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].as_str() != Some("dev")))
                    .map(|dep| text(&dep["pkg"]))
                    .collect();
                (text(&node["id"]), shipped)
            })
            .collect();
        Self { names, members, uses }
    }

    fn member(&self, name: &str) -> &str {
        self.members.iter().find(|id| self.names[*id] == name).unwrap_or_else(|| panic!("no crate {name}"))
    }

    /// Names of the workspace's crates that this one uses directly.
    fn own_uses(&self, id: &str) -> BTreeSet<&str> {
        self.uses[id].iter().filter(|used| self.members.contains(used)).map(|used| self.names[used].as_str()).collect()
    }

    /// Names of all crates that this one needs, with the way to each.
    fn reached(&self, id: &str) -> BTreeMap<&str, Vec<&str>> {
        let mut ways = BTreeMap::new();
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![(id, vec![self.names[id].as_str()])];
        while let Some((from, way)) = open.pop() {
            for used in &self.uses[from] {
                if seen.insert(used) {
                    let mut way = way.clone();
                    way.push(&self.names[used]);
                    ways.insert(self.names[used].as_str(), way.clone());
                    open.push((used, way));
                }
            }
        }
        ways
    }
}

#[test]
fn arrows_point_one_way() {
    let workspace = Workspace::read();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    let members: BTreeSet<&str> = workspace.members.iter().map(|id| workspace.names[id].as_str()).collect();
    assert_eq!(members, known, "a crate came or went: say here what it may use");
    for (name, allowed) in ALLOWED {
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(workspace.own_uses(workspace.member(name)), allowed, "left what {name} uses, right what it may use");
    }
}

#[test]
fn what_is_kept_out_is_not_reached() {
    let workspace = Workspace::read();
    for (name, kept_out) in KEPT_OUT {
        let reached = workspace.reached(workspace.member(name));
        for crate_name in *kept_out {
            if let Some(way) = reached.get(crate_name) {
                panic!("{name} must not reach {crate_name}: {}", way.join(" → "));
            }
        }
    }
    // The search does find things: the shell is the one place with a window.
    assert!(workspace.reached(workspace.member("quorum")).contains_key("tauri"));
}
