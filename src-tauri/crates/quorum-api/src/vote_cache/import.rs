//! Import of a vote cache: whole entries only, the last of equal keys, each topic into the space of its term hash.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use quorum_catalog::Catalog;
use quorum_core::{
    answer::is_relevance_key,
    ids::{ReviewId, TermHash, TopicId},
    manifest::{Realm, Seconds},
    schema::{Schema, Term, TermValue, VALUES_MAX},
    topic::Topic,
    votes::{Vote, encode},
};
use quorum_store::{NewVote, Space, Store};

use super::{
    file::{Metadata, VoteKey, format_error, read, read_key, read_vote},
    twice::{Suspects, Twice},
};
use crate::dto::error::ApiError;

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Whose votes they are.
    pub realm: Realm,
    /// Take topics without a term hash for answers to the present terms.
    pub assume_current: bool,
    /// For votes that do not say when they were given, Unix seconds.
    pub at: Seconds,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VotesImport {
    /// Votes that stand in the file as a whole, damaged ones included.
    pub entries: u64,
    /// Votes that are new in the store.
    pub imported: u64,
    /// Votes of a (model, run) that the store had already; those stay as they were.
    pub known: u64,
    /// Votes whose key stands again later in the file; the last one counts.
    pub duplicates: u64,
    /// Votes that cannot be used: damaged, no relevance, or of a topic that nobody knows.
    pub skipped: u64,
    /// The file ends early.
    pub truncated: bool,
    /// Usable votes of a file that ends early; 0 for a whole one.
    pub salvaged: u64,
    /// Fields without a valid value, over all votes that were taken.
    pub abstentions: u64,
    /// Topics whose votes answer other terms than the present ones.
    pub stale: Vec<StaleImport>,
    /// Topics that neither the catalog nor the file's term hashes know; their votes are among `skipped`.
    pub unknown_topics: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleImport {
    pub topic: String,
    pub term_hash: String,
    pub votes: u64,
}

/// Reads a vote cache into the store.
///
/// # Errors
/// A file that is no vote cache, or a topic of the catalog without a term hash (unless `assume_current`): nothing is imported.
/// When the store fails half-way, what was stored stays; importing again takes the rest.
pub fn votes_import(
    store: &Store,
    catalog: &Catalog,
    options: ImportOptions,
    path: &Path,
) -> Result<VotesImport, ApiError> {
    let (mut topics, mut metadata, mut twice) = (BTreeSet::new(), BTreeMap::new(), Twice::new());
    let first = read(path, &mut metadata, |key, _| {
        if let Some(key) = read_key(key) {
            twice.see(&key);
            if !topics.contains(&key.topic) {
                topics.insert(key.topic);
            }
        }
        Ok(())
    })?;
    if !first.has_raw && !first.is_cut {
        return Err(format_error(path, "it has no member `raw`".to_owned()));
    }
    let suspects = twice.suspects();
    let (targets, unknown_topics) = targets(store, catalog, options, path, &topics, &metadata)?;
    let import = Import {
        store,
        options,
        suspects,
        targets,
        chunk: Vec::with_capacity(VOTES_AT_ONCE),
        last: HashMap::new(),
        done: VotesImport { unknown_topics, ..VotesImport::default() },
    };
    import.run(path)
}

/// Where a topic's votes go.
struct Target {
    space: Space,
    schema: Schema,
    is_stale: bool,
    votes: u64,
}

fn targets(
    store: &Store,
    catalog: &Catalog,
    options: ImportOptions,
    path: &Path,
    topics: &BTreeSet<TopicId>,
    metadata: &BTreeMap<String, Metadata>,
) -> Result<(BTreeMap<TopicId, Target>, Vec<String>), ApiError> {
    let (mut hashes, mut unknown, mut without) = (BTreeMap::new(), Vec::new(), Vec::new());
    for id in topics {
        let stated = metadata.get(id.as_str()).and_then(|metadata| metadata.term_hash.as_deref());
        match (stated.filter(|hash| !hash.is_empty()), catalog.topic(id)) {
            (Some(hash), _) => drop(hashes.insert(id, TermHash::from(hash))),
            (None, Some(topic)) if options.assume_current => drop(hashes.insert(id, topic.schema.term_hash())),
            (None, Some(_)) => without.push(id.as_str()),
            (None, None) => unknown.push(id.to_string()),
        }
    }
    if !without.is_empty() {
        return Err(ApiError::invalid(format!(
            "The file does not say which definitions of the terms these votes answer: {}.",
            without.join(", ")
        ))
        .safe("Nothing was imported.")
        .action("If they answer the present ones, import again with `--assume-current`."));
    }
    let is_current =
        |id: &TopicId, hash: &TermHash| catalog.topic(id).filter(|topic| topic.schema.term_hash() == *hash);
    let mut inferred: BTreeMap<&TopicId, Observed> = BTreeMap::new();
    for (id, hash) in &hashes {
        if is_current(id, hash).is_none() && store.space(options.realm, id, hash)?.is_none() {
            inferred.insert(*id, Observed::default());
        }
    }
    if !inferred.is_empty() {
        read(path, &mut BTreeMap::new(), |key, value| {
            let observed = read_key(key).and_then(|key| inferred.get_mut(&key.topic));
            if let Some(observed) = observed {
                observed.see(value);
            }
            Ok(())
        })?;
    }
    let mut targets = BTreeMap::new();
    for (id, hash) in &hashes {
        let current = is_current(id, hash);
        let schema = match (current, inferred.remove(*id)) {
            (Some(topic), _) => topic.schema.clone(),
            (None, Some(observed)) => observed.schema(catalog.topic(id)),
            // The space is there, and its schema decides.
            (None, None) => Schema::new([]),
        };
        let space = store.intern_space(options.realm, id, hash, &schema)?;
        let schema = space.schema();
        targets.insert((*id).clone(), Target { space, schema, is_stale: current.is_none(), votes: 0 });
    }
    Ok((targets, unknown))
}

/// The fields and values that a topic's votes used, for terms that nobody knows any more.
#[derive(Default)]
struct Observed(BTreeMap<String, BTreeSet<String>>);

impl Observed {
    fn see(&mut self, json: &[u8]) {
        let Ok(vote) = serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(json) else { return };
        for (field, value) in vote {
            if field.starts_with('_') || is_relevance_key(&field) || field != field.to_lowercase() {
                continue;
            }
            let text = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Bool(value) => value.to_string(),
                _ => continue,
            };
            if !self.0.contains_key(&field) && self.0.len() >= VALUES_MAX {
                continue;
            }
            let values = self.0.entry(field).or_default();
            if values.len() < VALUES_MAX {
                values.insert(text);
            }
        }
    }

    /// A schema with these fields; values that the present term has stand in its order, and all of them are there, so that
    /// a later file finds room for its own.
    fn schema(self, present: Option<&Topic>) -> Schema {
        Schema::new(self.0.into_iter().map(|(name, observed)| {
            let field = present.and_then(|topic| topic.schema.field(&name));
            let known = field.into_iter().flat_map(|(_, field)| &field.term.values).map(|value| value.id.clone());
            let mut values: Vec<String> = known.collect();
            for value in observed {
                if !values.contains(&value) && values.len() < VALUES_MAX {
                    values.push(value);
                }
            }
            Term {
                domain: String::new(),
                id: name.to_uppercase(),
                name,
                question: None,
                description: String::new(),
                values: values
                    .into_iter()
                    .map(|id| TermValue { label: id.clone(), id, description: String::new(), cues: Vec::new() })
                    .collect(),
                default: None,
            }
        }))
    }
}

/// Votes that are stored in one transaction; bounds the memory.
const VOTES_AT_ONCE: usize = 100_000;

struct Import<'a> {
    store: &'a Store,
    options: ImportOptions,
    suspects: Suspects,
    targets: BTreeMap<TopicId, Target>,
    chunk: Vec<(VoteKey, Vote)>,
    /// Votes whose key may come again.
    last: HashMap<VoteKey, Vote>,
    done: VotesImport,
}

impl Import<'_> {
    fn run(mut self, path: &Path) -> Result<VotesImport, ApiError> {
        let pass = read(path, &mut BTreeMap::new(), |key, value| self.take(key, value))?;
        let mut last: Vec<_> = std::mem::take(&mut self.last).into_iter().collect();
        last.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (key, vote) in last {
            self.push(key, vote)?;
        }
        self.flush()?;
        self.done.entries = pass.entries;
        self.done.skipped += pass.damaged;
        self.done.truncated = pass.is_cut;
        if pass.is_cut {
            self.done.salvaged = self.done.entries - self.done.skipped;
        }
        for (topic, target) in self.targets.iter().filter(|(_, target)| target.is_stale) {
            self.done.stale.push(StaleImport {
                topic: topic.to_string(),
                term_hash: target.space.term_hash.to_string(),
                votes: target.votes,
            });
        }
        Ok(self.done)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), ApiError> {
        let Some((key, vote)) = self.read(key, value)? else {
            self.done.skipped += 1;
            return Ok(());
        };
        if !self.suspects.has(&key) {
            return self.push(key, vote);
        }
        if self.last.insert(key, vote).is_some() {
            self.done.duplicates += 1;
        }
        Ok(())
    }

    /// `None`: it cannot be used.
    fn read(&self, key: &[u8], value: &[u8]) -> Result<Option<(VoteKey, Vote)>, ApiError> {
        let Some(key) = read_key(key) else { return Ok(None) };
        let Some(target) = self.targets.get(&key.topic) else { return Ok(None) };
        let Some((answer, at)) = read_vote(&target.schema, value) else { return Ok(None) };
        let vote = Vote {
            model: self.store.intern_model(&key.model)?,
            run: key.run,
            relevant: answer.relevant,
            imported: true,
            at: at.unwrap_or(self.options.at),
            codes: encode(&target.schema, &answer.values),
        };
        Ok(Some((key, vote)))
    }

    fn push(&mut self, key: VoteKey, vote: Vote) -> Result<(), ApiError> {
        self.done.abstentions += vote.codes.iter().filter(|code| **code == 0).count() as u64;
        self.chunk.push((key, vote));
        if self.chunk.len() >= VOTES_AT_ONCE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ApiError> {
        // The votes of a review mostly stand next to each other.
        let mut ids: Vec<ReviewId> = Vec::new();
        let mut votes: BTreeMap<TopicId, Vec<(usize, Vote)>> = BTreeMap::new();
        for (key, vote) in self.chunk.drain(..) {
            if ids.last() != Some(&key.review) {
                ids.push(key.review);
            }
            votes.entry(key.topic).or_default().push((ids.len() - 1, vote));
        }
        let numbers = self.store.intern_reviews(&ids)?;
        for (topic, votes) in votes {
            let Some(target) = self.targets.get_mut(&topic) else { continue };
            target.votes += votes.len() as u64;
            let votes = votes.into_iter().map(|(at, vote)| NewVote { review: numbers[at], vote }).collect();
            let merged = self.store.add_votes(target.space.number, target.space.fields.len(), votes)?;
            self.done.imported += u64::from(merged.added);
            self.done.known += u64::from(merged.known);
        }
        Ok(())
    }
}
