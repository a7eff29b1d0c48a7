//! What is counted, in the text format that Prometheus reads (version 0.0.4). Labels are routes, statuses and stable names;
//! no label holds an identifier, so that their number is bounded and they say nothing of anybody.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;

/// Upper bounds of the histogram of answers, in seconds.
const BOUNDS_S: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The counters.
#[derive(Default)]
pub struct Metrics {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    routes: BTreeMap<String, Route>,
    counters: BTreeMap<(&'static str, &'static str), BTreeMap<String, u64>>,
}

#[derive(Default)]
struct Route {
    /// By method and status.
    requests: BTreeMap<String, BTreeMap<u16, u64>>,
    durations: Histogram,
}

#[derive(Clone, Default)]
struct Histogram {
    buckets: [u64; BOUNDS_S.len()],
    count: u64,
    sum_s: f64,
}

/// What is read at the moment somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauges {
    /// Parties that answer.
    pub parties_connected: usize,
    /// Whether a payment could be made now.
    pub ready: bool,
    /// Looks that are with the parties.
    pub looks_under_way: usize,
}

impl Metrics {
    /// One answered request. `route` is a pattern, never a path.
    pub fn answered(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let mut inner = self.lock();
        let Route { requests, durations: histogram } = entry(&mut inner.routes, route);
        *entry(requests, method).entry(status).or_default() += 1;
        if let Some(at) = BOUNDS_S.iter().position(|bound| seconds <= *bound) {
            histogram.buckets[at] += 1;
        }
        histogram.count += 1;
        histogram.sum_s += seconds;
    }

    /// A payment came to its outcome.
    pub fn payment(&self, status: &str) {
        self.count("handsel_payments_total", "status", status);
    }

    /// A webhook was attempted: an HTTP status, or why there was none.
    pub fn webhook_attempt(&self, outcome: &str) {
        self.count("handsel_webhook_attempts_total", "outcome", outcome);
    }

    /// Somebody asked too often.
    pub fn rate_limited(&self, policy: &str) {
        self.count("handsel_rate_limited_total", "policy", policy);
    }

    /// The page that Prometheus reads.
    pub fn page(&self, gauges: Gauges) -> String {
        let inner = self.lock();
        let mut page = String::new();
        head(&mut page, "handsel_http_requests_total", "counter", "Answered requests.");
        for (route, Route { requests, .. }) in &inner.routes {
            for (method, statuses) in requests {
                for (status, count) in statuses {
                    let labels = [("method", method.as_str()), ("route", route), ("status", &status.to_string())];
                    line(&mut page, "handsel_http_requests_total", &labels, count);
                }
            }
        }
        head(&mut page, "handsel_http_request_duration_seconds", "histogram", "From the request's head to the answer's.");
        for (route, Route { durations, .. }) in &inner.routes {
            durations.write(&mut page, route);
        }
        for (name, help) in [
            ("handsel_payments_total", "Payments that came to an outcome."),
            ("handsel_rate_limited_total", "Requests that were refused because too many came."),
            ("handsel_webhook_attempts_total", "Attempts to deliver a webhook."),
        ] {
            head(&mut page, name, "counter", help);
            for ((_, label), values) in inner.counters.iter().filter(|((counter, _), _)| *counter == name) {
                values.iter().for_each(|(value, count)| line(&mut page, name, &[(label, value)], count));
            }
        }
        for (name, help, value) in [
            ("handsel_parties_connected", "Parties that answer.", gauges.parties_connected),
            ("handsel_ready", "1 if a payment could be made now.", usize::from(gauges.ready)),
            ("handsel_looks_under_way", "Looks that are with the parties.", gauges.looks_under_way),
        ] {
            head(&mut page, name, "gauge", help);
            line(&mut page, name, &[], &value);
        }
        page
    }

    fn count(&self, name: &'static str, label: &'static str, value: &str) {
        *entry(self.lock().counters.entry((name, label)).or_default(), value) += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics while holding this lock")
    }
}

/// What is under `key`, from now on; only the first time it is copied.
fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, key: &str) -> &'m mut T {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), T::default());
    }
    map.get_mut(key).expect("it is there or was put there")
}

impl Histogram {
    fn write(&self, page: &mut String, route: &str) {
        const NAME: &str = "handsel_http_request_duration_seconds";
        let mut below = 0;
        for (bound, count) in BOUNDS_S.iter().zip(&self.buckets) {
            below += count;
            line(page, &format!("{NAME}_bucket"), &[("route", route), ("le", &bound.to_string())], &below);
        }
        line(page, &format!("{NAME}_bucket"), &[("route", route), ("le", "+Inf")], &self.count);
        line(page, &format!("{NAME}_sum"), &[("route", route)], &self.sum_s);
        line(page, &format!("{NAME}_count"), &[("route", route)], &self.count);
    }
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("writing to a string cannot fail");
}

fn line(page: &mut String, name: &str, labels: &[(&str, &str)], value: &dyn std::fmt::Display) {
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    writeln!(page, "{name}{labels} {value}").expect("writing to a string cannot fail");
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_what_happened() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/v1/payments/{id}", 200, 0.004);
        metrics.answered("GET", "/v1/payments/{id}", 200, 20.0);
        metrics.payment("paid");
        let page = metrics.page(Gauges { parties_connected: 3, ready: true, looks_under_way: 0 });
        for expected in [
            r#"handsel_http_requests_total{method="GET",route="/v1/payments/{id}",status="200"} 2"#,
            r#"handsel_http_request_duration_seconds_bucket{route="/v1/payments/{id}",le="0.0025"} 0"#,
            r#"handsel_http_request_duration_seconds_bucket{route="/v1/payments/{id}",le="0.005"} 1"#,
            r#"handsel_http_request_duration_seconds_bucket{route="/v1/payments/{id}",le="10"} 1"#,
            r#"handsel_http_request_duration_seconds_bucket{route="/v1/payments/{id}",le="+Inf"} 2"#,
            r#"handsel_http_request_duration_seconds_sum{route="/v1/payments/{id}"} 20.004"#,
            r#"handsel_payments_total{status="paid"} 1"#,
            "handsel_parties_connected 3",
        ] {
            assert!(page.lines().any(|line| line == expected), "{expected} is not in\n{page}");
        }
    }
}
