//! A catalog in a folder: the thin part that opens files.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    catalog::{Catalog, read},
    problem::Problem,
    source::{CATALOG_BYTES_MAX, CATALOG_FILES_MAX, FILE_BYTES_MAX},
};

/// Deepest folder below the catalog's own.
const FOLDERS_DEPTH_MAX: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot list the folder {}", path.display())]
    List { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} has folders nested deeper than {FOLDERS_DEPTH_MAX}", path.display())]
    Depth { path: PathBuf },
    #[error("{} has more than {CATALOG_FILES_MAX} YAML files", path.display())]
    Files { path: PathBuf },
    #[error("{} has no YAML files", path.display())]
    Empty { path: PathBuf },
}

/// A file of a catalog: its path below the catalog's folder, with `/` on every system, and its content.
pub type CatalogFile = (String, Vec<u8>);

/// Reads every `.yaml` and `.yml` file below a folder, without judging it. Files and folders whose names start with a dot are
/// left out. Of a file that is too large only so much is read that [`read`] can refuse it; reading ends once the
/// files exceed the limit for a whole catalog together.
pub fn load_folder(folder: &Path) -> Result<Vec<CatalogFile>, FolderError> {
    let mut paths = Vec::new();
    list(folder, String::new(), FOLDERS_DEPTH_MAX, &mut paths)?;
    if paths.len() > CATALOG_FILES_MAX {
        return Err(FolderError::Files { path: folder.to_owned() });
    }
    if paths.is_empty() {
        return Err(FolderError::Empty { path: folder.to_owned() });
    }
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    let mut bytes_all = 0;
    for path in paths {
        let bytes = load(&folder.join(&path))?;
        bytes_all += bytes.len();
        files.push((path, bytes));
        if bytes_all > CATALOG_BYTES_MAX {
            break;
        }
    }
    Ok(files)
}

/// Reads the catalog in a folder (`terms/*.yaml`, `policies/**/*.yaml`).
pub fn read_dir(folder: &Path) -> Result<(Catalog, Vec<Problem>), FolderError> {
    load_folder(folder).map(read)
}

fn load(path: &Path) -> Result<Vec<u8>, FolderError> {
    let one_too_many = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(one_too_many).read_to_end(&mut bytes))
        .map_err(|source| FolderError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

fn list(folder: &Path, prefix: String, depth_left: usize, paths: &mut Vec<String>) -> Result<(), FolderError> {
    let failed = |source| FolderError::List { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || paths.len() > CATALOG_FILES_MAX {
            continue;
        }
        let path = entry.path();
        let below = format!("{prefix}{name}");
        if path.is_dir() {
            if depth_left == 0 {
                return Err(FolderError::Depth { path });
            }
            list(&path, below + "/", depth_left - 1, paths)?;
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            paths.push(below);
        }
    }
    Ok(())
}
