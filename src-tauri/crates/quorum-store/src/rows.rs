//! How rows become bytes: JSON with a version byte in front for small tables, packed fields for large ones.

use redb::{Key, ReadableTable, Value};
use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

const JSON_VERSION: u8 = 1;

pub fn to_json<T: Serialize>(row: &T) -> Vec<u8> {
    let mut bytes = vec![JSON_VERSION];
    serde_json::to_writer(&mut bytes, row)
        .expect("rows are plain data with string keys; writing to memory cannot fail");
    bytes
}

pub fn from_json<T: DeserializeOwned>(
    table: &'static str,
    key: impl std::fmt::Display,
    bytes: &[u8],
) -> Result<T, StoreError> {
    match bytes {
        [JSON_VERSION, json @ ..] => {
            serde_json::from_slice(json).map_err(|source| StoreError::Row { table, key: key.to_string(), source })
        }
        [version, ..] => Err(StoreError::RowVersion { table, version: *version }),
        [] => Err(StoreError::Damaged { table, key: key.to_string(), reason: "it is empty" }),
    }
}

/// The number after the last row of a table with running numbers.
pub fn next_number<V: Value + 'static>(
    table: &impl ReadableTable<u32, V>,
    what: &'static str,
) -> Result<u32, StoreError> {
    match table.last()? {
        Some((last, _)) => last.value().checked_add(1).ok_or(StoreError::TooMany(what)),
        None => Ok(1),
    }
}

/// A counter of the file, for numbers that may never be given twice; 1 when it was never written.
pub fn read_counter(
    meta: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &'static str,
) -> Result<u32, StoreError> {
    match meta.get(name)? {
        None => Ok(1),
        Some(bytes) => bytes.value().try_into().map(u32::from_be_bytes).map_err(|_| StoreError::Damaged {
            table: "meta",
            key: name.to_owned(),
            reason: "it is not a number",
        }),
    }
}

pub fn write_counter(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    name: &'static str,
    next: u32,
) -> Result<(), StoreError> {
    meta.insert(name, next.to_be_bytes().as_slice())?;
    Ok(())
}

/// All JSON rows of a table, in key order.
pub fn all_json<K, T>(name: &'static str, table: &impl ReadableTable<K, &'static [u8]>) -> Result<Vec<T>, StoreError>
where
    K: Key + 'static,
    T: DeserializeOwned,
{
    table
        .iter()?
        .map(|row| {
            let (key, value) = row?;
            from_json(name, format_args!("{:?}", key.value()), value.value())
        })
        .collect()
}

/// Reads packed fields one after the other.
pub struct Unpack<'a> {
    table: &'static str,
    key: u64,
    rest: &'a [u8],
}

impl<'a> Unpack<'a> {
    pub fn new(table: &'static str, key: u64, bytes: &'a [u8], version: u8) -> Result<Self, StoreError> {
        match bytes {
            [found, rest @ ..] if *found == version => Ok(Self { table, key, rest }),
            [found, ..] => Err(StoreError::RowVersion { table, version: *found }),
            [] => Err(StoreError::Damaged { table, key: key.to_string(), reason: "it is empty" }),
        }
    }

    fn damaged(&self, reason: &'static str) -> StoreError {
        StoreError::Damaged { table: self.table, key: self.key.to_string(), reason }
    }

    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.damaged("it ends early"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub fn u32(&mut self) -> Result<u32, StoreError> {
        let bytes = self.bytes(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub fn i32(&mut self) -> Result<i32, StoreError> {
        Ok(self.u32()?.cast_signed())
    }

    /// A text with its length in front.
    pub fn text(&mut self) -> Result<&'a str, StoreError> {
        let length = self.u32()?;
        let bytes = self.bytes(usize::try_from(length).map_err(|_| self.damaged("a text is too long"))?)?;
        str::from_utf8(bytes).map_err(|_| self.damaged("a text is not UTF-8"))
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

pub fn pack_text(out: &mut Vec<u8>, text: &str) -> Result<(), StoreError> {
    let length = u32::try_from(text.len()).map_err(|_| StoreError::TooMany("bytes in a text"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}
