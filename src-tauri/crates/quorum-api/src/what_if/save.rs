//! Saving what was tried as a policy of one's own: a file in the user's catalog, beside the original.
//!
//! Before it is stored it is read back, and has to be the policy that was tried.

use quorum_catalog::{Catalog, OWN_VARIANTS, Severity, Step, builtin, read};
use quorum_core::{ids::PolicyId, policy::Policy};

use super::{
    bench::{Bench, Moves},
    diff::difference,
    knobs::Target,
};
use crate::dto::{
    error::{ApiError, ErrorCode},
    what_if::{KnobChange, PolicyDraft},
};

/// Longest name that fits where policies are listed.
const NAME_CHARS_MAX: usize = 60;

/// A policy of one's own, ready to be stored.
pub(super) struct Prepared {
    pub draft: PolicyDraft,
    pub text: String,
}

/// Makes the file. `files` is the user's catalog as it is stored.
pub(super) fn prepare(
    bench: &Bench,
    catalog: &Catalog,
    files: &[(String, String)],
    changes: &[KnobChange],
    name: &str,
) -> Result<Prepared, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(ApiError::invalid("The policy needs a name.")
            .safe("Nothing was saved.")
            .action(format!("Give 1 to {NAME_CHARS_MAX} characters on one line.")));
    }
    let (moves, left_out): (Moves<'_>, Moves<'_>) =
        bench.moves(changes)?.into_iter().partition(|(_, target, _)| !matches!(target, Target::Weight(_)));
    if moves.is_empty() {
        return Err(ApiError::invalid("Nothing that belongs to the policy was moved.").safe("Nothing was saved."));
    }
    let original = bench.policy();
    let topic = &bench.topic().id;
    let (variant, file) = free_place(catalog, files, bench)?;
    let id = PolicyId::new(format!("{topic}_{variant}"));
    let lost = |what: &str| {
        ApiError::new(ErrorCode::Internal, format!("{what} cannot be written into the policy's file."))
            .safe("Nothing was saved, and the original is as it was.")
    };
    let before = catalog.draft(&original.id).ok_or_else(|| lost("The policy"))?;
    let mut draft = before.clone();
    let is_named = draft.set_text(&[Step::Key("policy_id")], id.as_str())
        && draft.set_text(&[Step::Key("overview"), Step::Key("title")], name);
    if !is_named {
        return Err(lost("The name"));
    }
    for (knob, target, value) in &moves {
        if !target.write(&mut draft, original, bench.k(), *value) {
            return Err(lost(&knob.path));
        }
    }
    let text = draft.yaml();
    check(files, (&file, &text), &id, &bench.moved(&moves))?;
    Ok(Prepared {
        draft: PolicyDraft {
            policy: id.to_string(),
            variant,
            file,
            lines: difference(&before.yaml(), &text),
            left_out: left_out.into_iter().map(|(knob, ..)| knob.knob.clone()).collect(),
        },
        text,
    })
}

/// The first variant of one's own that is free, and its file.
fn free_place(catalog: &Catalog, files: &[(String, String)], bench: &Bench) -> Result<(String, String), ApiError> {
    let topic = &bench.topic().id;
    for number in OWN_VARIANTS {
        let variant = format!("V{number}");
        let file = format!("policies/{}/{}/{variant}.yaml", topic.group(), topic.domain());
        let id = PolicyId::new(format!("{topic}_{variant}"));
        if catalog.policy(&id).is_none() && files.iter().all(|(path, _)| *path != file) {
            return Ok((variant, file));
        }
    }
    Err(ApiError::invalid(format!("The topic {topic} has all the policies of your own that it can have."))
        .safe("Nothing was saved.")
        .action("Remove one of them first."))
}

/// The catalog with the new file has to have the policy that was tried, and nothing may be wrong with it.
fn check(
    files: &[(String, String)],
    (file, text): (&str, &str),
    id: &PolicyId,
    wanted: &Policy,
) -> Result<(), ApiError> {
    let all = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).chain([(file, text)]);
    let (merged, problems) = builtin().overlay(&read(all).0);
    let wrong = |detail: String| {
        ApiError::new(ErrorCode::FileFormat, "The changed policy does not read as it was tried.")
            .safe("Nothing was saved, and the original is as it was.")
            .detail(detail)
    };
    if let Some(problem) =
        problems.iter().find(|problem| problem.severity == Severity::Error && problem.to_string().starts_with(file))
    {
        return Err(wrong(problem.to_string()));
    }
    let (_, saved) = merged.policy(id).ok_or_else(|| wrong(format!("{id} is not in the catalog")))?;
    let checks = |policy: &Policy| -> Vec<_> {
        policy.rules.iter().flat_map(|rule| rule.conditions.iter().map(|condition| condition.check.clone())).collect()
    };
    if saved.scoring != wanted.scoring || checks(saved) != checks(wanted) || saved.verdicts != wanted.verdicts {
        return Err(wrong(format!("{id} has other numbers than were tried")));
    }
    Ok(())
}
