//! The domain of Quorum, pure: terms, policies, prompts, plans, votes, consensus, verdicts, cost and trust.
