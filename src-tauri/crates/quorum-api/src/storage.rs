//! What the data take on this computer, and what of them is still at providers.
//!
//! Deliberately not here: deleting. Files at a provider go once their answers are stored, if the settings say so.

use std::{fs, io, path::Path};

use crate::{
    Quorum,
    dto::{
        error::{ApiError, ErrorCode},
        storage::Storage,
    },
};

impl Quorum {
    /// Sizes on disk, and files at providers by what the batches' rows say: nobody is asked.
    pub fn storage(&self) -> Result<Storage, ApiError> {
        let failed = |error: io::Error| {
            ApiError::new(ErrorCode::StoreFailed, "The size of the data could not be read.")
                .safe("Nothing was changed.")
                .detail(error.to_string())
        };
        let all = size(self.data_dir()).map_err(failed)?;
        let store = fs::metadata(self.store().path()).map_err(failed)?.len();
        let (mut files, mut uploaded) = (0, 0);
        for batch in self.store().all_batches()?.into_iter().filter(|batch| !batch.cleaned) {
            let here = [&batch.input_file, &batch.output_file, &batch.error_file];
            files += here.into_iter().flatten().count();
            uploaded += if batch.input_file.is_some() { batch.bytes } else { 0 };
        }
        #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
        Ok(Storage {
            store_bytes: store as f64,
            other_bytes: all.saturating_sub(store) as f64,
            remote_files: u32::try_from(files).unwrap_or(u32::MAX),
            remote_uploaded_bytes: uploaded as f64,
        })
    }
}

/// Bytes of a folder's files. One that goes while it is looked at has none.
fn size(folder: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sum += match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path()),
            Ok(found) => Ok(found.len()),
            Err(error) => Err(error),
        }
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(0) } else { Err(error) })?;
    }
    Ok(sum)
}
