//! Packed votes: all (model, run)s' answers for one review of one (topic, term hash) in one row of bytes.
//!
//! Row: `[version = 1][fields F]` then one entry of `ENTRY_HEAD + F` bytes per vote, sorted by (model, run):
//! `model u16 BE · run u8 · flags u8 · at u32 BE (Unix seconds) · F value codes`. A code is 0 for "no valid answer",
//! else 1 + the rank of the value's id ([`crate::schema::Field::code`]). Codes stand in [`crate::schema::Schema::slot`] order.
//! 4 votes with 5 fields take 54 bytes.
//!
//! Not here: keys and tables (quorum-store).

use crate::schema::Schema;

/// A model's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelNo(pub u16);

/// A review's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReviewNo(pub u32);

const ROW_VERSION: u8 = 1;
const ENTRY_HEAD: usize = 8;
const RELEVANT: u8 = 1;
const IMPORTED: u8 = 2;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RowError {
    #[error("vote row has version {0}, this Quorum reads {ROW_VERSION}")]
    Version(u8),
    #[error("vote row of {0} bytes is damaged")]
    Damaged(usize),
}

/// One (model, run)'s answer for one review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub model: ModelNo,
    pub run: u8,
    pub relevant: bool,
    /// Came from a file and not from a request of this store.
    pub imported: bool,
    /// When it was answered or imported, Unix seconds.
    pub at: u32,
    /// One code per field, in slot order.
    pub codes: Vec<u8>,
}

impl Vote {
    pub fn borrow(&self) -> VoteRef<'_> {
        VoteRef {
            model: self.model,
            run: self.run,
            relevant: self.relevant,
            imported: self.imported,
            at: self.at,
            codes: &self.codes,
        }
    }
}

/// A vote that borrows its codes from the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoteRef<'a> {
    pub model: ModelNo,
    pub run: u8,
    pub relevant: bool,
    pub imported: bool,
    pub at: u32,
    pub codes: &'a [u8],
}

impl VoteRef<'_> {
    pub fn to_owned(self) -> Vote {
        Vote {
            model: self.model,
            run: self.run,
            relevant: self.relevant,
            imported: self.imported,
            at: self.at,
            codes: self.codes.to_vec(),
        }
    }
}

/// A checked view of a packed row.
#[derive(Clone, Copy, Debug)]
pub struct VoteRow<'a> {
    fields: usize,
    entries: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> VoteRow<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, RowError> {
        match bytes {
            [ROW_VERSION, fields, entries @ ..] => {
                let fields = usize::from(*fields);
                if entries.len() % (ENTRY_HEAD + fields) == 0 {
                    Ok(Self { fields, entries, bytes })
                } else {
                    Err(RowError::Damaged(bytes.len()))
                }
            }
            [version, ..] if *version != ROW_VERSION => Err(RowError::Version(*version)),
            _ => Err(RowError::Damaged(bytes.len())),
        }
    }

    /// A row without votes.
    pub fn empty() -> Self {
        Self { fields: 0, entries: &[], bytes: &[ROW_VERSION, 0] }
    }

    /// The row as it is stored.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn len(&self) -> usize {
        self.entries.len() / (ENTRY_HEAD + self.fields)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = VoteRef<'a>> + use<'a> {
        entries_of(self.entries, self.fields)
    }

    pub fn contains(&self, model: ModelNo, run: u8) -> bool {
        let key = entry_key(model, run);
        self.entries.chunks_exact(ENTRY_HEAD + self.fields).any(|entry| entry[..3] == key)
    }
}

fn entries_of(entries: &[u8], fields: usize) -> impl ExactSizeIterator<Item = VoteRef<'_>> {
    entries.chunks_exact(ENTRY_HEAD + fields).map(|entry| VoteRef {
        model: ModelNo(u16::from_be_bytes([entry[0], entry[1]])),
        run: entry[2],
        relevant: entry[3] & RELEVANT != 0,
        imported: entry[3] & IMPORTED != 0,
        at: u32::from_be_bytes([entry[4], entry[5], entry[6], entry[7]]),
        codes: &entry[ENTRY_HEAD..],
    })
}

fn entry_key(model: ModelNo, run: u8) -> [u8; 3] {
    let [high, low] = model.0.to_be_bytes();
    [high, low, run]
}

/// What [`merge`] did with the new votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    pub added: u32,
    /// A vote of the same (model, run) was there already; the stored one stays.
    pub known: u32,
}

/// Writes the row of `stored` and `new` together into `out`. A stored vote is never replaced: asking twice for the same
/// (model, run) changes nothing. `new` must be sorted by (model, run); duplicates within it count as known.
pub fn merge(stored: VoteRow<'_>, new: &[Vote], fields: usize, out: &mut Vec<u8>) -> Merged {
    let mut entries = Vec::with_capacity(new.len() * (ENTRY_HEAD + fields));
    for vote in new {
        push_entry(&mut entries, vote.borrow());
    }
    merge_entries(stored, &entries, fields, out)
}

fn push_entry(entries: &mut Vec<u8>, vote: VoteRef<'_>) {
    entries.extend_from_slice(&entry_key(vote.model, vote.run));
    entries.push(u8::from(vote.relevant) * RELEVANT + u8::from(vote.imported) * IMPORTED);
    entries.extend_from_slice(&vote.at.to_be_bytes());
    entries.extend_from_slice(vote.codes);
}

/// As [`merge`], with the new votes as [`PackedVotes`] holds them.
pub fn merge_entries(stored: VoteRow<'_>, new: &[u8], fields: usize, out: &mut Vec<u8>) -> Merged {
    debug_assert!(stored.is_empty() || stored.fields == fields, "votes of one schema have one width");
    let new = new.chunks_exact(ENTRY_HEAD + fields);
    debug_assert!(new.remainder().is_empty(), "a vote has one code per field");
    debug_assert!(new.clone().is_sorted_by_key(|entry| &entry[..3]), "new votes are sorted");
    out.clear();
    out.push(ROW_VERSION);
    out.push(u8::try_from(fields).expect("the catalog refuses schemas of more than 255 fields"));
    let mut merged = Merged::default();
    let mut old = stored.entries.chunks_exact(ENTRY_HEAD + stored.fields).peekable();
    let mut last: Option<&[u8]> = None;
    for entry in new {
        let key = &entry[..3];
        while let Some(entry) = old.next_if(|entry| entry[..3] <= *key) {
            last = Some(&entry[..3]);
            out.extend_from_slice(entry);
        }
        if last == Some(key) {
            merged.known += 1;
            continue;
        }
        last = Some(key);
        merged.added += 1;
        out.extend_from_slice(entry);
    }
    for entry in old {
        out.extend_from_slice(entry);
    }
    merged
}

/// Votes of one schema on their way into the store: each packed as it will stand in its row, in two flat arrays, so that
/// a batch of 40,000 takes two allocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedVotes {
    fields: usize,
    reviews: Vec<ReviewNo>,
    entries: Vec<u8>,
}

impl PackedVotes {
    pub fn with_capacity(fields: usize, votes: usize) -> Self {
        let (reviews, entries) = (Vec::with_capacity(votes), Vec::with_capacity(votes * (ENTRY_HEAD + fields)));
        Self { fields, reviews, entries }
    }

    /// Appends a vote. One with another number of codes is refused and changes nothing.
    pub fn push(&mut self, review: ReviewNo, vote: VoteRef<'_>) -> bool {
        if vote.codes.len() != self.fields {
            return false;
        }
        self.reviews.push(review);
        push_entry(&mut self.entries, vote);
        true
    }

    /// Codes of each vote.
    pub fn fields(&self) -> usize {
        self.fields
    }

    pub fn len(&self) -> usize {
        self.reviews.len()
    }

    pub fn is_empty(&self) -> bool {
        self.reviews.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReviewNo, VoteRef<'_>)> {
        self.reviews.iter().copied().zip(entries_of(&self.entries, self.fields))
    }

    /// Into the order of the store: by review, then (model, run). Costs one look when they are.
    pub fn sort(&mut self) {
        let width = ENTRY_HEAD + self.fields;
        let key = |at: usize| (self.reviews[at], &self.entries[at * width..at * width + 3]);
        if (1..self.len()).all(|at| key(at - 1) <= key(at)) {
            return;
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|at| key(*at));
        let mut sorted = Self::with_capacity(self.fields, self.len());
        for at in order {
            sorted.reviews.push(self.reviews[at]);
            sorted.entries.extend_from_slice(&self.entries[at * width..(at + 1) * width]);
        }
        *self = sorted;
    }

    /// The entries of each review, for [`merge_entries`]. Votes of one review stand together once they are sorted.
    pub fn by_review(&self) -> impl Iterator<Item = (ReviewNo, &[u8])> + Clone {
        let width = ENTRY_HEAD + self.fields;
        let mut rest = self.entries.as_slice();
        self.reviews.chunk_by(|one, next| one == next).map(move |group| {
            let (entries, tail) = rest.split_at(group.len() * width);
            rest = tail;
            (group[0], entries)
        })
    }
}

/// An answer's values (indices in term order, `None` = abstention) as codes in slot order.
pub fn encode(schema: &Schema, values: &[Option<u8>]) -> Vec<u8> {
    let mut codes = vec![0; schema.fields().len()];
    for (at, (field, value)) in schema.fields().iter().zip(values).enumerate() {
        codes[schema.slot(at)] = value.map_or(0, |value| field.code(value));
    }
    codes
}

/// Codes in slot order as values in field order.
pub fn decode(schema: &Schema, codes: &[u8]) -> Vec<Option<u8>> {
    (0..).zip(schema.fields()).map(|(at, field)| field.decode(*codes.get(schema.slot(at))?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vote(model: u16, run: u8, code: u8) -> Vote {
        Vote {
            model: ModelNo(model),
            run,
            relevant: code.is_multiple_of(2),
            imported: false,
            at: 7,
            codes: vec![code, 0],
        }
    }

    #[test]
    fn a_stored_vote_is_never_replaced() {
        let (mut row, mut again) = (Vec::new(), Vec::new());
        assert_eq!(
            merge(VoteRow::empty(), &[vote(1, 1, 3), vote(2, 2, 4)], 2, &mut row),
            Merged { added: 2, known: 0 }
        );
        let stored = VoteRow::read(&row).expect("row");
        let merged = merge(stored, &[vote(1, 1, 9), vote(2, 1, 5)], 2, &mut again);
        assert_eq!(merged, Merged { added: 1, known: 1 });
        let votes: Vec<Vote> = VoteRow::read(&again).expect("row").iter().map(VoteRef::to_owned).collect();
        assert_eq!(votes, [vote(1, 1, 3), vote(2, 1, 5), vote(2, 2, 4)]);
    }

    #[test]
    fn damaged_and_newer_rows_are_refused() {
        assert_eq!(VoteRow::read(&[]).err(), Some(RowError::Damaged(0)));
        assert_eq!(VoteRow::read(&[2, 0]).err(), Some(RowError::Version(2)));
        assert_eq!(VoteRow::read(&[1, 2, 0]).err(), Some(RowError::Damaged(3)));
    }

    proptest! {
        #[test]
        fn merging_is_a_set_union_that_keeps_the_first(
            first in prop::collection::vec((0_u16..4, 1_u8..5, 0_u8..9), 0..12),
            second in prop::collection::vec((0_u16..4, 1_u8..5, 0_u8..9), 0..12),
        ) {
            let sorted = |votes: &[(u16, u8, u8)]| {
                let mut votes: Vec<Vote> = votes.iter().map(|(model, run, code)| vote(*model, *run, *code)).collect();
                votes.sort_by_key(|vote| (vote.model, vote.run));
                votes
            };
            let (mut row, mut both) = (Vec::new(), Vec::new());
            merge(VoteRow::empty(), &sorted(&first), 2, &mut row);
            merge(VoteRow::read(&row).expect("row"), &sorted(&second), 2, &mut both);
            let mut expected = std::collections::BTreeMap::new();
            for vote in sorted(&first).into_iter().chain(sorted(&second)) {
                expected.entry((vote.model, vote.run)).or_insert(vote);
            }
            let got: Vec<Vote> = VoteRow::read(&both).expect("row").iter().map(VoteRef::to_owned).collect();
            prop_assert_eq!(got, expected.into_values().collect::<Vec<_>>());
        }

        #[test]
        fn packed_votes_sort_as_votes_do(
            votes in prop::collection::vec((0_u32..5, 0_u16..3, 1_u8..4, 0_u8..9), 0..20),
        ) {
            let mut packed = PackedVotes::with_capacity(2, 0);
            let mut plain: Vec<(ReviewNo, Vote)> =
                votes.iter().map(|(review, model, run, code)| (ReviewNo(*review), vote(*model, *run, *code))).collect();
            for (review, vote) in &plain {
                prop_assert!(packed.push(*review, vote.borrow()));
            }
            packed.sort();
            plain.sort_by_key(|(review, vote)| (*review, vote.model, vote.run));
            let got: Vec<(ReviewNo, Vote)> = packed.iter().map(|(review, vote)| (review, vote.to_owned())).collect();
            prop_assert_eq!(&got, &plain);
            let mut grouped = Vec::new();
            for (review, entries) in packed.by_review() {
                grouped.extend(entries_of(entries, 2).map(|vote| (review, vote.to_owned())));
            }
            prop_assert_eq!(grouped, plain);
        }
    }
}
