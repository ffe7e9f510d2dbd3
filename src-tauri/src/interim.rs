use quorum_api::{
    Quorum,
    dto::{business::*, error::ApiError, results::*, topic::*},
};
pub trait Interim {
    fn results_overview(&self, q: &ResultsQuery) -> Result<ResultsOverview, ApiError>;
    fn business_detail(&self, q: &BusinessQuery) -> Result<BusinessDetail, ApiError>;
    fn review_detail(&self, q: &ReviewQuery) -> Result<ReviewDetail, ApiError>;
    fn topic_list(&self, d: Option<&str>) -> Result<Vec<TopicSummary>, ApiError>;
}
impl Interim for Quorum {
    fn results_overview(&self, q: &ResultsQuery) -> Result<ResultsOverview, ApiError> {
        quorum_api::results::results_overview(self.store(), &self.catalog(), self.realm()?, q)
    }
    fn business_detail(&self, q: &BusinessQuery) -> Result<BusinessDetail, ApiError> {
        quorum_api::business::business_detail(self.store(), &self.catalog(), self.realm()?, q)
    }
    fn review_detail(&self, q: &ReviewQuery) -> Result<ReviewDetail, ApiError> {
        quorum_api::review::review_detail(self.store(), &self.catalog(), self.realm()?, q)
    }
    fn topic_list(&self, d: Option<&str>) -> Result<Vec<TopicSummary>, ApiError> {
        quorum_api::topics::topic_list(self.store(), &self.catalog(), self.realm()?, d)
    }
}
