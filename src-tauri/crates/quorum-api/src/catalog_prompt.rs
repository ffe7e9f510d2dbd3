//! A topic of the catalog to read: its questions, its policies, and the prompt that a model gets for a chosen review.
//!
//! Edits that are not saved count, so that a person sees what a change of words does to the prompt.

use quorum_core::{
    ids::{DatasetName, TopicId},
    prompt::{answer_schema, cut, system_message, user_message},
    schema::Field,
    tokens,
    topic::Topic,
};

use crate::{
    Quorum,
    catalog_files::Edited,
    coverage::count,
    dto::{
        catalog::{
            CatalogChange, CatalogPolicy, CatalogTerm, CatalogTopic, CatalogValue, PromptQuery, PromptReview,
            RenderedPrompt,
        },
        error::ApiError,
    },
    topics::policy_summary,
};

fn edited_topic(edited: &Edited, id: &str) -> Result<Topic, ApiError> {
    edited.catalog.topic(&TopicId::from(id)).cloned().ok_or_else(|| {
        ApiError::not_found(format!("With these edits the catalog has no topic {id}."))
            .safe("The catalog in force is as it was.")
            .action("Mend the errors that are listed.")
    })
}

impl Quorum {
    /// A topic as it would be with these edits.
    pub fn catalog_topic(&self, topic: &str, changes: &[CatalogChange]) -> Result<CatalogTopic, ApiError> {
        let topic = edited_topic(&Edited::new(self.store(), changes)?, topic)?;
        Ok(CatalogTopic {
            topic: topic.id.to_string(),
            terms: topic.schema.fields().iter().map(term_of).collect(),
            policies: topic
                .policies
                .iter()
                .map(|policy| CatalogPolicy {
                    summary: policy_summary(policy),
                    purpose: policy.purpose.clone(),
                    incident_definition: policy.incident_definition.clone(),
                })
                .collect(),
            title: topic.title,
            purpose: topic.purpose,
            relevant: topic.relevance.relevant,
            not_relevant: topic.relevance.not_relevant,
        })
    }

    /// What a model would read of a review with these edits.
    pub fn catalog_prompt(&self, query: &PromptQuery, changes: &[CatalogChange]) -> Result<RenderedPrompt, ApiError> {
        let topic = edited_topic(&Edited::new(self.store(), changes)?, &query.topic)?;
        let chosen = query.dataset.as_deref().map(|dataset| self.prompt_review(dataset, query)).transpose()?.flatten();
        let answer = answer_schema(&topic.schema);
        Ok(RenderedPrompt {
            system: system_message(&topic),
            user: chosen.as_ref().map(|(_, text)| user_message(text)),
            answer: format!("{answer:#}"),
            fixed_tokens: tokens::fixed(&topic),
            review_tokens: chosen.as_ref().map_or(0, |(_, text)| tokens::review(text)),
            review: chosen.map(|(review, _)| review),
        })
    }

    /// The chosen review with its text; `None`: the dataset has none.
    fn prompt_review(&self, dataset: &str, query: &PromptQuery) -> Result<Option<(PromptReview, String)>, ApiError> {
        let view = self.store().dataset(&DatasetName::from(dataset))?;
        let wanted = query.business.as_deref().map(str::trim).filter(|wanted| !wanted.is_empty());
        let with_reviews = || view.businesses.iter().filter(|business| !business.reviews.is_empty());
        let business = match wanted {
            None => with_reviews().next(),
            Some(wanted) => {
                let part = wanted.to_lowercase();
                let found = with_reviews()
                    .find(|business| business.id.as_str() == wanted)
                    .or_else(|| with_reviews().find(|business| business.name.to_lowercase().contains(&part)));
                Some(found.ok_or_else(|| {
                    ApiError::not_found(format!("No business of {dataset} with reviews is called \"{wanted}\"."))
                        .action("Type another part of its name.")
                })?)
            }
        };
        let Some(business) = business else { return Ok(None) };
        let last = business.reviews.len() - 1;
        let at = usize::try_from(query.place.saturating_sub(1)).unwrap_or(usize::MAX).min(last);
        let row = self.store().review(business.reviews[at].number)?;
        let row = row.ok_or_else(|| ApiError::not_found("The review is no longer stored."))?;
        let (_, was_cut) = cut(&row.text);
        let review = PromptReview {
            business: business.id.to_string(),
            name: business.name.clone(),
            place: count(at + 1),
            reviews: count(business.reviews.len()),
            cut: was_cut,
        };
        Ok(Some((review, row.text)))
    }
}

fn term_of(field: &Field) -> CatalogTerm {
    let term = &field.term;
    CatalogTerm {
        reference: term.reference(),
        domain: term.domain.clone(),
        name: term.name.clone(),
        question: term.question.clone(),
        description: term.description.clone(),
        values: term
            .values
            .iter()
            .map(|value| CatalogValue {
                id: value.id.clone(),
                label: value.label.clone(),
                description: value.description.clone(),
                cues: value.cues.clone(),
            })
            .collect(),
    }
}
