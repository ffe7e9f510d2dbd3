//! What crosses the boundary between the program and its faces: plain structs and closed enums, one noun a module.
//!
//! Deliberately not here: behaviour, store rows, core types. A DTO is made for one reader, so it repeats a name
//! where that saves the reader a look-up, and it never carries an API key or a prompt.
//!
//! Conventions, the same everywhere:
//!
//! - counts, indexes and times are `u32`; nothing has 64 bits, as JavaScript numbers cannot hold them;
//! - a time is a whole number of seconds since 1970-01-01 UTC and its name ends in `At`; a day is `YYYY-MM-DD`;
//! - money is US dollars as `f64` and its name holds `Usd`; it is finite, which [`Number`] tells TypeScript;
//! - a verdict is an index into the policy's list of outcomes, in the policy's own order;
//! - ids are strings that only the program interprets.
//!
//! # Commands
//!
//! Both the desktop shell and the command line call these. Every one returns `Result<_, ApiError>`.
//!
//! | command | arguments | result |
//! |---|---|---|
//! | `app_state` | | [`AppState`](app::AppState) |
//! | `dataset_list` | | `Vec<`[`DatasetSummary`](dataset::DatasetSummary)`>` |
//! | `dataset_import` | `path`, `name?` | [`ImportReport`](dataset::ImportReport) |
//! | `dataset_import_sample` | | [`ImportReport`](dataset::ImportReport) |
//! | `dataset_remove` | `dataset` | [`RemovedDataset`](dataset::RemovedDataset) |
//! | `dataset_removed` | | `Vec<`[`RemovedDataset`](dataset::RemovedDataset)`>`, latest first |
//! | `dataset_restore` | `number` | [`DatasetSummary`](dataset::DatasetSummary) |
//! | `topic_list` | `dataset?` (fills `coverage`) | `Vec<`[`TopicSummary`](topic::TopicSummary)`>` |
//! | `catalog_overview` | | [`CatalogOverview`](catalog::CatalogOverview) |
//! | `catalog_text` | `path` | [`CatalogText`](catalog::CatalogText) |
//! | `catalog_topic` | `topic`, `changes` (not saved) | [`CatalogTopic`](catalog::CatalogTopic) |
//! | `catalog_prompt` | `query`, `changes` | [`RenderedPrompt`](catalog::RenderedPrompt) |
//! | `catalog_try` | `changes` | [`CatalogCheck`](catalog::CatalogCheck) |
//! | `catalog_impact` | `dataset`, `changes` | [`CatalogImpact`](catalog::CatalogImpact) |
//! | `catalog_drafts` | | list of [`CatalogChange`](catalog::CatalogChange) |
//! | `catalog_drafts_keep` | `drafts` (in place of those before) | |
//! | `catalog_save` | `changes` | [`CatalogOverview`](catalog::CatalogOverview) |
//! | `catalog_add` | `dir` | [`CatalogOverview`](catalog::CatalogOverview) |
//! | `model_list` | | [`ModelList`](plan::ModelList) |
//! | `model_table` | | [`ModelTable`](model::ModelTable) |
//! | `model_edit` | `model`, `field`, `value` (as written; empty: none) | [`ModelTable`](model::ModelTable) |
//! | `model_add` | `model`, `edits` (both prices at least) | [`ModelTable`](model::ModelTable) |
//! | `model_reset` | `model?` (nothing: all) | [`ModelReset`](model::ModelReset) |
//! | `model_restore` | `taken` (as a reset gave it) | [`ModelTable`](model::ModelTable) |
//! | `models_ask` | (asks the provider) | [`ModelTable`](model::ModelTable) |
//! | `plan_estimate` | `request` | [`Estimate`](plan::Estimate) |
//! | `extraction_start` | `request`, `budgetUsd?` (consent to go above the daily budget, up to this), `fingerprint` | [`ExtractionStarted`](plan::ExtractionStarted) |
//! | `run_list` | | `Vec<`[`RunSummary`](run::RunSummary)`>`, newest first |
//! | `run_detail` | `run` | [`RunDetail`](run::RunDetail) |
//! | `run_pause`, `run_resume`, `run_cancel` | `run` | [`RunSummary`](run::RunSummary) |
//! | `run_retry` | `run`, `cause?`, `model?` (nothing: all that can be retried) | [`RunSummary`](run::RunSummary) |
//! | `spend_overview` | | [`SpendOverview`](spend::SpendOverview) |
//! | `poll_now` | | [`Connection`](app::Connection) |
//! | `results_overview` | `query` | [`ResultsOverview`](results::ResultsOverview) |
//! | `business_detail` | `query` | [`BusinessDetail`](business::BusinessDetail) |
//! | `review_detail` | `query` | [`ReviewDetail`](business::ReviewDetail) |
//! | `queue_list` | `query` | [`ReviewQueue`](queue::ReviewQueue) |
//! | `queue_label` | `query` | [`LabelDetail`](queue::LabelDetail) |
//! | `override_set` | `request` | [`OverrideReceipt`](overrides::OverrideReceipt) |
//! | `override_undo` | `number` | `()` |
//! | `override_trail` | `dataset`, `topic` | `Vec<`[`OverrideEntry`](overrides::OverrideEntry)`>`, newest first |
//! | `results_compare` | `query` | [`Comparison`](compare::Comparison) |
//! | `results_by_k` | `dataset`, `topic` | [`VerdictsByK`](compare::VerdictsByK) |
//! | `results_confidence` | `dataset`, `topic`, `k` | [`ConfidenceOverview`](confidence::ConfidenceOverview) |
//! | `what_if_open` | `query` | [`WhatIfPage`](what_if::WhatIfPage) |
//! | `what_if_try` | `request` | [`WhatIfOutcome`](what_if::WhatIfOutcome) |
//! | `what_if_draft`, `what_if_save` | `request`, `name` | [`PolicyDraft`](what_if::PolicyDraft) |
//! | `ground_truth_export` | `request` | [`ExportReport`](results::ExportReport) |
//! | `file_save` | `path`, `content` | the path |
//! | `activity_list` | `limit` | `Vec<`[`Activity`](activity::Activity)`>`, newest first |
//! | `activity_seen` | `activity` (this one and all older) | [`AppState`](app::AppState) |
//! | `trust_report` | `query` | [`TrustReport`](trust::TrustReport) |
//! | `aggregator_choose` | `query`, `aggregator` | [`AppliedAggregator`](trust::AppliedAggregator) |
//! | `label_session` | `query` | [`LabelSession`](trust::LabelSession) |
//! | `gold_draw` | `query`, `size` | [`LabelSession`](trust::LabelSession) |
//! | `gold_label` | `request` | [`LabelSession`](trust::LabelSession) |
//! | `gold_undo` | `query` | [`LabelSession`](trust::LabelSession) |
//! | `verdict_certainties` | `query` | [`VerdictCertainties`](trust::VerdictCertainties) |
//! | `business_certainty` | `query`, `business` | [`VerdictCertainties`](trust::VerdictCertainties) of this business alone |
//! | `value_queue` | `query` | [`ValueQueue`](trust::ValueQueue) |
//! | `ensemble_advice` | `query` | [`EnsembleAdvice`](trust::EnsembleAdvice) |
//! | `storage` | | [`Storage`](storage::Storage) |
//! | `settings_get` | | [`Settings`](settings::Settings) |
//! | `settings_set` | `settings` | [`Settings`](settings::Settings) as stored |
//! | `key_set` | `key` | [`AppState`](app::AppState) |
//! | `key_clear` | | [`AppState`](app::AppState) |
//! | `provider_set` | `kind`, `url?` (for `custom`) | [`AppState`](app::AppState) |
//! | `sandbox_use` | | [`AppState`](app::AppState) |
//!
//! # Events
//!
//! [`events::Event`] is what the program tells unasked. The shell emits one Tauri event a variant, named after it, whose
//! payload is the variant's: `runChanged` carries a [`RunSummary`](run::RunSummary).

pub mod activity;
pub mod app;
pub mod business;
pub mod catalog;
pub mod compare;
pub mod confidence;
pub mod dataset;
pub mod error;
pub mod events;
pub mod file;
pub mod model;
pub mod overrides;
pub mod plan;
pub mod queue;
pub mod results;
pub mod run;
pub mod settings;
pub mod spend;
pub mod storage;
pub mod topic;
pub mod trust;
pub mod what_if;

/// How a finite `f64` is declared to TypeScript: as `number`. Left alone, specta says `number | null`, because JSON has
/// no NaN. Nothing here may be NaN or infinite, so the type may say so.
pub(crate) type Number = u32;
