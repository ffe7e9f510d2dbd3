use super::aggregate::{Posteriors, majority, normalise, softmax};
use super::dawid_skene::Confusions;
use super::matrix::{Gold, VoteMatrix};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibratedOptions {
    pub iterations_max: usize,
    pub unlabelled_weight: f64,
    pub judge_strength: f64,
    pub class_strength: f64,
}

pub struct Calibrated {
    pub posteriors: Posteriors,
    pub confusions: Confusions,
    pub prevalence: Vec<f64>,
}

pub fn calibrated(matrix: &VoteMatrix, gold: &Gold, start: &Posteriors, o: CalibratedOptions) -> Calibrated {
    let l = matrix.n_labels();
    let nj = matrix.n_judges();
    let mut q = start.clone();
    let mut w = vec![o.unlabelled_weight; matrix.n_items()];
    for g in gold.labels() {
        let r = q.of_mut(g.item as usize);
        r.fill(0.0);
        r[g.label as usize] = 1.0;
        w[g.item as usize] = 1.0;
    }
    let mut conf = Confusions::filled(nj, l, 0.0);
    let mut prev = vec![0.0; l];
    let iters = if o.unlabelled_weight == 0.0 { 1 } else { o.iterations_max };
    for _ in 0..iters {
        conf.rows_mut().for_each(|r| r.fill(0.0));
        prev.fill(1.0);
        for i in 0..matrix.n_items() {
            if w[i] == 0.0 || matrix.n_votes_of_item(i) == 0 { continue; }
            let r = q.of(i);
            for (s, p) in prev.iter_mut().zip(r) { *s += w[i] * p; }
            for (j, a) in matrix.votes(i) {
                for (t, p) in r.iter().enumerate() { conf.row_mut(j, t)[a] += w[i] * p; }
            }
        }
        normalise(&mut prev);
        // pooled
        let mut pooled = vec![vec![0.0; l]; l];
        let mut right = vec![0.0; nj];
        let mut n = vec![0.0; nj];
        for j in 0..nj { for t in 0..l { let r = conf.row(j, t); right[j] += r[t]; for a in 0..l { pooled[t][a] += r[a]; n[j] += r[a]; } } }
        let tot_right: f64 = right.iter().sum(); let tot: f64 = n.iter().sum();
        let acc0 = (tot_right + 2.0 * 0.7) / (tot + 2.0);
        for t in 0..l {
            let s: f64 = pooled[t].iter().sum();
            let k = 4.0;
            for a in 0..l {
                let p0 = if a == t { acc0 } else { (1.0 - acc0) / (l.max(2) - 1) as f64 };
                pooled[t][a] = (pooled[t][a] + k * p0) / (s + k);
            }
        }
        for j in 0..nj {
            // judge-level shift of odds relative to pooled
            let aj = (right[j] + o.judge_strength * acc0) / (n[j] + o.judge_strength);
            let shift = (aj / (1.0 - aj)).ln() - (acc0 / (1.0 - acc0)).ln();
            for t in 0..l {
                let d = pooled[t][t];
                let dj = 1.0 / (1.0 + (-((d / (1.0 - d)).ln() + shift)).exp());
                let r = conf.row_mut(j, t);
                let s: f64 = r.iter().sum();
                for a in 0..l {
                    let p0 = if a == t { dj } else { (1.0 - dj) * pooled[t][a] / (1.0 - d) };
                    r[a] = (r[a] + o.class_strength * p0) / (s + o.class_strength);
                }
            }
        }
        let mut row = vec![0.0; l];
        let mut change = 0.0f64;
        for i in 0..matrix.n_items() {
            if w[i] == 1.0 && gold.labels().binary_search_by_key(&(i as u32), |g| g.item).is_ok() { continue; }
            for t in 0..l { row[t] = prev[t].max(1e-300).ln(); }
            for (j, a) in matrix.votes(i) { for t in 0..l { row[t] += conf.row(j, t)[a].max(1e-300).ln(); } }
            softmax(&mut row);
            for (x, y) in row.iter().zip(q.of(i)) { change = change.max((x - y).abs()); }
            q.of_mut(i).copy_from_slice(&row);
        }
        if change < 1e-6 { break; }
    }
    Calibrated { posteriors: q, confusions: conf, prevalence: prev }
}
pub fn start(m: &VoteMatrix) -> Posteriors { majority(m) }
