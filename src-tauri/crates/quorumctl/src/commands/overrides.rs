//! `override import|export|set|list|undo`: a person's corrections. Every command tells the corrections that hold afterwards.

use quorum_api::{
    Quorum,
    overrides::{NewOverride, override_list, override_set, override_undo, overrides_export, overrides_import},
};
use quorum_store::{OverrideEvent, OverrideKind};
use serde_json::{Value, json};

use super::Failure;
use crate::{
    args::Override,
    outcome::{Exit, Output},
};

pub fn run(quorum: &Quorum, output: Output, command: &Override) -> Result<Exit, Failure> {
    let (store, realm) = (quorum.store(), quorum.realm()?);
    let (mut json, said) = match command {
        Override::Import { file } => {
            let done = overrides_import(store, &quorum.catalog(), realm, file, quorum.now())?;
            for reason in &done.without_effect {
                say!("quorumctl: kept, without effect for now: {reason}");
            }
            let json = json!({"imported": done.imported, "known": done.known, "without_effect": done.without_effect});
            (json, format!("{} corrections imported, {} known already", done.imported, done.known))
        }
        Override::Export { file } => {
            let exported = overrides_export(store, realm, file)?;
            let json = json!({"exported": exported, "file": file.display().to_string()});
            (json, format!("{}: {exported} corrections", file.display()))
        }
        Override::Set { topic, review, corrected, reason } => {
            let new = NewOverride { topic, review, corrected, reason, at: quorum.now() };
            let event = override_set(store, &quorum.catalog(), realm, new)?;
            (json!({"set": shown(&event)}), people(&event))
        }
        Override::Undo { id, reason } => {
            override_undo(store, *id, reason, quorum.now())?;
            (json!({"undone": id}), format!("correction {id} no longer holds; the trail keeps it"))
        }
        Override::List { trail } => return list(quorum, output, *trail),
    };
    json["overrides"] = override_list(store, realm)?.iter().map(shown).collect();
    output.result(&json, || said);
    Ok(Exit::Done)
}

fn list(quorum: &Quorum, output: Output, trail: bool) -> Result<Exit, Failure> {
    let realm = quorum.realm()?;
    let mut json = json!({"overrides": override_list(quorum.store(), realm)?.iter().map(shown).collect::<Vec<_>>()});
    let events = if trail {
        let mut events = quorum.store().override_trail()?;
        events.retain(|event| event.realm == realm);
        json["trail"] = events.iter().map(shown).collect();
        events
    } else {
        override_list(quorum.store(), realm)?
    };
    output.result(&json, || match events.as_slice() {
        [] => "no corrections".to_owned(),
        events => events.iter().map(people).collect::<Vec<_>>().join("\n"),
    });
    Ok(Exit::Done)
}

fn shown(event: &OverrideEvent) -> Value {
    let mut json = json!({
        "id": event.number,
        "at": event.at,
        "topic": event.topic,
        "review_id": event.review,
        "business_id": event.business,
        "reason": event.reason,
    });
    match &event.kind {
        OverrideKind::Set { original, corrected } => {
            json["original"] = json!(original);
            json["corrected"] = json!(corrected);
        }
        OverrideKind::Undo { undoes } => json["undoes"] = json!(undoes),
    }
    json
}

fn people(event: &OverrideEvent) -> String {
    let what = match &event.kind {
        OverrideKind::Undo { undoes } => format!("undoes {undoes}"),
        OverrideKind::Set { original, corrected } => {
            let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let field = |(field, value): (&String, &Value)| {
                let before = original.get(field).filter(|value| !value.is_null());
                let before = before.map(|before| format!(" (was {})", plain(before))).unwrap_or_default();
                format!("{field}={}{before}", plain(value))
            };
            corrected.iter().map(field).collect::<Vec<_>>().join(", ")
        }
    };
    format!("{:>4}  {}  {}  {what}  {:?}", event.number, event.topic, event.review, event.reason)
}
