//! The user's edits of the model table. They lie over the shipped values field by field, so that what a newer Quorum knows comes
//! through wherever the user said nothing.
//!
//! An edit is read from text in one place, for the window and the command line alike. A value equal to the shipped one is no edit.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Model, ModelTable, Parameter, WRITE_FACTOR};
use crate::{date::Date, ids::ModelId};

/// What can be edited of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    InputUsd,
    CachedUsd,
    WriteUsd,
    OutputUsd,
    ShutdownDate,
    ReasoningTokens,
    QueueTokens,
    Parameters,
}

impl Field {
    pub const ALL: [Self; 8] = [
        Self::InputUsd,
        Self::CachedUsd,
        Self::WriteUsd,
        Self::OutputUsd,
        Self::ShutdownDate,
        Self::ReasoningTokens,
        Self::QueueTokens,
        Self::Parameters,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::InputUsd => "input_usd",
            Self::CachedUsd => "cached_usd",
            Self::WriteUsd => "write_usd",
            Self::OutputUsd => "output_usd",
            Self::ShutdownDate => "shutdown_date",
            Self::ReasoningTokens => "reasoning_tokens",
            Self::QueueTokens => "queue_tokens",
            Self::Parameters => "parameters",
        }
    }

    pub fn read(name: &str) -> Result<Self, EditError> {
        Self::ALL.into_iter().find(|field| field.name() == name).ok_or_else(|| EditError::Field(name.to_owned()))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// One field with the user's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    InputUsd(f64),
    CachedUsd(f64),
    /// `None`: by the input price.
    WriteUsd(Option<f64>),
    OutputUsd(f64),
    ShutdownDate(Option<String>),
    ReasoningTokens(u32),
    QueueTokens(Option<u64>),
    Parameters(BTreeSet<Parameter>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("there is no field `{0}`; the fields are {fields}", fields = listed(Field::ALL.map(Field::name)))]
    Field(String),
    #[error(
        "{field}: `{text}` is not a price; give US dollars per million tokens as a number from 0 to {USD_MAX}, such as 0.25"
    )]
    Price { field: Field, text: String },
    #[error("{field}: `{text}` is not a day; give YYYY-MM-DD, such as 2026-12-11, or none")]
    Day { field: Field, text: String },
    #[error("{field}: `{text}` is not a number of tokens; give a whole number from {min} to {max}{or}", or = if *optional { ", or none" } else { "" })]
    Tokens { field: Field, text: String, min: u64, max: u64, optional: bool },
    #[error("{field}: there is no parameter `{text}`; give some of {all}, with commas, or none", all = listed(Parameter::ALL.map(Parameter::name)))]
    Parameter { field: Field, text: String },
    #[error("`{0}` is not a model's name; it is one word without `,`, `:` and `=`")]
    Name(String),
    #[error("{0} is not in the table yet; give its input_usd and output_usd to add it")]
    Prices(ModelId),
}

fn listed<const N: usize>(names: [&str; N]) -> String {
    names.join(", ")
}

/// USD per million tokens; more is a slip of the keyboard.
const USD_MAX: f64 = 100_000.0;
const REASONING_TOKENS_MAX: u64 = 1_000_000;
/// About what the shortest request takes: a lower figure is thousands or millions, written without their zeros.
const QUEUE_TOKENS_MIN: u64 = 1_000;
const QUEUE_TOKENS_MAX: u64 = 1_000_000_000_000;
const NAME_CHARS_MAX: usize = 200;

impl Edit {
    /// Reads a field's value as a person writes it: `none` or nothing at all where the field may be without one.
    pub fn read(field: Field, text: &str) -> Result<Self, EditError> {
        let text = text.trim();
        Ok(match field {
            Field::InputUsd => Self::InputUsd(price(field, text)?),
            Field::CachedUsd => Self::CachedUsd(price(field, text)?),
            Field::WriteUsd if is_none(text) => Self::WriteUsd(None),
            Field::WriteUsd => Self::WriteUsd(Some(price(field, text)?)),
            Field::OutputUsd => Self::OutputUsd(price(field, text)?),
            Field::ShutdownDate if is_none(text) => Self::ShutdownDate(None),
            Field::ShutdownDate => {
                let is_day = text.len() == "YYYY-MM-DD".len() && Date::read(text).is_some();
                let day = is_day.then(|| text.to_owned());
                Self::ShutdownDate(Some(day.ok_or_else(|| EditError::Day { field, text: text.to_owned() })?))
            }
            Field::ReasoningTokens => {
                let tokens = tokens(field, text, 0, REASONING_TOKENS_MAX, false)?;
                Self::ReasoningTokens(u32::try_from(tokens).unwrap_or(u32::MAX))
            }
            Field::QueueTokens if is_none(text) => Self::QueueTokens(None),
            Field::QueueTokens => {
                Self::QueueTokens(Some(tokens(field, text, QUEUE_TOKENS_MIN, QUEUE_TOKENS_MAX, true)?))
            }
            Field::Parameters if is_none(text) => Self::Parameters(BTreeSet::new()),
            Field::Parameters => Self::Parameters(
                text.split([',', ' '])
                    .filter(|name| !name.is_empty())
                    .map(|name| {
                        let known = Parameter::ALL.into_iter().find(|parameter| parameter.name() == name);
                        known.ok_or_else(|| EditError::Parameter { field, text: name.to_owned() })
                    })
                    .collect::<Result<_, _>>()?,
            ),
        })
    }

    /// The value as [`Edit::read`] takes it.
    pub fn text(&self) -> String {
        let none = || "none".to_owned();
        match self {
            Self::InputUsd(usd) | Self::CachedUsd(usd) | Self::OutputUsd(usd) => usd.to_string(),
            Self::WriteUsd(usd) => usd.map_or_else(none, |usd| usd.to_string()),
            Self::ShutdownDate(day) => day.clone().unwrap_or_else(none),
            Self::ReasoningTokens(tokens) => tokens.to_string(),
            Self::QueueTokens(tokens) => tokens.map_or_else(none, |tokens| tokens.to_string()),
            Self::Parameters(parameters) if parameters.is_empty() => none(),
            Self::Parameters(parameters) => {
                parameters.iter().map(|parameter| parameter.name()).collect::<Vec<_>>().join(",")
            }
        }
    }

    pub fn field(&self) -> Field {
        match self {
            Self::InputUsd(_) => Field::InputUsd,
            Self::CachedUsd(_) => Field::CachedUsd,
            Self::WriteUsd(_) => Field::WriteUsd,
            Self::OutputUsd(_) => Field::OutputUsd,
            Self::ShutdownDate(_) => Field::ShutdownDate,
            Self::ReasoningTokens(_) => Field::ReasoningTokens,
            Self::QueueTokens(_) => Field::QueueTokens,
            Self::Parameters(_) => Field::Parameters,
        }
    }

    fn apply(&self, model: &mut Model) {
        match self {
            Self::InputUsd(usd) => model.input_usd = *usd,
            Self::CachedUsd(usd) => model.cached_usd = *usd,
            Self::WriteUsd(usd) => model.write_usd = *usd,
            Self::OutputUsd(usd) => model.output_usd = *usd,
            Self::ShutdownDate(day) => model.shutdown_date.clone_from(day),
            Self::ReasoningTokens(tokens) => model.reasoning_tokens = *tokens,
            Self::QueueTokens(tokens) => model.queue_tokens = *tokens,
            Self::Parameters(parameters) => model.parameters.clone_from(parameters),
        }
    }
}

fn is_none(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("none")
}

fn price(field: Field, text: &str) -> Result<f64, EditError> {
    let usd = text.strip_prefix('$').unwrap_or(text).parse().ok();
    // Adding 0 makes a plain zero of -0.
    usd.filter(|usd: &f64| (0.0..=USD_MAX).contains(usd))
        .map(|usd| usd + 0.0)
        .ok_or_else(|| EditError::Price { field, text: text.to_owned() })
}

/// Thousands may be set apart, as providers' pages do: `2,000,000`.
fn tokens(field: Field, text: &str, min: u64, max: u64, optional: bool) -> Result<u64, EditError> {
    let digits: String = text.chars().filter(|letter| !matches!(letter, ',' | '_' | ' ')).collect();
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let tokens = digits.parse().ok().filter(|tokens| is_plain && (min..=max).contains(tokens));
    tokens.ok_or_else(|| EditError::Tokens { field, text: text.to_owned(), min, max, optional })
}

/// All edits, by model. A model that is not shipped is the user's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelEdits(BTreeMap<ModelId, Vec<Edit>>);

impl ModelEdits {
    /// Takes in edits of one model, all or none.
    pub fn set(&mut self, shipped: &ModelTable, model: &ModelId, edits: &[Edit]) -> Result<(), EditError> {
        let name = model.as_str();
        let is_odd = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, ',' | ':' | '=');
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(is_odd) {
            return Err(EditError::Name(name.to_owned()));
        }
        let mut kept = self.0.get(model).cloned().unwrap_or_default();
        for edit in edits {
            kept.retain(|earlier| earlier.field() != edit.field());
            kept.push(edit.clone());
        }
        match shipped.get(name) {
            Some(shipped) => kept.retain(|edit| {
                let mut edited = shipped.clone();
                edit.apply(&mut edited);
                edited != *shipped
            }),
            None if own_model(model, &kept).is_none() => return Err(EditError::Prices(model.clone())),
            None => {}
        }
        if kept.is_empty() {
            self.0.remove(model)
        } else {
            self.0.insert(model.clone(), kept)
        };
        Ok(())
    }

    /// Forgets the edits of a model, and a model of the user's own whole. True when there were any.
    pub fn reset(&mut self, model: &ModelId) -> bool {
        self.0.remove(model).is_some()
    }

    pub fn reset_all(&mut self) {
        self.0.clear();
    }

    /// The edits of a model.
    pub fn of(&self, model: &ModelId) -> &[Edit] {
        self.0.get(model).map_or(&[], Vec::as_slice)
    }

    /// The fields of a model that the user edited, in the table's order.
    pub fn edited(&self, model: &ModelId) -> Vec<Field> {
        let mut fields: Vec<Field> = self.0.get(model).into_iter().flatten().map(Edit::field).collect();
        fields.sort_unstable();
        fields
    }

    /// The shipped table with the edits over it; the user's own models stand behind the shipped ones.
    pub fn over(&self, shipped: &ModelTable) -> ModelTable {
        let edited = shipped.0.iter().map(|model| {
            let mut model = model.clone();
            self.0.get(&model.model).into_iter().flatten().for_each(|edit| edit.apply(&mut model));
            model
        });
        let own = self.0.iter().filter(|(model, _)| shipped.get(model.as_str()).is_none());
        ModelTable(edited.chain(own.filter_map(|(model, edits)| own_model(model, edits))).collect())
    }
}

/// A model that the user added; `None` without its prices. Cached input costs what input does unless something else is said, and
/// input that is written to the prompt cache what it does where that costs more.
fn own_model(model: &ModelId, edits: &[Edit]) -> Option<Model> {
    let input_usd = edits.iter().find_map(|edit| if let Edit::InputUsd(usd) = edit { Some(*usd) } else { None })?;
    edits.iter().find(|edit| edit.field() == Field::OutputUsd)?;
    let mut own = Model {
        model: model.clone(),
        input_usd,
        cached_usd: input_usd,
        write_usd: None,
        write_factor: WRITE_FACTOR,
        output_usd: 0.0,
        shutdown_date: None,
        reasoning_tokens: 0,
        queue_tokens: None,
        parameters: BTreeSet::from([Parameter::JsonSchema]),
    };
    edits.iter().for_each(|edit| edit.apply(&mut own));
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str, text: &str) -> Result<Edit, EditError> {
        Edit::read(Field::read(field)?, text)
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        for (field, text, edit) in [
            ("input_usd", " 0.25 ", Edit::InputUsd(0.25)),
            ("cached_usd", "$0", Edit::CachedUsd(0.0)),
            ("output_usd", "-0", Edit::OutputUsd(0.0)),
            ("write_usd", "0.125", Edit::WriteUsd(Some(0.125))),
            ("write_usd", "none", Edit::WriteUsd(None)),
            ("shutdown_date", "2028-02-29", Edit::ShutdownDate(Some("2028-02-29".to_owned()))),
            ("shutdown_date", "None", Edit::ShutdownDate(None)),
            ("queue_tokens", "2,000,000", Edit::QueueTokens(Some(2_000_000))),
            ("queue_tokens", "15000000000", Edit::QueueTokens(Some(15_000_000_000))),
            ("queue_tokens", "", Edit::QueueTokens(None)),
            ("reasoning_tokens", "0", Edit::ReasoningTokens(0)),
            (
                "parameters",
                "json_schema, temperature",
                Edit::Parameters([Parameter::JsonSchema, Parameter::Temperature].into()),
            ),
            ("parameters", "none", Edit::Parameters(BTreeSet::new())),
        ] {
            assert_eq!(read(field, text).as_ref(), Ok(&edit), "{field}={text}");
            assert_eq!(read(field, &edit.text()), Ok(edit), "what is written is read as the same");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field() {
        for (field, text, words) in [
            ("price", "1", "there is no field `price`; the fields are input_usd, cached_usd"),
            ("input_usd", "-1", "input_usd: `-1` is not a price"),
            ("input_usd", "NaN", "input_usd: `NaN` is not a price"),
            ("output_usd", "inf", "output_usd: `inf` is not a price"),
            ("output_usd", "0,25", "such as 0.25"),
            ("cached_usd", "", "cached_usd: `` is not a price"),
            ("shutdown_date", "2026-02-30", "shutdown_date: `2026-02-30` is not a day"),
            ("shutdown_date", "2026-12-11 10:00", "is not a day"),
            ("shutdown_date", "11.12.2026", "give YYYY-MM-DD"),
            ("queue_tokens", "0", "whole number from 1000 to 1000000000000, or none"),
            ("queue_tokens", "5", "whole number from 1000 to 1000000000000, or none"),
            ("queue_tokens", "1.5e6", "queue_tokens: `1.5e6` is not a number of tokens"),
            ("reasoning_tokens", "-3", "whole number from 0 to 1000000"),
            ("reasoning_tokens", "none", "reasoning_tokens: `none`"),
            ("parameters", "json_schema,top_p", "parameters: there is no parameter `top_p`; give some of json_schema"),
        ] {
            let error = read(field, text).expect_err(text).to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn edits_lie_over_the_shipped_values_and_can_be_taken_off() {
        let shipped = ModelTable::default();
        let (mini, nano) = (ModelId::from("gpt-5-mini"), ModelId::from("gpt-5-nano"));
        let mut edits = ModelEdits::default();
        edits.set(&shipped, &mini, &[Edit::OutputUsd(3.0), Edit::ShutdownDate(None)]).expect("valid");
        edits.set(&shipped, &mini, &[Edit::InputUsd(0.5), Edit::OutputUsd(4.0)]).expect("valid");
        let table = edits.over(&shipped);
        let row = table.get("gpt-5-mini").expect("shipped");
        assert_eq!((row.input_usd, row.cached_usd, row.output_usd, &row.shutdown_date), (0.5, 0.025, 4.0, &None));
        assert_eq!(edits.edited(&mini), [Field::InputUsd, Field::OutputUsd, Field::ShutdownDate]);
        assert_eq!(table.get("gpt-5-nano"), shipped.get("gpt-5-nano"));
        // The shipped value is no edit.
        edits.set(&shipped, &mini, &[Edit::InputUsd(0.25)]).expect("valid");
        assert_eq!(edits.edited(&mini), [Field::OutputUsd, Field::ShutdownDate]);
        let kept = serde_json::to_string(&edits).expect("plain data");
        assert_eq!(serde_json::from_str::<ModelEdits>(&kept).expect("what was written"), edits);
        assert!(edits.reset(&mini) && !edits.reset(&nano));
        assert_eq!((edits.over(&shipped), edits), (shipped, ModelEdits::default()));
    }

    #[test]
    fn a_model_of_ones_own_needs_its_prices() {
        let shipped = ModelTable::default();
        let own = ModelId::from("llama-4");
        let mut edits = ModelEdits::default();
        assert_eq!(edits.set(&shipped, &own, &[Edit::InputUsd(1.0)]), Err(EditError::Prices(own.clone())));
        assert_eq!(edits, ModelEdits::default(), "nothing of a refused edit is kept");
        edits.set(&shipped, &own, &[Edit::InputUsd(1.0), Edit::OutputUsd(0.0)]).expect("both prices");
        edits.set(&shipped, &own, &[Edit::QueueTokens(Some(9))]).expect("it is known now");
        let table = edits.over(&shipped);
        let row = table.get("llama-4").expect("own");
        assert_eq!((row.input_usd, row.cached_usd, row.output_usd, row.queue_tokens), (1.0, 1.0, 0.0, Some(9)));
        for odd in ["", "two words", "a:b", "a,b", "a=b", &"x".repeat(201)] {
            let set = edits.set(&shipped, &ModelId::from(odd), &[Edit::InputUsd(1.0), Edit::OutputUsd(1.0)]);
            assert!(matches!(set, Err(EditError::Name(_))), "{odd}");
        }
    }
}
