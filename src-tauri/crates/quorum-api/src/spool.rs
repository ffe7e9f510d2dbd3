//! Businesses that were read and counted, on disk until they are stored.
//!
//! Reading a dataset may take minutes and the store has one writer, which a run that is under way needs as well. So the reading
//! comes first, here, and the writing is short.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use quorum_store::PreparedBusiness;

const BUFFER_BYTES: usize = 1 << 18;

/// A file that goes away with it.
pub struct Spool {
    file: BufWriter<File>,
    place: Place,
}

struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "what an import had read could not be removed");
        }
    }
}

impl Spool {
    /// An empty one; what a program that was stopped has left there is written over.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER_BYTES, file), place: Place(path.to_owned()) })
    }

    pub fn push(&mut self, business: &PreparedBusiness) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, business)?;
        self.file.write_all(b"\n")
    }

    /// All of them, in order.
    pub fn read(self) -> io::Result<Spooled> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Spooled { file: BufReader::with_capacity(BUFFER_BYTES, file), line: Vec::new(), _place: self.place })
    }
}

pub struct Spooled {
    file: BufReader<File>,
    line: Vec<u8>,
    _place: Place,
}

impl Iterator for Spooled {
    type Item = io::Result<PreparedBusiness>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.file.read_until(b'\n', &mut self.line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_slice(&self.line).map_err(io::Error::from)),
            Err(error) => Some(Err(error)),
        }
    }
}
