//! What the demo counted, as a table and as JSON.

use std::collections::BTreeMap;

use capture::config::CaptureConfig;
use ledger::totals::Totals;
use serde::Serialize;
use serde_json::json;

use crate::till_client::{Attempt, Outcome};

/// Counts of one demo.
#[derive(Default)]
pub struct DemoReport {
    pub people: usize,
    pub strangers: usize,
    pub crowd: usize,
    pub attempts: usize,
    pub stranger_attempts: usize,
    pub paid: usize,
    pub refused: usize,
    pub strangers_refused: usize,
    pub refused_reasons: BTreeMap<&'static str, usize>,
    pub stranger_reasons: BTreeMap<&'static str, usize>,
    pub enrolments_refused: BTreeMap<&'static str, usize>,
    pub wrong_charges: usize,
    pub passcodes_asked: usize,
    pub strangers_in_folder: usize,
    pub liveness: Vec<f64>,
    pub times: Times,
    pub books: Option<Totals>,
}

/// Milliseconds of many attempts.
#[derive(Default)]
pub struct Times {
    press_to_paid_ms: Vec<f64>,
    stages_ms: BTreeMap<String, Vec<f64>>,
}

impl DemoReport {
    /// An enrolled person's attempt; `right_person` if the payment stands in their own list.
    pub fn count_member(&mut self, attempt: &Attempt, right_person: bool) {
        self.attempts += 1;
        self.liveness.extend(attempt.liveness);
        self.passcodes_asked += usize::from(attempt.passcode_asked);
        match attempt.outcome {
            Outcome::Paid(_) => {
                self.paid += 1;
                self.wrong_charges += usize::from(!right_person);
                self.times.add(attempt);
            }
            Outcome::Refused(code) => {
                self.refused += 1;
                *self.refused_reasons.entry(code.name()).or_default() += 1;
            }
        }
    }

    /// A stranger's attempt: any charge is a wrong one.
    pub fn count_stranger(&mut self, attempt: &Attempt) {
        self.stranger_attempts += 1;
        self.liveness.extend(attempt.liveness);
        match attempt.outcome {
            Outcome::Paid(_) => self.wrong_charges += 1,
            Outcome::Refused(code) => {
                self.strangers_refused += 1;
                *self.stranger_reasons.entry(code.name()).or_default() += 1;
            }
        }
    }

    /// Nobody was charged who did not pay, and the books balance.
    pub fn is_sound(&self) -> bool {
        self.wrong_charges == 0 && self.books.as_ref().is_some_and(|books| books.balanced())
    }

    /// One JSON object, or a table, on standard output.
    pub fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.json());
        } else {
            print!("{}", self.table());
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "people": self.people,
            "strangers": self.strangers,
            "crowd": self.crowd,
            "attempts": self.attempts,
            "stranger_attempts": self.stranger_attempts,
            "paid": self.paid,
            "refused": self.refused,
            "refused_reasons": self.refused_reasons,
            "strangers_refused": self.strangers_refused,
            "stranger_refused_reasons": self.stranger_reasons,
            "enrolments_refused": self.enrolments_refused,
            "wrong_charges": self.wrong_charges,
            "passcodes_asked": self.passcodes_asked,
            "strangers_in_folder": self.strangers_in_folder,
            "liveness": {
                "enforced": false,
                "why": "archive photographs are no captures",
                "looks": self.liveness.len(),
                "median": percentile(&self.liveness, 0.50),
                "below_till_threshold": self.below_till_threshold(),
            },
            "ledger_balanced": self.books.as_ref().is_some_and(|books| books.balanced()),
            "books_minor": self.books.map(|books| json!({
                "debits": books.debits_minor, "credits": books.credits_minor,
                "customers": books.customer_minor, "merchants": books.merchant_minor, "reserve": books.reserve_minor,
            })),
            "press_to_paid_ms": self.times.press_to_paid(),
            "stages_ms": self.times.stages(),
        })
    }

    /// Looks that a till would have refused as not live.
    fn below_till_threshold(&self) -> usize {
        let threshold = f64::from(CaptureConfig::default().liveness_min);
        self.liveness.iter().filter(|liveness| **liveness < threshold).count()
    }

    fn table(&self) -> String {
        let percentiles = self.times.press_to_paid();
        let mut text = format!(
            "{} people enrolled beside a crowd of {}; {} of the folder's {} strangers\n\
             liveness is reported, not enforced, because archive photographs are no captures: median {:.2}, a till would have\n\
             refused {} of {} looks\n\n\
             paid            {:6} of {} attempts by enrolled people ({} with the passcode)\n\
             refused         {:6} {}\n\
             strangers       {:6} of {} attempts refused {}\n\
             wrongly charged {:6}\n\
             press to paid   {:6.0} ms median, {:.0} ms at the 95th percentile\n",
            self.people,
            self.crowd,
            self.strangers,
            self.strangers_in_folder,
            percentile(&self.liveness, 0.50),
            self.below_till_threshold(),
            self.liveness.len(),
            self.paid,
            self.attempts,
            self.passcodes_asked,
            self.refused,
            reasons(&self.refused_reasons),
            self.strangers_refused,
            self.stranger_attempts,
            reasons(&self.stranger_reasons),
            self.wrong_charges,
            percentiles.p50,
            percentiles.p95,
        );
        for (stage, took) in self.times.stages() {
            text += &format!("  {stage:14}{took:6.1} ms median\n");
        }
        if let Some(books) = &self.books {
            let verdict = if books.balanced() { "balanced" } else { "NOT BALANCED" };
            text += &format!(
                "ledger          {verdict}: debits {} = credits {}; customers {} + merchants {} = reserve {} (minor units)\n",
                books.debits_minor, books.credits_minor, books.customer_minor, books.merchant_minor, books.reserve_minor
            );
        }
        text
    }
}

/// The middle and the tail, in milliseconds; 0 without data.
#[derive(Serialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
}

impl Times {
    /// Adds one attempt that ended as paid.
    pub fn add(&mut self, attempt: &Attempt) {
        self.press_to_paid_ms.push(attempt.press_to_answer_ms);
        for (stage, took) in &attempt.stages_ms {
            self.stages_ms.entry(stage.clone()).or_default().push(*took);
        }
    }

    /// From press to paid.
    pub fn press_to_paid(&self) -> Percentiles {
        Percentiles { p50: percentile(&self.press_to_paid_ms, 0.50), p95: percentile(&self.press_to_paid_ms, 0.95) }
    }

    /// The median of each stage.
    pub fn stages(&self) -> BTreeMap<&str, f64> {
        self.stages_ms.iter().map(|(stage, took)| (stage.as_str(), percentile(took, 0.50))).collect()
    }
}

/// The nearest-rank percentile, rounded to a thousandth; 0 without data.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let value = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0);
    (value * 1e3).round() / 1e3
}

fn reasons(counts: &BTreeMap<&'static str, usize>) -> String {
    let parts: Vec<String> = counts.iter().map(|(code, count)| format!("{code} {count}")).collect();
    if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        for (values, share, expected) in [
            (vec![], 0.5, 0.0),
            (vec![3.0], 0.95, 3.0),
            (vec![4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
            ((1..=100).map(f64::from).collect(), 0.95, 95.0),
        ] {
            assert_eq!(percentile(&values, share), expected);
        }
    }

    #[test]
    fn one_wrong_charge_or_unbalanced_books_fail_the_demo() {
        let books = |balanced| Totals { debits_minor: 1, credits_minor: if balanced { 1 } else { 2 }, ..Totals::default() };
        let report = |wrong_charges, books| DemoReport { wrong_charges, books, ..DemoReport::default() };
        assert!(report(0, Some(books(true))).is_sound());
        assert!(!report(1, Some(books(true))).is_sound());
        assert!(!report(0, Some(books(false))).is_sound());
        assert!(!report(0, None).is_sound());
    }
}
