//! Ground-truth files from the open program: the realm and the clock are its own.

use std::path::Path;

use crate::{
    Quorum,
    dto::{
        error::ApiError,
        results::{ExportReport, ExportRequest},
    },
    ground_truth::{self, GroundTruthFile},
    open_dataset::UnfitOverride,
    verdicts::{VerdictsRequest, expand_policies},
};

impl Quorum {
    /// Computes verdicts and writes a ground-truth file each into `dir`.
    pub fn ground_truth(
        &self,
        request: &VerdictsRequest,
        dir: &Path,
    ) -> Result<(Vec<GroundTruthFile>, Vec<UnfitOverride>), ApiError> {
        let computed_at =
            jiff::Timestamp::from_second(i64::from(self.now())).map_or_else(|_| String::new(), |time| time.to_string());
        ground_truth::export(self.store(), &self.catalog(), self.realm()?, request, dir, &computed_at)
    }

    /// The same for a form.
    pub fn ground_truth_export(&self, request: &ExportRequest) -> Result<ExportReport, ApiError> {
        let wanted = VerdictsRequest {
            dataset: request.dataset.as_str().into(),
            policies: expand_policies(&self.catalog(), &request.policies)?,
            ks: vec![request.k],
            ensemble: None,
            partial: false,
        };
        let (files, _) = self.ground_truth(&wanted, Path::new(&request.dir))?;
        Ok(ExportReport {
            provisional: files.iter().any(GroundTruthFile::is_provisional),
            files: files.into_iter().map(|file| file.path.display().to_string()).collect(),
        })
    }
}
