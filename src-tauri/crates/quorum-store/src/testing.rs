//! For tests: a disk that can be stopped at any operation, torn, and filled, and everything that a store holds as bytes.
//!
//! Model of the disk: what was written before the last finished sync is there after a crash. Of what was written since, a crash
//! keeps all, nothing, or any choice of 512-byte sectors; changes of the file's length happen in order or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use quorum_core::prng::Prng;
use redb::{
    Key, ReadTransaction, ReadableTable, ReadableTableMetadata as _, StorageBackend, TableDefinition, TableHandle,
    Value,
};

use crate::{
    Store, StoreError,
    open::{open_error, without_panic},
    tables::{self, with_every_table},
};

/// What a whole check of the file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    Sound,
    /// Damage was found and repaired from the last commit.
    Repaired,
}

impl Store {
    /// Reads every page and checks its sum; needs the store for itself. A file that nobody has open: [`Store::verify_file`].
    pub fn check(&mut self) -> Result<Integrity, StoreError> {
        let path = self.path();
        self.db.exclusive(|db| {
            without_panic(|| match db.check_integrity() {
                Ok(true) => Ok(Integrity::Sound),
                Ok(false) => Ok(Integrity::Repaired),
                Err(error) => Err(open_error(path, error)),
            })
        })
    }

    /// How many reviews are stored, over all datasets.
    pub fn reviews_stored(&self) -> Result<u64, StoreError> {
        Ok(self.db.begin_read()?.open_table(tables::REVIEWS)?.len()?)
    }
}

/// A disk in memory. Clones are handles to the same disk.
#[derive(Clone, Debug, Default)]
pub struct FrozenBackend(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    /// As it was before the first operation in `log`.
    base: Vec<u8>,
    now: Vec<u8>,
    log: Vec<Operation>,
    syncs: usize,
    frozen_at_sync: Option<usize>,
    is_frozen: bool,
    /// Blocks that have space of their own; the file is sparse, and writing over a block needs no room.
    allocated: BTreeSet<usize>,
    /// Blocks that can still be given out.
    room: Option<usize>,
    writes: usize,
    full_at_write: Option<usize>,
}

#[derive(Clone, Debug)]
enum Operation {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
    Sync,
}

/// What a crash does to the writes since the last sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Nothing,
    Everything,
    /// A choice of sectors, by a seed.
    Some {
        seed: u64,
    },
}

const SECTOR_BYTES: usize = 512;
const BLOCK_BYTES: usize = 4_096;

impl FrozenBackend {
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk that holds this file.
    pub fn from_image(image: Vec<u8>) -> Self {
        let allocated = (0..image.len().div_ceil(BLOCK_BYTES)).collect();
        Self(Arc::new(Mutex::new(Disk { base: image.clone(), now: image, allocated, ..Disk::default() })))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, changes of length and syncs so far.
    pub fn operations(&self) -> usize {
        self.disk().log.len()
    }

    /// Finished syncs so far.
    pub fn syncs(&self) -> usize {
        self.disk().syncs
    }

    /// The operations that are syncs, by their place in the order of operations.
    pub fn sync_points(&self) -> Vec<usize> {
        let disk = self.disk();
        (0..disk.log.len()).filter(|at| matches!(disk.log[*at], Operation::Sync)).collect()
    }

    /// Writes tried so far.
    pub fn writes(&self) -> usize {
        self.disk().writes
    }

    /// Blocks of 4 KiB that the file takes up.
    pub fn blocks(&self) -> usize {
        self.disk().allocated.len()
    }

    /// Stops the disk at the `n`th sync, counted from 1: it and everything after it fails, as if the machine had gone off.
    pub fn freeze_at_sync(&self, n: usize) {
        self.disk().frozen_at_sync = Some(n);
    }

    pub fn is_frozen(&self) -> bool {
        self.disk().is_frozen
    }

    /// The file can take up no more than this many further blocks; then the disk is full.
    pub fn fill_after(&self, blocks: usize) {
        self.disk().room = Some(blocks);
    }

    /// The `n`th write, counted from 1, and every one after it finds the disk full, even where it writes over what is there,
    /// as on a file system that never writes in place.
    pub fn fill_at_write(&self, n: usize) {
        self.disk().full_at_write = Some(n);
    }

    /// There is room again.
    pub fn free(&self) {
        let mut disk = self.disk();
        disk.room = None;
        disk.full_at_write = None;
    }

    /// The file as it is now, unsynced writes included.
    pub fn bytes(&self) -> Vec<u8> {
        self.disk().now.clone()
    }

    /// What is on the disk after a crash now (or where it was frozen).
    pub fn image(&self, loss: Loss) -> Vec<u8> {
        let at = self.operations();
        self.image_at(at, loss)
    }

    /// What is on the disk after a crash before operation `at`.
    pub fn image_at(&self, at: usize, loss: Loss) -> Vec<u8> {
        let disk = self.disk();
        let synced = disk.log[..at].iter().rposition(|operation| matches!(operation, Operation::Sync)).unwrap_or(0);
        let mut image = disk.base.clone();
        for operation in &disk.log[..synced] {
            operation.apply(&mut image);
        }
        let pending = &disk.log[synced..at];
        match loss {
            Loss::Everything => {}
            Loss::Nothing => pending.iter().for_each(|operation| operation.apply(&mut image)),
            Loss::Some { seed } => tear(&mut image, pending, seed),
        }
        image
    }
}

impl Operation {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                if image.len() < offset + bytes.len() {
                    image.resize(offset + bytes.len(), 0);
                }
                image[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Self::SetLen(len) => image.resize(*len, 0),
            Self::Sync => {}
        }
    }
}

/// Applies some of the pending operations: a first part of the changes of length, and any sectors that lie within.
fn tear(image: &mut Vec<u8>, pending: &[Operation], seed: u64) {
    let mut prng = Prng::new(seed);
    let lengths = pending.iter().filter(|operation| matches!(operation, Operation::SetLen(_))).count();
    let mut lengths_kept = prng.next_u64() as usize % (lengths + 1);
    for operation in pending {
        match operation {
            Operation::SetLen(_) if lengths_kept > 0 => {
                lengths_kept -= 1;
                operation.apply(image);
            }
            Operation::SetLen(_) | Operation::Sync => {}
            Operation::Write { offset, bytes } => {
                for (at, sector) in (*offset..).step_by(SECTOR_BYTES).zip(bytes.chunks(SECTOR_BYTES)) {
                    if prng.next_u64().is_multiple_of(2) && at + sector.len() <= image.len() {
                        image[at..at + sector.len()].copy_from_slice(sector);
                    }
                }
            }
        }
    }
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        if self.is_frozen { Err(io::Error::other("the disk is frozen")) } else { Ok(()) }
    }

    /// Gives the blocks of a write their space; how many of its bytes fit.
    fn allocate(&mut self, offset: usize, len: usize) -> usize {
        for block in offset / BLOCK_BYTES..(offset + len).div_ceil(BLOCK_BYTES) {
            if self.allocated.contains(&block) {
                continue;
            }
            match self.room.as_mut() {
                Some(0) => return (block * BLOCK_BYTES).saturating_sub(offset),
                Some(room) => *room -= 1,
                None => {}
            }
            self.allocated.insert(block);
        }
        len
    }

    fn perform(&mut self, operation: Operation) {
        if let Operation::SetLen(len) = operation {
            self.allocated.retain(|block| block * BLOCK_BYTES < len);
        }
        operation.apply(&mut self.now);
        self.log.push(operation);
    }
}

fn index(position: u64) -> io::Result<usize> {
    usize::try_from(position).map_err(io::Error::other)
}

impl StorageBackend for FrozenBackend {
    fn len(&self) -> io::Result<u64> {
        let disk = self.disk();
        disk.check()?;
        Ok(disk.now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.disk();
        disk.check()?;
        let offset = index(offset)?;
        let bytes = disk.now.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.disk();
        disk.check()?;
        let operation = Operation::SetLen(index(len)?);
        disk.perform(operation);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.check()?;
        if disk.frozen_at_sync == Some(disk.syncs + 1) {
            disk.is_frozen = true;
            return disk.check();
        }
        disk.syncs += 1;
        disk.perform(Operation::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut disk = self.disk();
        disk.check()?;
        let offset = index(offset)?;
        disk.writes += 1;
        if disk.full_at_write.is_some_and(|first| disk.writes >= first) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let fits = disk.allocate(offset, data.len());
        disk.perform(Operation::Write { offset, bytes: data[..fits].to_owned() });
        // A real disk, too, writes what still fits.
        if fits == data.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }
}

/// Every row of every table, as bytes.
pub type Contents = BTreeMap<String, Vec<(Vec<u8>, Vec<u8>)>>;

/// Everything that a store holds, read in one view.
pub fn contents(store: &Store) -> Result<Contents, StoreError> {
    let read = store.db.begin_read()?;
    let mut contents = Contents::new();
    with_every_table!(table => read_table(&read, table, &mut contents)?);
    Ok(contents)
}

fn read_table<K: Key + 'static, V: Value + 'static>(
    read: &ReadTransaction,
    table: TableDefinition<'static, K, V>,
    contents: &mut Contents,
) -> Result<(), StoreError> {
    let rows = contents.entry(table.name().to_owned()).or_default();
    for row in read.open_table(table)?.iter()? {
        let (key, value) = row?;
        rows.push((K::as_bytes(&key.value()).as_ref().to_vec(), V::as_bytes(&value.value()).as_ref().to_vec()));
    }
    Ok(())
}
