//! Which place a request has in its batch, for every line of a result file.

use std::ops::Range;

use quorum_core::plan::Request;

/// The requests of a batch, found by what they ask. Reviews are numbered one after the other, so a review's number nearly
/// tells the place; the rest is a search among a few.
#[derive(Debug)]
pub struct Lookup {
    /// Sorted, each with its place in the batch.
    sorted: Vec<(Request, u32)>,
    review_first: u32,
    /// Reviews are taken together in stretches of 2 to the power of this.
    shift: u32,
    /// Where each stretch begins in `sorted`; one more at the end.
    starts: Vec<u32>,
}

impl Lookup {
    pub fn new(requests: &[Request]) -> Self {
        let mut sorted: Vec<(Request, u32)> = requests.iter().copied().zip(0..).collect();
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        let review_first = sorted.first().map_or(0, |(request, _)| request.review.0);
        let reviews = sorted.last().map_or(0, |(request, _)| request.review.0 - review_first);
        // No more stretches than twice the requests, however far apart the reviews are.
        let shift = (0..32).find(|shift| (reviews >> shift) as usize <= 2 * sorted.len()).unwrap_or(31);
        let mut starts = Vec::with_capacity((reviews >> shift) as usize + 2);
        for (at, (request, _)) in (0_u32..).zip(&sorted) {
            let stretch = (request.review.0 - review_first) >> shift;
            while starts.len() <= stretch as usize {
                starts.push(at);
            }
        }
        starts.push(u32::try_from(sorted.len()).expect("a batch has at most the provider's 50,000 requests"));
        Self { sorted, review_first, shift, starts }
    }

    /// The request's place in the batch; `None`: the batch does not ask it.
    pub fn place(&self, request: Request) -> Option<u32> {
        let stretch = (request.review.0.checked_sub(self.review_first)? >> self.shift) as usize;
        let range: Range<usize> = *self.starts.get(stretch)? as usize..*self.starts.get(stretch + 1)? as usize;
        let few = &self.sorted[range];
        few.binary_search_by_key(&request, |(request, _)| *request).ok().map(|at| few[at].1)
    }
}

#[cfg(test)]
mod tests {
    use quorum_core::votes::ReviewNo;

    use super::*;

    fn check(reviews: &[u32], runs: u8) {
        let requests: Vec<Request> = reviews
            .iter()
            .flat_map(|review| (1..=runs).map(|run| Request { review: ReviewNo(*review), run }))
            .collect();
        let lookup = Lookup::new(&requests);
        for (place, request) in (0..).zip(&requests) {
            assert_eq!(lookup.place(*request), Some(place), "{request:?}");
            assert_eq!(lookup.place(Request { run: runs + 1, ..*request }), None);
            let next = Request { review: ReviewNo(request.review.0.wrapping_add(1)), ..*request };
            assert_eq!(lookup.place(next).is_some(), requests.contains(&next));
        }
        assert_eq!(lookup.place(Request { review: ReviewNo(u32::MAX), run: 0 }), None);
        assert_eq!(lookup.place(Request { review: ReviewNo(0), run: 0 }), None);
    }

    #[test]
    fn every_request_is_found_and_no_other() {
        check(&[], 1);
        check(&[7], 3);
        check(&(1..=500).collect::<Vec<_>>(), 3);
        check(&(1..=500).rev().collect::<Vec<_>>(), 2);
        // Far apart, and one far off.
        check(&(0..300).map(|n| n * 14_000_000).collect::<Vec<_>>(), 1);
        check(&(1..=300).chain([u32::MAX - 1]).collect::<Vec<_>>(), 2);
    }
}
