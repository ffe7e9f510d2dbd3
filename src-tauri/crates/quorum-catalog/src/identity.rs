//! Which policy a file holds: its id, its topic and its variant.

use quorum_core::ids::{PolicyId, TopicId};

use crate::{
    problem::{Place, Problems},
    source::{Source, stem},
    yaml::quoted,
};

/// What a policy file says that it is, before variants are counted from V0.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// As it stands in the file.
    pub id: String,
    pub topic: TopicId,
    pub variant: u32,
    pub place: Place,
}

/// Variants of a topic.
pub(crate) const VARIANTS: u32 = 4;

/// Variants that a person adds beside those of a topic. They never replace it and are never counted from another start.
pub const OWN_VARIANTS: std::ops::RangeInclusive<u32> = 10..=99;

/// The identity of a policy file, from its `policy_id` or else from its path. `None`: an error says why.
pub(crate) fn identify(source: &Source, problems: &mut Problems) -> Option<Identity> {
    let from_path = id_of_path(&source.path);
    let stated = source.node.as_ref().and_then(|node| node.get("policy_id")).filter(|id| !id.is_null());
    let (id, place) = match (stated, &from_path) {
        (Some(node), _) => (crate::fields::text(node, "the id of a policy", problems)?.to_owned(), node.place.clone()),
        (None, Some(id)) => {
            if source.node.is_some() {
                problems.warning(
                    &source.start(),
                    format!("expected `policy_id`, found no such key; the path tells {}", quoted(id)),
                );
            }
            (id.clone(), source.start())
        }
        (None, None) => {
            problems.error(&source.start(), "expected `policy_id`, found no such key, and the path does not tell it");
            return None;
        }
    };
    let Some((topic, variant)) = split(&id) else {
        problems.error(
            &place,
            format!(
                "expected a policy id such as G1_allergy_V0 (variants V0 to V4, own ones V10 to V99), found {}",
                quoted(&id)
            ),
        );
        return None;
    };
    if let Some(from_path) = from_path.filter(|from_path| !agree(from_path, &id)) {
        problems.warning(
            &place,
            format!(
                "the policy id {} does not fit its path, which tells {}; the id decides",
                quoted(&id),
                quoted(&from_path)
            ),
        );
    }
    Some(Identity { topic: TopicId::new(topic), variant, place, id })
}

/// Topic and variant number of a policy id.
fn split(id: &str) -> Option<(&str, u32)> {
    let (topic, variant) = id.rsplit_once('_')?;
    let variant: u32 = variant.strip_prefix(['V', 'v'])?.parse().ok()?;
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    (is_name(topic) && (variant <= VARIANTS || OWN_VARIANTS.contains(&variant))).then_some((topic, variant))
}

/// `policies/G1/allergy/V0.yaml` tells `G1_allergy_V0`; a path that ends with no variant tells nothing.
fn id_of_path(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let folder = parts.iter().rposition(|part| *part == "policies").map_or(0, |policies| policies + 1);
    let id = stem(&parts[folder..].join("_")).to_owned();
    split(&id).is_some().then_some(id)
}

/// Whether one is the end of the other, at an underscore.
fn agree(one: &str, other: &str) -> bool {
    let ends =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
    ends(one, other) || ends(other, one)
}

/// The topic of a file that cannot be read, so that the rest of the topic does not pass for the whole.
pub(crate) fn topic_of_path(path: &str) -> Option<TopicId> {
    let id = id_of_path(path)?;
    split(&id).map(|(topic, _)| TopicId::new(topic))
}

/// Whether the file at this path is a policy that a person added beside its topic's own.
pub(crate) fn is_own_path(path: &str) -> bool {
    id_of_path(path).is_some_and(|id| split(&id).is_some_and(|(_, variant)| OWN_VARIANTS.contains(&variant)))
}

impl Identity {
    /// A policy that a person added beside the topic's own.
    pub fn is_own(&self) -> bool {
        OWN_VARIANTS.contains(&self.variant)
    }

    /// The variant and id when variants are counted from V0. `from_one`: the topic counts from V1.
    pub fn numbered(&self, from_one: bool) -> (String, PolicyId) {
        let variant =
            format!("V{}", if from_one && !self.is_own() { self.variant.saturating_sub(1) } else { self.variant });
        let id = PolicyId::new(format!("{}_{variant}", self.topic));
        (variant, id)
    }
}
