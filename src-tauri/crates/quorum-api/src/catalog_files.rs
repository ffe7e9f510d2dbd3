//! The catalog as files that a person edits: what is in force, edits tried without saving, and their saving.
//!
//! A topic is the user's as a whole or not at all ([`Catalog::overlay`]), so the first edit of one of its policies takes copies of
//! the built-in others along, and a topic whose copies all say what is built in is given back. Edits come several at once: a
//! term and the policies that use it change together or not at all.
//!
//! Deliberately not here: what a change costs ([`crate::catalog_impact`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use quorum_catalog::{Catalog, FileHolds, Problem, Severity, builtin, builtin_files, read};
use quorum_core::{ids::TopicId, words::counted};
use quorum_store::Store;

use crate::{
    Quorum,
    catalog_impact::topic_changes,
    dto::{
        catalog::{
            CatalogChange, CatalogCheck, CatalogFile, CatalogFileKind, CatalogOverview, CatalogProblem,
            CatalogSeverity, CatalogText,
        },
        error::ApiError,
    },
};

/// The user's files by path.
type Files = BTreeMap<String, String>;

/// The catalog as it would be with some edits.
pub(crate) struct Edited {
    pub catalog: Arc<Catalog>,
    /// Of the user's files, and those that they cause elsewhere.
    pub problems: Vec<Problem>,
    files: Files,
    /// Built-in files that come along as copies.
    copied: Vec<String>,
}

impl Edited {
    pub fn new(store: &Store, changes: &[CatalogChange]) -> Result<Self, ApiError> {
        let stored: Files = store.catalog_files()?.into_iter().collect();
        let mut files = stored.clone();
        for change in changes {
            check_path(&change.path)?;
            match change
                .text
                .as_deref()
                .or_else(|| builtin_text(&change.path).filter(|_| files.contains_key(&change.path)))
            {
                Some(text) => files.insert(change.path.clone(), text.to_owned()),
                None => files.remove(&change.path),
            };
        }
        let touched = Touched::of(changes, &files);
        let copied = complete(&mut files, &touched, &topics_of(&stored));
        give_back(&mut files, &touched);
        let copied = copied.into_iter().filter(|path| files.contains_key(path)).collect();
        let (catalog, problems) = laid_over(&files);
        Ok(Self { catalog, problems, files, copied })
    }

    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }
}

/// What a set of edits concerns.
struct Touched {
    topics: BTreeSet<TopicId>,
    domains: BTreeSet<String>,
}

impl Touched {
    fn of(changes: &[CatalogChange], files: &Files) -> Self {
        let paths: BTreeSet<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        let (user, _) = read(files.iter());
        let mut touched = Self { topics: BTreeSet::new(), domains: BTreeSet::new() };
        for (_, holds) in user.files().chain(builtin().files()).filter(|(path, _)| paths.contains(path)) {
            match holds {
                FileHolds::Policy { topic, .. } => touched.topics.extend(topic),
                FileHolds::Terms { domain } => drop(touched.domains.insert(domain)),
                FileHolds::Other => {}
            }
        }
        touched
    }
}

/// A path inside the catalog's folder; nothing is ever written there, so this is about being found again.
fn check_path(path: &str) -> Result<(), ApiError> {
    let is_inside = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let is_yaml = [".yaml", ".yml"].iter().any(|end| path.ends_with(end));
    if is_inside && is_yaml && !path.contains(['\\', '\0']) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("\"{path}\" is no path in a catalog."))
        .safe("Nothing was saved.")
        .action("Name a .yaml file below the catalog's folder, such as terms/mine.yaml."))
}

fn builtin_text(path: &str) -> Option<&'static str> {
    let files = builtin_files();
    files.binary_search_by(|(known, _)| (*known).cmp(path)).ok().map(|at| files[at].1)
}

/// The user's catalog on top of the built-in one.
fn laid_over(files: &Files) -> (Arc<Catalog>, Vec<Problem>) {
    if files.is_empty() {
        return (Arc::clone(builtin()), Vec::new());
    }
    let (catalog, problems) = builtin().overlay(&read(files.iter()).0);
    (Arc::new(catalog), problems)
}

fn policies(catalog: &Catalog) -> impl Iterator<Item = (&str, TopicId, Option<String>)> {
    catalog.files().filter_map(|(path, holds)| match holds {
        FileHolds::Policy { topic: Some(topic), variant } => Some((path, topic, variant)),
        _ => None,
    })
}

fn topics_of(files: &Files) -> BTreeSet<TopicId> {
    policies(&read(files.iter()).0).map(|(_, topic, _)| topic).collect()
}

/// Adds the built-in policies of touched topics that become the user's with these edits.
fn complete(files: &mut Files, touched: &Touched, before: &BTreeSet<TopicId>) -> Vec<String> {
    let (user, _) = read(files.iter());
    let has: BTreeSet<(TopicId, Option<String>)> =
        policies(&user).map(|(_, topic, variant)| (topic, variant)).collect();
    let becomes = |topic: &TopicId| {
        touched.topics.contains(topic) && !before.contains(topic) && has.iter().any(|(known, _)| known == topic)
    };
    let mut copied = Vec::new();
    for (path, topic, variant) in policies(builtin()) {
        if becomes(&topic)
            && !files.contains_key(path)
            && !has.contains(&(topic, variant))
            && let Some(text) = builtin_text(path)
        {
            files.insert(path.to_owned(), text.to_owned());
            copied.push(path.to_owned());
        }
    }
    copied
}

/// Takes out touched topics and libraries that say nothing but what is built in.
fn give_back(files: &mut Files, touched: &Touched) {
    let (user, _) = read(files.iter());
    let is_builtin = |path: &str| files.get(path).is_some_and(|text| builtin_text(path) == Some(text.as_str()));
    let mut gone: Vec<String> = Vec::new();
    for topic in &touched.topics {
        let of = |catalog: &Catalog| -> BTreeSet<String> {
            policies(catalog).filter(|(_, known, _)| known == topic).map(|(path, ..)| path.to_owned()).collect()
        };
        let mine = of(&user);
        if mine == of(builtin()) && mine.iter().all(|path| is_builtin(path)) {
            gone.extend(mine);
        }
    }
    for (path, holds) in user.files() {
        if matches!(holds, FileHolds::Terms { domain } if touched.domains.contains(&domain)) && is_builtin(path) {
            gone.push(path.to_owned());
        }
    }
    for path in gone {
        files.remove(&path);
    }
}

pub(crate) fn problem_of(problem: &Problem) -> CatalogProblem {
    CatalogProblem {
        file: problem.file.clone(),
        line: problem.line,
        column: problem.column,
        severity: match problem.severity {
            Severity::Error => CatalogSeverity::Error,
            Severity::Warning => CatalogSeverity::Warning,
            Severity::Note => CatalogSeverity::Note,
        },
        message: problem.message.clone(),
    }
}

impl Quorum {
    /// The catalog's files, and the problems of the user's.
    pub fn catalog_overview(&self) -> Result<CatalogOverview, ApiError> {
        let stored: Files = self.store().catalog_files()?.into_iter().collect();
        let (catalog, problems) = laid_over(&stored);
        let mut files: BTreeMap<&str, CatalogFile> = BTreeMap::new();
        for (path, holds) in catalog.files() {
            // The user's stands first; a built-in one of the same path is hidden behind it.
            files.entry(path).or_insert_with(|| file_of(path, holds, &stored));
        }
        Ok(CatalogOverview {
            files: files.into_values().collect(),
            problems: problems.iter().map(problem_of).collect(),
        })
    }

    pub fn catalog_text(&self, path: &str) -> Result<CatalogText, ApiError> {
        let stored = self.store().catalog_files()?.into_iter().find(|(known, _)| known == path).map(|(_, text)| text);
        let builtin = builtin_text(path).map(str::to_owned);
        let text = stored
            .or_else(|| builtin.clone())
            .ok_or_else(|| ApiError::not_found(format!("The catalog has no file {path}.")))?;
        Ok(CatalogText { path: path.to_owned(), text, builtin })
    }

    /// What edits would change. Saves nothing.
    pub fn catalog_try(&self, changes: &[CatalogChange]) -> Result<CatalogCheck, ApiError> {
        let edited = Edited::new(self.store(), changes)?;
        let errors = edited.errors().count();
        Ok(CatalogCheck {
            problems: edited.problems.iter().map(problem_of).collect(),
            errors: u32::try_from(errors).unwrap_or(u32::MAX),
            topics: topic_changes(&self.catalog(), &edited.catalog),
            copied: edited.copied,
        })
    }

    /// Saves edits together. Refused as a whole when the catalog would have an error.
    pub fn catalog_save(&self, changes: &[CatalogChange]) -> Result<CatalogOverview, ApiError> {
        let edited = Edited::new(self.store(), changes)?;
        let errors: Vec<String> = edited.errors().map(ToString::to_string).collect();
        if !errors.is_empty() {
            let many = counted(errors.len() as u64, "error", "errors");
            return Err(ApiError::invalid(format!("The catalog would have {many}."))
                .safe("Nothing was saved; the catalog is as it was.")
                .action("Mend what is listed and save again.")
                .detail(errors.join("\n")));
        }
        let stored: Files = self.store().catalog_files()?.into_iter().collect();
        let gone: Vec<String> = stored.keys().filter(|path| !edited.files.contains_key(*path)).cloned().collect();
        let put: Vec<(String, String)> =
            edited.files.into_iter().filter(|(path, text)| stored.get(path) != Some(text)).collect();
        self.store().change_catalog(&put, &gone)?;
        self.inner.topics.replace(edited.catalog);
        self.catalog_overview()
    }
}

fn file_of(path: &str, holds: FileHolds, stored: &Files) -> CatalogFile {
    let (kind, domain, topic, variant) = match holds {
        FileHolds::Terms { domain } => (CatalogFileKind::Terms, Some(domain), None, None),
        FileHolds::Policy { topic, variant } => {
            (CatalogFileKind::Policy, None, topic.map(|topic| topic.to_string()), variant)
        }
        FileHolds::Other => (CatalogFileKind::Other, None, None, None),
    };
    let (mine, builtin) = (stored.get(path), builtin_text(path));
    CatalogFile {
        path: path.to_owned(),
        kind,
        domain,
        topic,
        variant,
        yours: mine.is_some(),
        changed: mine.is_some_and(|text| builtin.is_some_and(|builtin| builtin != text)),
        builtin: builtin.is_some(),
    }
}
