use super::aggregate::Posteriors;
use super::matrix::{Gold, VoteMatrix};

pub fn best_single(matrix: &VoteMatrix, gold: &Gold, consensus: &Posteriors, strength: f64) -> (Posteriors, Vec<usize>) {
    let nj = matrix.n_judges();
    let l = matrix.n_labels();
    let mut right = vec![0.0; nj];
    let mut n = vec![0.0; nj];
    for g in gold.labels() {
        for (j, a) in matrix.votes(g.item as usize) { n[j] += 1.0; if a == g.label as usize { right[j] += 1.0; } }
    }
    let mut agree = vec![0.0; nj];
    let mut votes = vec![0.0; nj];
    for i in 0..matrix.n_items() { for (j, a) in matrix.votes(i) { votes[j] += 1.0; agree[j] += consensus.of(i)[a]; } }
    let acc: Vec<f64> = (0..nj).map(|j| (right[j] + strength * (agree[j] + 1.0) / (votes[j] + 2.0)) / (n[j] + strength)).collect();
    let mut order: Vec<usize> = (0..nj).collect();
    order.sort_by(|&a, &b| acc[b].total_cmp(&acc[a]).then(a.cmp(&b)));
    let mut rank = vec![0; nj];
    for (r, &j) in order.iter().enumerate() { rank[j] = r; }
    let mut p = Posteriors::uniform(matrix.n_items(), l);
    for i in 0..matrix.n_items() {
        if let Some((j, a)) = matrix.votes(i).min_by_key(|&(j, _)| rank[j]) {
            let r = p.of_mut(i);
            let x = acc[j].clamp(1.0 / l as f64 + 1e-3, 0.999);
            r.fill((1.0 - x) / (l.max(2) - 1) as f64);
            r[a] = x;
        }
    }
    (p, order)
}
pub fn best_model(matrix: &VoteMatrix, gold: &Gold, consensus: &Posteriors, strength: f64, include_judges: bool) -> Posteriors {
    let l = matrix.n_labels();
    let mut models: Vec<&str> = vec![];
    let of: Vec<usize> = matrix.judges().iter().map(|j| match models.iter().position(|m| *m == j.model) { Some(p) => p, None => { models.push(&j.model); models.len() - 1 } }).collect();
    let nm = models.len();
    // pseudo judges: models then judges
    let np = nm + if include_judges { matrix.n_judges() } else { 0 };
    let shares = |i: usize| { let mut s = vec![vec![]; np]; for (j, a) in matrix.votes(i) { if s[of[j]].is_empty() { s[of[j]] = vec![0.0; l]; } s[of[j]][a] += 1.0; if include_judges { let mut v = vec![0.0; l]; v[a] = 1.0; s[nm + j] = v; } } s };
    let credit = |v: &[f64], a: usize| { let b = v.iter().copied().fold(0.0, f64::max); if v[a] < b { 0.0 } else { 1.0 / v.iter().filter(|x| **x >= b).count() as f64 } };
    let mut right = vec![0.0; np]; let mut n = vec![0.0; np];
    for g in gold.labels() { for (p, v) in shares(g.item as usize).iter().enumerate() { if !v.is_empty() { n[p] += 1.0; right[p] += credit(v, g.label as usize); } } }
    let mut agree = vec![0.0; np]; let mut votes = vec![0.0; np];
    for i in 0..matrix.n_items() { for (p, v) in shares(i).iter().enumerate() { if !v.is_empty() { votes[p] += 1.0; let c: f64 = (0..l).map(|a| credit(v, a) * consensus.of(i)[a]).sum(); agree[p] += c; } } }
    let acc: Vec<f64> = (0..np).map(|j| (right[j] + strength * (agree[j] + 1.0) / (votes[j] + 2.0)) / (n[j] + strength)).collect();
    let mut p = Posteriors::uniform(matrix.n_items(), l);
    for i in 0..matrix.n_items() {
        let s = shares(i);
        let mut best = None;
        for k in 0..np { if !s[k].is_empty() && best.is_none_or(|b: usize| acc[k] > acc[b] + 1e-12) { best = Some(k); } }
        if let Some(k) = best { let tot: f64 = s[k].iter().sum(); let x = acc[k].clamp(1.0 / l as f64 + 1e-3, 0.999); let wrong = (1.0 - x) / (l.max(2) - 1) as f64;
            let top = s[k].iter().copied().fold(0.0, f64::max); let nt = s[k].iter().filter(|v| **v >= top).count() as f64;
            let _ = tot;
            let r = p.of_mut(i); for a in 0..l { r[a] = wrong + if s[k][a] >= top { (x - wrong) / nt } else { 0.0 }; } }
    }
    p
}
