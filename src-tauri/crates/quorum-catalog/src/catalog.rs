//! The catalog: topics with their policies and term libraries, put together from files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use quorum_core::{
    ids::{PolicyId, TopicId},
    policy::Policy,
    schema::Term,
    topic::Topic,
};

use crate::{
    extends::Bases,
    identity::{Identity, VARIANTS, identify, is_own_path, topic_of_path},
    library::{Library, read_library},
    policy::{TopicText, read_policy, read_terms},
    problem::{Problem, Problems},
    source::{Kind, Source, read_sources},
    vocabulary::{Libraries, TermRef, Vocabulary, find},
    yaml::{Node, quoted},
};

/// Topics and term libraries without errors, and the problems of the files that they came from.
///
/// A topic or library with an error is left out as a whole, so that nothing is ever used in part.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    topics: Vec<Arc<Topic>>,
    libraries: Libraries,
    problems: Vec<Problem>,
    sources: Vec<Arc<Source>>,
}

/// What one file of a catalog holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileHolds {
    /// The term library of this domain.
    Terms { domain: String },
    /// A policy; a file that does not say which one belongs to the topic of its path.
    Policy { topic: Option<TopicId>, variant: Option<String> },
    /// Neither, or not readable.
    Other,
}

/// Reads the files of a catalog, given as (path, content). The paths matter: `terms/allergy.yaml` is the library of the
/// domain `allergy`, `terms/_shared.yaml` that of `shared`. The problems come sorted by file and place.
pub fn read<P: AsRef<str>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, B)>) -> (Catalog, Vec<Problem>) {
    let catalog = Catalog::build(read_sources(files).into_iter().map(Arc::new).collect());
    let problems = catalog.problems.clone();
    (catalog, problems)
}

impl Catalog {
    /// Sorted by id.
    pub fn topics(&self) -> &[Arc<Topic>] {
        &self.topics
    }

    pub fn topic(&self, id: &TopicId) -> Option<&Topic> {
        self.topics.binary_search_by(|topic| topic.id.cmp(id)).ok().map(|at| &*self.topics[at])
    }

    pub fn policy(&self, id: &PolicyId) -> Option<(&Topic, &Policy)> {
        let of = |topic: &Topic| topic.policies.iter().position(|policy| policy.id == *id);
        self.topics.iter().find_map(|topic| Some((&**topic, &topic.policies[of(topic)?])))
    }

    /// Every policy with its topic, in the order of topics and variants.
    pub fn policies(&self) -> impl Iterator<Item = (&Topic, &Policy)> {
        self.topics.iter().flat_map(|topic| topic.policies.iter().map(move |policy| (&**topic, policy)))
    }

    /// The libraries without errors, by domain.
    pub fn libraries(&self) -> impl Iterator<Item = &Library> {
        self.libraries.values().flatten()
    }

    /// The term of a reference such as `allergy:INCIDENT_SEVERITY`.
    pub fn term(&self, reference: &str) -> Option<&Term> {
        find(&self.libraries, reference)
    }

    /// Every file with what it holds. Those of a user's catalog that was put on top stand first.
    pub fn files(&self) -> impl Iterator<Item = (&str, FileHolds)> {
        self.sources.iter().map(|source| (&*source.path, holds(source)))
    }

    /// Everything that was found in the files, sorted by file and place.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The files that this catalog was read from.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.sources.iter()
    }

    /// This catalog with a user's on top: a topic of the user replaces the one of the same id as a whole (all its policies),
    /// a library the one of the same domain. Policies with variants of one's own ([`crate::OWN_VARIANTS`]) replace nothing, they are
    /// added to their topic. Topics that use a replaced library get its terms, and with them a new term hash.
    ///
    /// The problems are those of the user's files, and those that they cause in this catalog: a topic that refers to a term
    /// which the user's library lacks is left out, with an error. Problems that this catalog has by itself are not repeated.
    pub fn overlay(&self, user: &Catalog) -> (Catalog, Vec<Problem>) {
        let replaced_topics: BTreeSet<TopicId> = user.sources.iter().filter_map(|source| replaced_by(source)).collect();
        let replaced_domains: BTreeSet<&str> = user.sources.iter().filter_map(|source| domain_of(source)).collect();
        let stays = |source: &&Arc<Source>| {
            topic_of(source).is_none_or(|topic| !replaced_topics.contains(&topic))
                && domain_of(source).is_none_or(|domain| !replaced_domains.contains(domain))
        };
        // The user's files first: `extends` finds the first of two files with the same path.
        let sources = user.sources.iter().chain(self.sources.iter().filter(stays)).cloned().collect();
        let merged = Self::build(sources);
        let is_new = |problem: &&Problem| self.problems.binary_search(problem).is_err();
        let problems = merged.problems.iter().filter(is_new).cloned().collect();
        (merged, problems)
    }

    fn build(sources: Vec<Arc<Source>>) -> Self {
        let mut problems = Problems::default();
        for source in &sources {
            problems.absorb(source.problems.clone());
        }
        let libraries = read_libraries(&sources, &mut problems);
        let topics = read_topics(&sources, &libraries, &mut problems);
        Self { topics, libraries, problems: problems.into_sorted(), sources }
    }
}

fn domain_of(source: &Source) -> Option<&str> {
    match &source.kind {
        Kind::Terms(domain) => Some(domain),
        Kind::Policy | Kind::Other => None,
    }
}

fn holds(source: &Source) -> FileHolds {
    match &source.kind {
        Kind::Terms(domain) => FileHolds::Terms { domain: domain.clone() },
        Kind::Policy => match identify(source, &mut Problems::default()) {
            Some(identity) => {
                FileHolds::Policy { variant: Some(format!("V{}", identity.variant)), topic: Some(identity.topic) }
            }
            None => FileHolds::Policy { topic: topic_of_path(&source.path), variant: None },
        },
        Kind::Other => FileHolds::Other,
    }
}

fn topic_of(source: &Source) -> Option<TopicId> {
    // What is wrong with the id is said where the topic is read.
    let identity = (source.kind == Kind::Policy).then(|| identify(source, &mut Problems::default()))?;
    identity.map(|identity| identity.topic)
}

/// The topic that a user's file replaces.
fn replaced_by(source: &Source) -> Option<TopicId> {
    let identity = (source.kind == Kind::Policy).then(|| identify(source, &mut Problems::default()))?;
    identity.filter(|identity| !identity.is_own()).map(|identity| identity.topic)
}

fn read_libraries(sources: &[Arc<Source>], problems: &mut Problems) -> Libraries {
    let mut libraries = Libraries::new();
    for source in sources {
        let Some(domain) = domain_of(source) else { continue };
        let mut own = Problems::default();
        if libraries.contains_key(domain) {
            own.error(&source.start(), format!("the domain {} has a library already, in another file", quoted(domain)));
        }
        let library = source.node.as_ref().map(|node| read_library(domain, node, &mut own));
        let is_whole = !own.has_errors() && !source.problems.has_errors();
        libraries.insert(domain.to_owned(), library.filter(|_| is_whole));
        problems.absorb(own);
    }
    libraries
}

/// A policy file that says which policy it holds.
struct PolicyFile<'a> {
    identity: Identity,
    source: &'a Source,
}

fn read_topics(sources: &[Arc<Source>], libraries: &Libraries, problems: &mut Problems) -> Vec<Arc<Topic>> {
    let mut files: BTreeMap<TopicId, Vec<PolicyFile<'_>>> = BTreeMap::new();
    // Topics with a file that cannot even be told apart from the others.
    let mut broken: BTreeSet<TopicId> = BTreeSet::new();
    for source in sources.iter().filter(|source| source.kind == Kind::Policy) {
        match identify(source, problems) {
            Some(identity) => files.entry(identity.topic.clone()).or_default().push(PolicyFile { identity, source }),
            // One that a person added is missing alone; any other would leave a part of the topic that passes for the whole.
            None if is_own_path(&source.path) => {}
            None => broken.extend(topic_of_path(&source.path)),
        }
    }
    for files in files.values_mut() {
        files.sort_by_key(|file| file.identity.variant);
    }
    let bases = Bases::new(files.values().flatten().map(|file| (Some(file.identity.id.as_str()), file.source)));
    let mut topics = Vec::new();
    for (id, files) in &files {
        let (topic, own) = read_sound(id, files, &bases, libraries);
        problems.absorb(own);
        topics.extend(topic.filter(|_| !broken.contains(id)).map(Arc::new));
    }
    topics
}

/// A topic if it has no error. A policy that a person added beside the topic's own is left out alone when it has one: the
/// verdicts of the others do not depend on it.
fn read_sound(
    id: &TopicId,
    files: &[PolicyFile<'_>],
    bases: &Bases<'_>,
    libraries: &Libraries,
) -> (Option<Topic>, Problems) {
    let attempt = |files: &[&PolicyFile<'_>]| {
        let mut problems = Problems::default();
        let topic = read_topic(id, files, bases, libraries, &mut problems);
        let has_errors = problems.has_errors() || files.iter().any(|file| file.source.problems.has_errors());
        (topic.filter(|_| !has_errors), problems)
    };
    let whole = attempt(&files.iter().collect::<Vec<_>>());
    let (added, mut kept): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.identity.is_own());
    if whole.0.is_some() || added.is_empty() || attempt(&kept).0.is_none() {
        return whole;
    }
    let mut left_out = Problems::default();
    for file in added {
        kept.push(file);
        let (topic, problems) = attempt(&kept);
        if topic.is_none() {
            kept.pop();
            left_out.absorb(problems.into_errors());
            let id = quoted(&file.identity.id);
            let words =
                format!("the policy {id} is left out until its errors are mended; the topic's others are not affected");
            left_out.warning(&file.identity.place, words);
        }
    }
    let (topic, mut problems) = attempt(&kept);
    problems.absorb(left_out);
    (topic, problems)
}

fn read_topic(
    id: &TopicId,
    files: &[&PolicyFile<'_>],
    bases: &Bases<'_>,
    libraries: &Libraries,
    problems: &mut Problems,
) -> Option<Topic> {
    let from_one = check_variants(id, files, problems);
    let wholes: Vec<(&PolicyFile<'_>, Node)> =
        files.iter().filter_map(|file| Some((*file, bases.whole(file.source, problems)?))).collect();
    let terms: Vec<Vec<TermRef>> = wholes.iter().map(|(_, node)| read_terms(node, problems)).collect();
    let vocabulary = Vocabulary::new(terms.iter().flatten(), libraries, problems);
    let mut policies = Vec::new();
    let mut texts = Vec::new();
    for ((file, node), terms) in wholes.iter().zip(&terms) {
        let (variant, policy_id) = file.identity.numbered(from_one);
        let (policy, text) = read_policy(node, (policy_id, id.clone(), variant), terms, &vocabulary, problems)?;
        policies.push(policy);
        texts.push(text);
    }
    let schema = Topic::schema_of(&policies, |reference| find(libraries, reference));
    let first = policies.first()?;
    let name = texts.iter().find_map(|text| text.name.clone()).unwrap_or_else(|| spoken(id));
    let relevance =
        texts.into_iter().map(|TopicText { relevance, .. }| relevance).find(|relevance| !relevance.relevant.is_empty());
    if relevance.is_none()
        && let Some(file) = files.first()
    {
        let message =
            "no `relevant` in any `overview` of this topic: models decide by title and purpose what is relevant";
        problems.note(&file.identity.place, message);
    }
    Some(Topic {
        id: id.clone(),
        name,
        title: first.title.clone(),
        purpose: first.purpose.clone(),
        relevance: relevance.unwrap_or_default(),
        schema,
        policies,
    })
}

/// Whether the topic counts its variants from V1; says what is odd about them.
fn check_variants(topic: &TopicId, files: &[&PolicyFile<'_>], problems: &mut Problems) -> bool {
    for pair in files.windows(2).filter(|pair| pair[0].identity.variant == pair[1].identity.variant) {
        let other = quoted(&pair[0].source.path);
        let id = quoted(&pair[1].identity.id);
        problems.error(&pair[1].identity.place, format!("the policy {id} stands in {other} already"));
    }
    let has = |variant: u32| files.iter().find(|file| file.identity.variant == variant);
    let last = has(VARIANTS);
    let from_one = last.is_some() && has(0).is_none();
    if let (Some(last), false) = (last, from_one) {
        problems.error(
            &last.identity.place,
            format!("expected variants V0 to V3, or V1 to V4; {topic} has both V0 and V4"),
        );
    }
    let first = u32::from(from_one);
    let missing: Vec<String> = (first..first + VARIANTS)
        .filter(|variant| has(*variant).is_none())
        .map(|variant| format!("V{variant}"))
        .collect();
    if let Some(file) = files.first().filter(|_| !missing.is_empty()) {
        problems.note(&file.identity.place, format!("the topic {topic} has no {}", missing.join(", ")));
    }
    if from_one {
        for file in files.iter().filter(|file| !file.identity.is_own()) {
            let (variant, id) = file.identity.numbered(true);
            problems.note(
                &file.identity.place,
                format!("variants are counted from V0 here: this one is {variant}, with the id {id}"),
            );
        }
    }
    from_one
}

/// A topic's domain as words: `price_worth` is "Price worth".
fn spoken(id: &TopicId) -> String {
    let words = id.domain().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}
