//! The ladder of an estimate against the plain way: a draft of its own for each K.

use quorum_core::{
    ensemble::Ensemble, ids::ModelId, manifest::Mode, manifest::Realm, models::ModelTable, plan::BatchLimits,
};
use quorum_engine::{Draft, DraftRequest, LadderStep, SubmitRequest, draft, draft_with_ladder, submit};

use crate::world::{AT, DATASET, Random, World};

const KS: [u32; 6] = [1, 7, 25, 50, 100, 200];

fn plan(world: &World, ensemble: &Ensemble, k: u32, models: &ModelTable) -> (Draft, Vec<LadderStep>) {
    let limits = |_: &ModelId| BatchLimits { requests_max: 40, ..BatchLimits::default() };
    let topic = world.topic("G1_allergy");
    let wish = DraftRequest { realm: Realm::Live, topic, k, ensemble, models, limits: &limits };
    let dataset = world.store.dataset(&DATASET.into()).expect("the dataset");
    let (with, ladder) = draft_with_ladder(&world.store, &dataset, wish, &KS).expect("a draft");
    let without = draft(&world.store, &dataset, wish).expect("a draft");
    assert_eq!(format!("{with:?}"), format!("{without:?}"), "a ladder changes nothing of the plan");
    (with, ladder)
}

#[test]
fn every_step_of_the_ladder_is_what_a_draft_at_its_k_says() {
    let reviews = [60, 0, 3, 110, 25];
    let models = ModelTable::default();
    let ensembles = ["gpt-5-mini:1:2,gpt-5-nano:3:1", "gpt-5-nano:4", "no-price:2,gpt-5-mini:1", "gpt-6-luna:1"];
    for seed in 0..12 {
        let (world, mut random) = (World::new(&reviews), Random::new(seed));
        let topic = world.topic("G1_allergy");
        if seed > 0 {
            world.cast_at_random(topic, &reviews, &mut random);
        }
        for ensemble in ensembles.map(|text| Ensemble::read(text).expect("an ensemble")) {
            for chosen in [1, 7, 50, 1_000] {
                let (_, ladder) = plan(&world, &ensemble, chosen, &models);
                let plainly = KS.map(|k| {
                    let (draft, _) = plan(&world, &ensemble, k, &models);
                    LadderStep { k, reviews: draft.reviews, requests: draft.requests(), usd: draft.usd() }
                });
                assert_eq!(ladder, plainly, "seed {seed}, {chosen}, {ensemble:?}");
            }
            // From the second ensemble on, a run under way holds some of what is missing.
            let k = KS[random.below(3)];
            let (draft, _) = plan(&world, &ensemble, k, &models);
            let asked = SubmitRequest {
                draft,
                topic,
                realm: Realm::Live,
                provider: "https://llm.example/v1".to_owned(),
                k,
                ensemble: ensemble.clone(),
                mode: Mode::Batch,
                models: &models,
                budget_usd: None,
                canary: false,
                key: format!("run {seed} {k} {}", random.below(1_000_000)),
                now: AT,
            };
            submit(&world.store, asked).expect("a run");
        }
    }
}
