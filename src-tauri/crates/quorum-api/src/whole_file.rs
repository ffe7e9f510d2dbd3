//! Files that are there as a whole or not at all: written beside their place under another name, flushed, then renamed.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::dto::error::{ApiError, ErrorCode};

/// Writes a file. When anything fails, what stood there before stays, and nothing half-written does.
pub fn write_whole<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, WriteError>,
) -> Result<T, ApiError> {
    let part = part_of(path);
    let done = write_part(&part, write).and_then(|done| {
        fs::rename(&part, path)?;
        Ok(done)
    });
    done.map_err(|error| {
        // A part that cannot be removed is written over the next time; the first error is the one to tell.
        let _ = fs::remove_file(&part);
        match error {
            WriteError::Api(error) => *error,
            WriteError::Io(error) => unwritable(path, &error),
        }
    })
}

fn write_part<T>(
    part: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<T, WriteError>,
) -> Result<T, WriteError> {
    let mut out = BufWriter::with_capacity(1 << 17, File::create(part)?);
    let done = write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(done)
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = OsString::from(path);
    part.push(".part");
    PathBuf::from(part)
}

/// Why a file was not written: the disk, or what was to be written.
#[derive(Debug)]
pub enum WriteError {
    Io(io::Error),
    Api(Box<ApiError>),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for WriteError {
    fn from(error: serde_json::Error) -> Self {
        Self::Io(error.into())
    }
}

impl From<quorum_store::StoreError> for WriteError {
    fn from(error: quorum_store::StoreError) -> Self {
        Self::Api(Box::new(error.into()))
    }
}

impl From<ApiError> for WriteError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

/// A file or folder that may not be written, with its path.
pub fn unwritable(path: &Path, error: &io::Error) -> ApiError {
    let shown = path.display();
    let safe = "A file that stood there before is unchanged.";
    match error.kind() {
        io::ErrorKind::StorageFull => {
            ApiError::new(ErrorCode::DiskFull, format!("The disk is full: {shown} was not written."))
                .safe(safe)
                .action("Free some space, or choose a folder on another disk.")
        }
        _ => ApiError::new(ErrorCode::FileUnwritable, format!("{shown} cannot be written."))
            .safe(safe)
            .action("Choose a folder that you may write to."),
    }
    .detail(error.to_string())
}

/// A file that may not be read, with its path.
pub fn unreadable(path: &Path, error: &io::Error) -> ApiError {
    ApiError::new(ErrorCode::FileUnreadable, format!("{} cannot be read.", path.display()))
        .safe("Nothing was changed.")
        .action("Check the path and your permission to read it.")
        .detail(error.to_string())
}
