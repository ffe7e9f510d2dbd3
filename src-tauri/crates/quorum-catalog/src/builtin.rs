//! The catalog that the app brings along: every YAML file under `data/`, embedded.

use std::sync::{Arc, OnceLock};

use crate::catalog::{Catalog, read};

/// (path below `data/`, content), sorted by path; written by the build script.
const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/data.rs"));

/// The built-in catalog, read once; whoever keeps it shares it.
pub fn builtin() -> &'static Arc<Catalog> {
    static BUILTIN: OnceLock<Arc<Catalog>> = OnceLock::new();
    BUILTIN.get_or_init(|| Arc::new(read(FILES.iter().copied()).0))
}

/// The files of the built-in catalog as (path, content), sorted by path: a start for a catalog of one's own.
pub fn builtin_files() -> &'static [(&'static str, &'static str)] {
    FILES
}
