//! The lines of one text against those of another: a longest common subsequence, as files of policies have some hundred lines.

use crate::dto::what_if::{DiffKind, DiffLine};

pub(super) fn difference(before: &str, after: &str) -> Vec<DiffLine> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    // Length of the longest common subsequence of what follows.
    let mut common = vec![vec![0_u32; after.len() + 1]; before.len() + 1];
    for (old, line) in before.iter().enumerate().rev() {
        for (new, other) in after.iter().enumerate().rev() {
            common[old][new] = if line == other {
                common[old + 1][new + 1] + 1
            } else {
                common[old + 1][new].max(common[old][new + 1])
            };
        }
    }
    let mut lines = Vec::new();
    let mut push = |kind, text: &str| lines.push(DiffLine { kind, text: text.to_owned() });
    let (mut old, mut new) = (0, 0);
    while old < before.len() || new < after.len() {
        if old < before.len() && new < after.len() && before[old] == after[new] {
            push(DiffKind::Same, before[old]);
            (old, new) = (old + 1, new + 1);
        } else if old < before.len() && (new == after.len() || common[old + 1][new] >= common[old][new + 1]) {
            push(DiffKind::Removed, before[old]);
            old += 1;
        } else {
            push(DiffKind::Added, after[new]);
            new += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_can_be_read_from_the_difference() {
        let cases =
            [("", ""), ("a", ""), ("", "a"), ("a\nb\nc", "a\nx\nc"), ("a\nb", "b\na"), ("a\na\nb", "a\nb\nb\nc")];
        for (before, after) in cases {
            let lines = difference(before, after);
            let side = |gone: DiffKind| {
                let kept = lines.iter().filter(|line| line.kind != gone).map(|line| line.text.as_str());
                kept.collect::<Vec<_>>().join("\n")
            };
            assert_eq!((side(DiffKind::Added).as_str(), side(DiffKind::Removed).as_str()), (before, after));
        }
        let changed = difference("a\nb\nc", "a\nx\nc").iter().filter(|line| line.kind != DiffKind::Same).count();
        assert_eq!(changed, 2);
    }
}
