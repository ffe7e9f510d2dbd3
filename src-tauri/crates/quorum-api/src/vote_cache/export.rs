//! Export of a topic's votes as a vote cache that imports to the same votes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    path::Path,
};

use quorum_catalog::Catalog;
use quorum_core::{
    ids::{ModelId, ReviewId, TopicId},
    manifest::{Realm, Seconds},
    schema::Schema,
    votes::{ModelNo, ReviewNo, VoteRef, decode},
};
use quorum_store::{Space, Store};
use serde_json::{Map, Value, json};

use crate::{
    dto::error::ApiError,
    whole_file::{WriteError, write_whole},
};

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VotesExport {
    pub entries: u64,
    pub term_hash: String,
}

/// Writes the votes on a topic's present terms, or, when it has none, on the terms that were asked last.
///
/// `created_at` is in Unix seconds. Votes in the order of reviews, models by number, then runs; a value that a vote does not
/// have is `null`.
pub fn votes_export(
    store: &Store,
    catalog: &Catalog,
    realm: Realm,
    topic: &TopicId,
    path: &Path,
    created_at: Seconds,
) -> Result<VotesExport, ApiError> {
    let present = catalog.topic(topic).map(|topic| topic.schema.term_hash());
    let spaces = store.spaces()?;
    let ours = || spaces.iter().filter(|space| space.realm == realm && space.topic == *topic);
    let space =
        ours().find(|space| Some(&space.term_hash) == present.as_ref()).or(ours().max_by_key(|space| space.number));
    let space = space.ok_or_else(|| {
        ApiError::not_found(format!("The topic {topic} has no votes.")).action("Extract it, or import a vote cache.")
    })?;
    let mut runs: BTreeMap<ModelNo, BTreeSet<u8>> = BTreeMap::new();
    store.each_votes(space.number, |_, row| {
        for vote in row.iter() {
            runs.entry(vote.model).or_default().insert(vote.run);
        }
    })?;
    let export = Export { space, schema: space.schema(), models: store.models(), ids: store.review_ids()? };
    let model_config: BTreeMap<String, usize> =
        runs.iter().map(|(model, runs)| (export.model(*model), runs.len())).collect();
    let metadata = json!({
        topic.as_str(): {
            "term_hash": space.term_hash.as_str(),
            "created_at": time(created_at),
            "model_config": model_config,
        }
    });
    let entries = write_whole(path, |out| {
        write!(out, "{{\"_metadata\": {metadata},\n\"raw\": {{")?;
        let entries = export.write(store, out)?;
        out.write_all(b"\n},\n\"aggregated\": {}}\n")?;
        Ok(entries)
    })?;
    Ok(VotesExport { entries, term_hash: space.term_hash.to_string() })
}

struct Export<'a> {
    space: &'a Space,
    schema: Schema,
    models: BTreeMap<ModelNo, ModelId>,
    ids: BTreeMap<ReviewNo, ReviewId>,
}

impl Export<'_> {
    fn model(&self, number: ModelNo) -> String {
        self.models.get(&number).map_or_else(String::new, ToString::to_string)
    }

    fn write(&self, store: &Store, out: &mut impl Write) -> Result<u64, WriteError> {
        let (mut entries, mut failed): (u64, Option<io::Error>) = (0, None);
        store.each_votes(self.space.number, |review, row| {
            // The scan cannot stop; after an error nothing more is written.
            for vote in row.iter() {
                if failed.is_some() {
                    return;
                }
                let line_end: &[u8] = if entries == 0 { b"\n" } else { b",\n" };
                match out.write_all(line_end).and_then(|()| self.vote(out, review, vote)) {
                    Ok(()) => entries += 1,
                    Err(error) => failed = Some(error),
                }
            }
        })?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(entries),
        }
    }

    fn vote(&self, out: &mut impl Write, review: ReviewNo, vote: VoteRef<'_>) -> io::Result<()> {
        let model = self.model(vote.model);
        let id = self.ids.get(&review).map_or("", ReviewId::as_str);
        let key = format!("{}::{id}::{model}::run{}", self.space.topic, vote.run);
        let values = decode(&self.schema, vote.codes);
        let mut entry = Map::new();
        for (field, value) in self.schema.fields().iter().zip(values) {
            let value = value.map_or(Value::Null, |value| Value::from(field.value_id(value)));
            entry.insert(field.name.clone(), value);
        }
        entry.insert("is_relevant".to_owned(), vote.relevant.into());
        entry.insert("_model".to_owned(), model.into());
        entry.insert("_run".to_owned(), vote.run.into());
        entry.insert("_extracted_at".to_owned(), time(vote.at).into());
        serde_json::to_writer(&mut *out, &key)?;
        out.write_all(b": ")?;
        serde_json::to_writer(out, &entry)?;
        Ok(())
    }
}

/// RFC 3339, UTC.
fn time(at: Seconds) -> String {
    jiff::Timestamp::from_second(i64::from(at)).map_or_else(|_| String::new(), |time| time.to_string())
}
