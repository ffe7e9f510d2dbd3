//! The commands the window may call: one line each, one noun a file, in the order of `quorum_api::dto`.
//!
//! Every command is async and does its work off the window's thread. The list in [`builder`] is the only one: the window's typed
//! bindings are made from it.
//!
//! Deliberately not here: what a command does. `quorumctl` calls the same methods.

mod activity;
mod catalog;
mod dataset;
mod file;
mod model;
mod plan;
mod provider;
mod queue;
mod results;
mod run;
mod settings;
mod topic;
mod trust;
mod what_if;
mod window;

use tauri_specta::{Builder, collect_commands, collect_events};

use crate::{
    events::{
        ActivityAdded, ConnectionChanged, DatasetsChanged, ImportProgressed, KeyChanged, PageRequested, RunChanged,
        TrayExplained,
    },
    menu::MenuChosen,
};

/// All commands and events.
pub fn builder() -> Builder<tauri::Wry> {
    Builder::new()
        .disable_serde_phases()
        .commands(collect_commands![
            provider::app_state,
            dataset::dataset_list,
            dataset::dataset_import,
            dataset::dataset_import_sample,
            dataset::dataset_remove,
            dataset::dataset_removed,
            dataset::dataset_restore,
            topic::topic_list,
            catalog::catalog_overview,
            catalog::catalog_text,
            catalog::catalog_drafts,
            catalog::catalog_drafts_keep,
            catalog::catalog_topic,
            catalog::catalog_prompt,
            catalog::catalog_try,
            catalog::catalog_impact,
            catalog::catalog_save,
            catalog::catalog_add,
            plan::model_list,
            model::model_table,
            model::model_edit,
            model::model_add,
            model::model_reset,
            model::model_restore,
            model::models_ask,
            plan::plan_estimate,
            plan::extraction_start,
            run::run_list,
            run::run_detail,
            run::run_pause,
            run::run_resume,
            run::run_cancel,
            run::run_retry,
            run::spend_overview,
            provider::poll_now,
            results::results_overview,
            results::business_detail,
            results::review_detail,
            queue::queue_list,
            queue::queue_label,
            queue::override_set,
            queue::override_undo,
            queue::override_trail,
            results::results_compare,
            results::results_by_k,
            results::results_confidence,
            what_if::what_if_open,
            what_if::what_if_try,
            what_if::what_if_draft,
            what_if::what_if_save,
            results::ground_truth_export,
            file::file_save,
            trust::trust_report,
            trust::aggregator_choose,
            trust::label_session,
            trust::gold_draw,
            trust::gold_label,
            trust::gold_undo,
            trust::verdict_certainties,
            trust::business_certainty,
            trust::value_queue,
            trust::ensemble_advice,
            activity::activity_list,
            activity::activity_seen,
            settings::storage,
            settings::settings_get,
            settings::settings_set,
            provider::key_set,
            provider::key_clear,
            provider::key_look,
            provider::provider_set,
            provider::sandbox_use,
            window::run_shown,
        ])
        .events(collect_events![
            RunChanged,
            ConnectionChanged,
            KeyChanged,
            ActivityAdded,
            ImportProgressed,
            DatasetsChanged,
            PageRequested,
            TrayExplained,
            MenuChosen,
        ])
}
