//! All tables in one place. The version in a name changes when a row's meaning does.

use redb::TableDefinition;

/// Small facts about the file: schema version, store key, counters.
pub const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// dataset number → [`crate::DatasetInfo`] (JSON).
pub const DATASETS: TableDefinition<u32, &[u8]> = TableDefinition::new("datasets_v1");
/// dataset number << 32 | position → [`crate::BusinessRow`] (packed). One scan has all that planning and verdicts need.
pub const BUSINESSES: TableDefinition<u64, &[u8]> = TableDefinition::new("businesses_v1");
/// review number → [`crate::ReviewRow`] (packed).
pub const REVIEWS: TableDefinition<u32, &[u8]> = TableDefinition::new("reviews_v1");
/// review id → review number.
pub const REVIEW_NOS: TableDefinition<&str, u32> = TableDefinition::new("review_nos_v1");
/// model number → model name.
pub const MODELS: TableDefinition<u16, &str> = TableDefinition::new("models_v1");
/// space number → [`crate::Space`] (JSON).
pub const SPACES: TableDefinition<u32, &[u8]> = TableDefinition::new("spaces_v1");
/// space number << 32 | review number → packed votes ([`quorum_core::votes`]). A topic is one range.
pub const VOTES: TableDefinition<u64, &[u8]> = TableDefinition::new("votes_v1");
/// manifest number → [`quorum_core::manifest::Manifest`] (JSON).
pub const MANIFESTS: TableDefinition<u32, &[u8]> = TableDefinition::new("manifests_v1");
/// manifest number << 32 | batch number → [`quorum_core::manifest::Batch`] (JSON).
pub const BATCHES: TableDefinition<u64, &[u8]> = TableDefinition::new("batches_v1");
/// batch key → its requests, 5 bytes each, in the order of the input file.
pub const REQUESTS: TableDefinition<u64, &[u8]> = TableDefinition::new("requests_v1");
/// (batch key, review number << 8 | run) → [`quorum_core::manifest::Failure`] (JSON).
pub const FAILURES: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("failures_v1");
/// running number → [`crate::OverrideEvent`] (JSON). Append-only.
pub const OVERRIDES: TableDefinition<u32, &[u8]> = TableDefinition::new("overrides_v1");
/// running number → [`crate::UsageEntry`] (JSON). Append-only.
pub const USAGE: TableDefinition<u32, &[u8]> = TableDefinition::new("usage_v1");
/// running number → [`crate::Activity`] (JSON). Append-only.
pub const ACTIVITY: TableDefinition<u32, &[u8]> = TableDefinition::new("activity_v1");
/// running number → [`crate::GoldEvent`] (JSON). Append-only.
pub const GOLD: TableDefinition<u32, &[u8]> = TableDefinition::new("gold_v1");
/// name → JSON value.
pub const SETTINGS: TableDefinition<&str, &[u8]> = TableDefinition::new("settings_v1");
/// path within the user's catalog → YAML text.
pub const CATALOG: TableDefinition<&str, &str> = TableDefinition::new("catalog_v1");

/// A 64-bit key of two numbers; sorts by the first, then the second.
pub fn pair(first: u32, second: u32) -> u64 {
    u64::from(first) << 32 | u64::from(second)
}

/// The second number of [`pair`].
pub fn second(key: u64) -> u32 {
    u32::try_from(key & u64::from(u32::MAX)).expect("masked to 32 bits")
}

/// All keys whose first number is this.
pub fn range_of(first: u32) -> std::ops::RangeInclusive<u64> {
    pair(first, 0)..=pair(first, u32::MAX)
}

/// Does something with every table, so that making, copying and counting them can never forget one.
macro_rules! with_every_table {
    ($table:ident => $act:expr) => {{
        with_every_table!(@each $table => $act;
            META, DATASETS, BUSINESSES, REVIEWS, REVIEW_NOS, MODELS, SPACES, VOTES, MANIFESTS, BATCHES, REQUESTS,
            FAILURES, OVERRIDES, USAGE, ACTIVITY, SETTINGS, CATALOG, GOLD)
    }};
    (@each $table:ident => $act:expr; $($name:ident),+) => {{
        $({
            let $table = $crate::tables::$name;
            $act;
        })+
    }};
}
pub(crate) use with_every_table;
