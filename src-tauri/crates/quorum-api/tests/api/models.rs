//! The model table: what a reset takes can be brought back, and a model of one's own is added whole.

use quorum_api::{
    OpenOptions, Quorum,
    dto::model::{ModelEdit, ModelField, ModelTable},
};
use quorum_engine::Allowances;

fn open() -> (tempfile::TempDir, Quorum) {
    let folder = tempfile::tempdir().expect("a folder");
    let quorum = Quorum::open(OpenOptions::new(folder.path())).expect("the data");
    (folder, quorum)
}

fn edit(field: ModelField, value: &str) -> ModelEdit {
    ModelEdit { field, value: value.to_owned() }
}

fn learn(quorum: &Quorum, model: &str, tokens: u64) {
    let address = quorum.address().expect("an address");
    assert!(Allowances::learn(quorum.store(), address.as_str(), &model.into(), tokens).expect("the store"));
}

#[test]
fn what_a_reset_takes_comes_back_as_it_was() {
    let (_folder, quorum) = open();
    quorum.model_edit("gpt-5-mini", ModelField::OutputUsd, "20").expect("a price");
    quorum.model_edit("gpt-5-mini", ModelField::ShutdownDate, "none").expect("no day");
    let prices =
        [edit(ModelField::InputUsd, "1.5"), edit(ModelField::OutputUsd, "3"), edit(ModelField::Parameters, "")];
    quorum.model_add("llama-4", &prices).expect("a model");
    learn(&quorum, "gpt-5-nano", 2_000_000);
    let before = quorum.model_table().expect("the table");

    let all = quorum.model_reset(None).expect("a reset");
    let mut taken: Vec<&str> = all.taken.iter().map(|taken| taken.model.as_str()).collect();
    taken.sort_unstable();
    assert_eq!(taken, ["gpt-5-mini", "gpt-5-nano", "llama-4"]);
    assert!(all.table.models.iter().all(|row| row.edited.is_empty() && !row.queue_learned && !row.own));
    assert_eq!(quorum.model_restore(&all.taken).expect("back"), before);

    let one = quorum.model_reset(Some("llama-4")).expect("a reset");
    assert!(one.table.models.iter().all(|row| row.model != "llama-4"));
    assert_eq!(quorum.model_restore(&one.taken).expect("back"), before);
}

#[test]
fn what_was_edited_since_a_reset_wins_over_what_it_took() {
    let (_folder, quorum) = open();
    quorum.model_edit("gpt-5-mini", ModelField::OutputUsd, "20").expect("a price");
    quorum.model_edit("gpt-5-mini", ModelField::InputUsd, "7").expect("a price");
    let taken = quorum.model_reset(Some("gpt-5-mini")).expect("a reset").taken;
    quorum.model_edit("gpt-5-mini", ModelField::OutputUsd, "30").expect("a price");
    let table = quorum.model_restore(&taken).expect("back");
    let mini = row(&table, "gpt-5-mini");
    assert_eq!((mini.input_usd, mini.output_usd), (7.0, 30.0));
}

#[test]
fn a_model_is_added_once_and_with_both_prices() {
    let (_folder, quorum) = open();
    let input = edit(ModelField::InputUsd, "1");
    let refused = quorum.model_add("llama-4", std::slice::from_ref(&input)).expect_err("one price");
    assert!(refused.message.contains("give its input_usd and output_usd"), "{}", refused.message);
    let both = [input, edit(ModelField::OutputUsd, "2")];
    let table = quorum.model_add(" llama-4 ", &both).expect("a model");
    assert!(row(&table, "llama-4").own);
    for known in ["llama-4", "gpt-5-mini"] {
        let refused = quorum.model_add(known, &both).expect_err("it is there");
        assert!(refused.message.contains("is in the table already"), "{}", refused.message);
    }
    assert_eq!(quorum.model_table().expect("the table"), table, "nothing of a refused model is kept");
}

fn row<'a>(table: &'a ModelTable, model: &str) -> &'a quorum_api::dto::model::ModelRow {
    table.models.iter().find(|row| row.model == model).expect("in the table")
}
