//! The files of a catalog, decoded and sorted by what they hold; each knows its own problems.
//!
//! Not here: opening files ([`crate::read_dir`]) and what the trees mean.

use std::sync::Arc;

use crate::{
    problem::{Place, Problems},
    yaml::{self, Node},
};

/// Largest single file. The largest of the built-in catalog has 30 kB.
pub const FILE_BYTES_MAX: usize = 4_000_000;

/// Largest catalog, all files together. The built-in one has 0.5 MB.
pub const CATALOG_BYTES_MAX: usize = 16_000_000;

/// Most files of a catalog. The built-in one has 91.
pub const CATALOG_FILES_MAX: usize = 2_000;

#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub path: Arc<str>,
    pub kind: Kind,
    /// `None`: not readable, and `problems` says why.
    pub node: Option<Node>,
    pub problems: Problems,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A term library; holds its domain.
    Terms(String),
    Policy,
    /// Neither, or not known because the file is not readable.
    Other,
}

impl Source {
    pub fn start(&self) -> Place {
        Place::start_of(&self.path)
    }

    /// Reads one file; `bytes` is its content.
    pub fn read(path: &str, bytes: &[u8]) -> Self {
        let path: Arc<str> = path.replace('\\', "/").into();
        let mut problems = Problems::default();
        let node = decode(&path, bytes, &mut problems).and_then(|text| yaml::load(&path, text, &mut problems));
        let kind = kind_of(&path, node.as_ref());
        if kind == Kind::Other && node.is_some() {
            let start = Place::start_of(&path);
            problems.warning(&start, "neither a term library (terms/*.yaml) nor a policy (with `policy_id`); not read");
        }
        Self { path, kind, node, problems }
    }

    /// A file that was not read, for a reason that concerns the whole catalog.
    pub fn refused(path: &str, reason: &str) -> Self {
        let path: Arc<str> = path.replace('\\', "/").into();
        let mut problems = Problems::default();
        problems.error(&Place::start_of(&path), reason);
        Self { kind: kind_of(&path, None), path, node: None, problems }
    }
}

/// Reads the files of a catalog in the order of their paths, within the limits.
pub(crate) fn read_sources<P: AsRef<str>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, B)>) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut bytes_all = 0_usize;
    for (path, bytes) in files {
        let (path, bytes) = (path.as_ref(), bytes.as_ref());
        bytes_all = bytes_all.saturating_add(bytes.len());
        if bytes_all > CATALOG_BYTES_MAX {
            sources.push(Source::refused(
                path,
                &format!("the catalog has more than {CATALOG_BYTES_MAX} bytes of YAML; not read from here on"),
            ));
            break;
        }
        if sources.len() >= CATALOG_FILES_MAX {
            sources.push(Source::refused(
                path,
                &format!("the catalog has more than {CATALOG_FILES_MAX} files; not read from here on"),
            ));
            break;
        }
        sources.push(Source::read(path, bytes));
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn decode<'a>(path: &Arc<str>, bytes: &'a [u8], problems: &mut Problems) -> Option<&'a str> {
    if bytes.len() > FILE_BYTES_MAX {
        let found = bytes.len();
        problems
            .error(&Place::start_of(path), format!("expected at most {FILE_BYTES_MAX} bytes in a file, found {found}"));
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let read = &bytes[..error.valid_up_to()];
            let line_start = read.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
            let line = read.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = String::from_utf8_lossy(&read[line_start..]).chars().count() + 1;
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let place = Place { file: Arc::clone(path), line: number(line), column: number(column) };
            problems.error(&place, "not UTF-8; save the file as UTF-8");
            None
        }
    }
}

fn kind_of(path: &str, node: Option<&Node>) -> Kind {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let stem = stem(name);
    let domain = || Kind::Terms(stem.strip_prefix('_').unwrap_or(stem).to_owned());
    match parts.find(|part| matches!(*part, "terms" | "policies")) {
        Some("terms") => domain(),
        Some(_) => Kind::Policy,
        None => match node {
            Some(node) if ["policy_id", "normative", "decision"].iter().any(|key| node.get(key).is_some()) => {
                Kind::Policy
            }
            Some(node) if is_library(node) => domain(),
            _ => Kind::Other,
        },
    }
}

fn is_library(node: &Node) -> bool {
    matches!(&node.value, yaml::Value::Map(terms) if !terms.is_empty() && terms.iter().all(|(_, term)| term.get("values").is_some()))
}

/// A file name without `.yaml` or `.yml`.
pub(crate) fn stem(name: &str) -> &str {
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
}
