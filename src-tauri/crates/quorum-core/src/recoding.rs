//! Votes that were coded by one schema, as another one codes them.
//!
//! Needed where a schema was guessed from a file of votes, when nobody knew the terms behind its hash.

use crate::{
    schema::Schema,
    votes::{Vote, VoteRef, VoteRow, merge},
};

/// Where each code of one schema goes in another.
#[derive(Clone, Debug)]
pub struct Recoding {
    /// By new slot: the old slot, and the new code for each old one. `None`: a field that the old schema lacks.
    slots: Vec<Option<(usize, Vec<u8>)>>,
}

impl Recoding {
    pub fn new(from: &Schema, to: &Schema) -> Self {
        let mut slots = vec![None; to.fields().len()];
        for (at, field) in to.fields().iter().enumerate() {
            let Some((was, known)) = from.field(&field.name) else { continue };
            let codes = (0..=u8::MAX).map(|code| {
                let id = known.decode(code).map(|value| known.value_id(value));
                id.and_then(|id| field.value(id)).map_or(0, |value| field.code(value))
            });
            slots[to.slot(at)] = Some((from.slot(was), codes.collect()));
        }
        Self { slots }
    }

    /// The codes of one vote. A field or value that the new schema lacks is dropped; a field that the old one lacks is an
    /// abstention.
    pub fn codes(&self, old: &[u8]) -> Vec<u8> {
        let code = |slot: &Option<(usize, Vec<u8>)>| {
            let (was, codes) = slot.as_ref()?;
            Some(codes[usize::from(*old.get(*was)?)])
        };
        self.slots.iter().map(|slot| code(slot).unwrap_or(0)).collect()
    }

    /// Writes a row of votes anew into `out`.
    pub fn row(&self, row: VoteRow<'_>, out: &mut Vec<u8>) {
        let recode = |vote: VoteRef<'_>| Vote { codes: self.codes(vote.codes), ..vote.to_owned() };
        let votes: Vec<Vote> = row.iter().map(recode).collect();
        merge(VoteRow::empty(), &votes, self.slots.len(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Term, TermValue},
        votes::{decode, encode},
    };

    fn schema(terms: &[(&str, &[&str])]) -> Schema {
        let value = |id: &&str| TermValue {
            id: (*id).to_owned(),
            label: String::new(),
            description: String::new(),
            cues: Vec::new(),
        };
        Schema::new(terms.iter().map(|(name, values)| Term {
            domain: String::new(),
            id: name.to_uppercase(),
            name: (*name).to_owned(),
            question: None,
            description: String::new(),
            values: values.iter().map(value).collect(),
            default: None,
        }))
    }

    #[test]
    fn answers_keep_their_values_under_more_fields_and_values_in_another_order() {
        let from = schema(&[("severity", &["mild", "odd"]), ("account", &["hearsay", "firsthand"])]);
        let to =
            schema(&[("account", &["firsthand", "hearsay", "none"]), ("b", &["x"]), ("severity", &["none", "mild"])]);
        let recoding = Recoding::new(&from, &to);
        let after = |severity, account| decode(&to, &recoding.codes(&encode(&from, &[severity, account])));
        assert_eq!(after(Some(0), Some(0)), [Some(1), None, Some(1)]);
        assert_eq!(after(Some(1), Some(1)), [Some(0), None, None], "a value that the terms lack is no answer");
        assert_eq!(after(None, None), [None, None, None]);
    }
}
