//! The window at full size: the published run's 18,440 reviews of 100 businesses with all 18 topics asked, and beside it a dataset
//! of 20,000 businesses, so that every list is as long as it gets.
//!
//! What is shown is held against what the program computes without a window. What it takes is printed (`--nocapture`).

use quorum_api::{
    OpenOptions, Quorum,
    dto::results::{ResultsOverview, ResultsQuery},
};
use quorum_bench::stock::{self, Stock, Stocked};

use crate::{
    desktop::Desktop,
    drawn::{Act, FRAMES, blanks},
    page::Page,
    pictures::{SIZES, check, listen, look},
};

const TOPIC: &str = "G1_allergy";
const OTHER_TOPIC: &str = "G1_hygiene";

/// WebKit's driver calls text in a box that cuts it off invisible, so the page is asked itself.
const QUEUE_SAYS: &str = "return document.querySelector('[data-testid=\"queue-says\"]').textContent";

/// As long as a list of businesses may get.
const MANY: Stock<'static> = Stock { dataset: "many", topics: 1, reviews: 20_000, reviews_a_business: 1, seed: 2 };

/// What the table must show, computed without a window.
fn overview(quorum: &Quorum, dataset: &str, k: u32) -> ResultsOverview {
    let query = ResultsQuery { dataset: dataset.to_owned(), topic: TOPIC.to_owned(), k, compare_k: None };
    quorum.results_overview(&query).expect("results")
}

/// Businesses whose name holds every word of the text, worst verdict of the last policy first, then by points; equals in dataset order.
fn found(overview: &ResultsOverview, text: &str) -> Vec<String> {
    let (last, policy) = overview.policies.iter().enumerate().next_back().expect("a topic has policies");
    let badness = |index: u32| if policy.summary.worst_first { i64::MAX - i64::from(index) } else { i64::from(index) };
    let mut rows: Vec<_> =
        overview.rows.iter().filter(|row| text.split(' ').all(|word| row.name.contains(word))).collect();
    rows.sort_by_key(|row| {
        let cell = &row.verdicts[last];
        std::cmp::Reverse(cell.verdict_index.map(|index| (badness(index), cell.score.unwrap_or(0))))
    });
    rows.into_iter().map(|row| row.business.clone()).collect()
}

/// The businesses that are drawn, from the top.
async fn drawn(page: &Page) -> Vec<String> {
    let rows = page
        .run(
            "return [...document.querySelectorAll('[data-testid=\"results-row\"]')].map((row) => row.dataset.business)",
        )
        .await;
    rows.as_array().expect("a list").iter().map(|row| row.as_str().expect("an id").to_owned()).collect()
}

/// The first rows are these, in this order, and the count beside the filters says how many there are.
async fn shows(page: &Page, expected: &[String], all: usize) {
    page.until("the rows are those that the program computes", async || {
        let drawn = drawn(page).await;
        drawn.len() >= expected.len().min(12) && expected.starts_with(&drawn[..drawn.len().min(expected.len())])
    })
    .await;
    if expected.len() != all {
        let said = page.text_where("rows-shown", |said| !said.is_empty()).await;
        let digits: String =
            said.split(" of ").next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits, expected.len().to_string(), "{said}");
    }
}

/// A window on a store of this size.
async fn window(desktop: &mut Desktop, stocks: &[Stock<'_>]) -> (Page, Vec<Stocked>) {
    let made = stocks.iter().map(|stock| stock::fill(&desktop.data_dir(), *stock).expect("a data directory")).collect();
    let page = desktop.launch().await;
    page.click("tour-end").await;
    listen(&page).await;
    (page, made)
}

/// Chooses dataset, topic and K for every page.
async fn choose(page: &Page, dataset: &str, k: u32) {
    let script = format!(
        "const list = document.querySelector('[data-testid=\"dataset-switch\"]');\
         list.value = [...list.options].find((it) => it.text === '{dataset}').value;\
         list.dispatchEvent(new Event('change', {{ bubbles: true }})); return true"
    );
    page.run(&script).await;
    page.click("nav-results").await;
    page.find("results-row").await;
    page.click(&format!("results-k-{k}")).await;
    page.find(&format!("[data-testid=\"results-k-{k}\"] input:checked")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_at_the_published_size_show_the_right_rows() {
    let mut desktop = Desktop::start();
    let expected = {
        let made = stock::fill(&desktop.data_dir(), Stock::default()).expect("a data directory");
        assert_eq!((made.businesses, made.reviews, made.topics), (100, 18_440, 18));
        let quorum = Quorum::open(OpenOptions::new(desktop.data_dir())).expect("it opens");
        overview(&quorum, "published", 200)
    };
    let (page, _) = window(&mut desktop, &[]).await;
    choose(&page, "published", 200).await;
    shows(&page, &found(&expected, ""), 100).await;
    page.fill("results-search", "Place 7").await;
    shows(&page, &found(&expected, "Place 7"), 100).await;
    let sevens = found(&expected, "Place 7").len();
    page.click("filter-clear").await;

    let verdicts = |topic: &str| format!("all('verdict-{topic}_V0').length > 0");
    let (ours, others) = (verdicts(TOPIC), verdicts(OTHER_TOPIC));
    let acts = [
        Act {
            name: "Results, opened from another page",
            act: "one('nav-results').click()",
            seen: "all('results-row').length > 0",
            back: "one('nav-activity').click()",
            gone: "one('page-activity')",
        },
        Act {
            name: "Results, another topic",
            act: &format!("choose(one('results-topic'), '{OTHER_TOPIC}')"),
            seen: &others,
            back: &format!("choose(one('results-topic'), '{TOPIC}')"),
            gone: &ours,
        },
        Act {
            name: "Results, another K",
            act: "one('results-k-25').querySelector('input').click()",
            seen: "all('results-row')[0].textContent.includes('of 25')",
            back: "one('results-k-200').querySelector('input').click()",
            gone: "!all('results-row')[0].textContent.includes('of 25')",
        },
        Act {
            name: "Results, find a business",
            act: "type(one('results-search'), 'Place 7')",
            seen: &format!("one('rows-shown')?.textContent.startsWith('{sevens} of')"),
            back: "type(one('results-search'), '')",
            gone: "!one('rows-shown')",
        },
        Act {
            name: "Results, sort by name",
            act: "one('sort-name').click()",
            seen: "all('results-row')[0].textContent.includes('Place 0')",
            back: "one('sort-V3').click()",
            gone: "!all('results-row')[0].textContent.includes('Place 0')",
        },
        Act {
            name: "A business, opened from Results",
            act: "all('results-open')[3].click()",
            seen: "one('waterfall') && one('review-text')",
            back: "one('back').click()",
            gone: "all('results-row').length > 0",
        },
    ];
    for act in acts {
        page.click("nav-results").await;
        page.find("results-row").await;
        act.time(&page).await;
    }
    page.click("nav-results").await;
    shows(&page, &found(&expected, ""), 100).await;

    page.click("nav-queue").await;
    page.find("[data-testid=\"label\"][data-ready=\"true\"]").await;
    println!("the review queue says: {}", page.run(QUEUE_SAYS).await);
    Act {
        name: "Review queue, opened from another page",
        act: "one('nav-queue').click()",
        seen: "all('queue-label').length > 0 && one('label')",
        back: "one('nav-activity').click()",
        gone: "one('page-activity')",
    }
    .time(&page)
    .await;
    page.click("nav-queue").await;
    page.find("[data-testid=\"label\"][data-ready=\"true\"]").await;
    Act {
        name: "Review queue, the next label",
        act: "window.was = one('label-text').textContent; key('j')",
        seen: "one('label')?.dataset.ready === 'true' && one('label-text').textContent !== window.was",
        back: "window.was = one('label-text').textContent; key('j')",
        gone: "one('label')?.dataset.ready === 'true' && one('label-text').textContent !== window.was",
    }
    .time(&page)
    .await;

    page.click("nav-whatif").await;
    page.find("histogram").await;
    Act {
        name: "What-if, a slider's move",
        act: "type(one('knobs-points').querySelector('input'), '7'); window.moved = one('whatif').dataset.current",
        seen: "one('whatif').dataset.current === 'true'",
        back: "type(one('knobs-points').querySelector('input'), '2')",
        gone: "one('whatif').dataset.current === 'true'",
    }
    .time(&page)
    .await;
    for (name, view, seen) in [
        ("Runs, opened", "runs", "one('run-detail')"),
        ("Trust, opened", "trust", "one('trust')"),
        ("Catalog, opened", "catalog", "one('questions')"),
        ("New extraction, estimated", "extraction", "one('estimate')?.dataset.counting === 'false'"),
    ] {
        Act {
            name,
            act: &format!("one('nav-{view}').click()"),
            seen,
            back: "one('nav-activity').click()",
            gone: "one('page-activity')",
        }
        .time(&page)
        .await;
    }
    for (name, look, seen) in
        [("Results, Compare", "compare", "one('flow')"), ("Results, Charts", "charts", "one('chart-agreement')")]
    {
        page.click("nav-results").await;
        Act {
            name,
            act: &format!("one('look-{look}').click()"),
            seen,
            back: "one('look-verdicts').click()",
            gone: "all('results-row').length > 0",
        }
        .time(&page)
        .await;
    }
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_twenty_thousand_show_the_right_rows() {
    let mut desktop = Desktop::start();
    let expected = {
        let made = stock::fill(&desktop.data_dir(), MANY).expect("a data directory");
        assert_eq!((made.businesses, made.reviews), (20_000, 20_000));
        let quorum = Quorum::open(OpenOptions::new(desktop.data_dir())).expect("it opens");
        overview(&quorum, MANY.dataset, 25)
    };
    let (page, _) = window(&mut desktop, &[]).await;
    choose(&page, MANY.dataset, 25).await;
    shows(&page, &found(&expected, ""), 20_000).await;
    page.fill("results-search", "Place 1234").await;
    assert_eq!(found(&expected, "Place 1234").len(), 12);
    shows(&page, &found(&expected, "Place 1234"), 20_000).await;
    page.click("filter-clear").await;
    for act in [
        Act {
            name: "20,000 rows, opened from another page",
            act: "one('nav-results').click()",
            seen: "all('results-row').length > 0",
            back: "one('nav-activity').click()",
            gone: "one('page-activity')",
        },
        Act {
            name: "20,000 rows, find a business",
            act: "type(one('results-search'), 'Place 1234')",
            seen: "one('rows-shown')?.textContent.startsWith('12 of')",
            back: "type(one('results-search'), '')",
            gone: "!one('rows-shown')",
        },
        Act {
            name: "20,000 rows, sort by name",
            act: "one('sort-name').click()",
            seen: "all('results-row')[0].textContent.includes('Place 0')",
            back: "one('sort-V3').click()",
            gone: "!all('results-row')[0].textContent.includes('Place 0')",
        },
        Act {
            name: "20,000 rows, a business",
            act: "all('results-open')[3].click()",
            seen: "one('business-left') && one('review-text')",
            back: "one('back').click()",
            gone: "all('results-row').length > 0",
        },
    ] {
        page.click("nav-results").await;
        page.find("results-row").await;
        act.time(&page).await;
    }
    let frames = blanks(&page, "20,000 rows, scrolled by pages", "results-scroll", "results-row").await;
    assert_eq!(frames, FRAMES, "the list goes on for longer than that");
    page.click("nav-queue").await;
    page.find("[data-testid=\"label\"][data-ready=\"true\"]").await;
    println!("the review queue says: {}", page.run(QUEUE_SAYS).await);
    blanks(&page, "20,000 reviews, the queue scrolled", "queue-list", "queue-label").await;
    page.click("nav-whatif").await;
    page.find("histogram").await;
    Act {
        name: "20,000 rows, a slider's move in What-if",
        act: "type(one('knobs-points').querySelector('input'), '7')",
        seen: "one('whatif').dataset.current === 'true'",
        back: "type(one('knobs-points').querySelector('input'), '2')",
        gone: "one('whatif').dataset.current === 'true'",
    }
    .time(&page)
    .await;
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_fits_at_the_published_size() {
    let mut desktop = Desktop::start();
    let (page, _) = window(&mut desktop, &[Stock::default()]).await;
    choose(&page, "published", 200).await;
    for theme in ["light", "dark"] {
        for size in SIZES {
            look(&page, theme, size).await;
            let name = |view: &str| format!("full-{view}-{theme}-{}", size.0);
            for (view, shown) in [
                ("extraction", "[data-testid=\"estimate\"][data-counting=\"false\"]"),
                ("runs", "run-detail"),
                ("queue", "[data-testid=\"label\"][data-ready=\"true\"]"),
                ("whatif", "histogram"),
                ("trust", "trust-evidence"),
                ("activity", "activity"),
                ("catalog", "questions"),
                ("settings", "data-dir"),
                ("results", "results-row"),
            ] {
                page.click(&format!("nav-{view}")).await;
                page.find(shown).await;
                check(&page, &name(view)).await;
            }
            page.click("results-open").await;
            for (variant, shown) in [("V0", "rules"), ("V3", "waterfall")] {
                page.click(&format!("tab-{variant}")).await;
                page.find(shown).await;
                check(&page, &name(&format!("business-{variant}"))).await;
            }
            page.click("nav-results").await;
            for (look, shown) in [("compare", "flow"), ("charts", "chart-agreement"), ("verdicts", "results-row")] {
                page.click(&format!("look-{look}")).await;
                page.find(shown).await;
                check(&page, &name(look)).await;
            }
        }
    }
    page.settle();
    page.close().await;
}
