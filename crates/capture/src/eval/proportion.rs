//! A proportion with its exact 95 % interval.

/// So many of so many trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// How often it happened.
    pub count: u64,
    /// How often it could have happened.
    pub trials: u64,
}

impl Proportion {
    /// `count` of `trials`.
    ///
    /// # Panics
    /// When more happened than could have.
    pub fn new(count: u64, trials: u64) -> Proportion {
        assert!(count <= trials, "no more events than trials");
        Proportion { count, trials }
    }

    /// The proportion, 0..=1; not a number without trials.
    pub fn value(&self) -> f64 {
        self.count as f64 / self.trials as f64
    }

    /// The 95 % interval of Clopper and Pearson (Biometrika 26, 1934), as lower and upper bound. Without any event the
    /// upper bound is 1 - 0.025^(1/n), about 3.7/n: the two-sided form of the rule of three.
    pub fn interval95(&self) -> (f64, f64) {
        let (count, trials) = (self.count as f64, self.trials as f64);
        let lower = if self.count == 0 { 0.0 } else { beta_quantile(0.025, count, trials - count + 1.0) };
        let upper = if self.count == self.trials { 1.0 } else { beta_quantile(0.975, count + 1.0, trials - count) };
        (lower, upper)
    }
}

/// The x at which the regularised incomplete beta function reaches `probability`, by bisection.
fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if beta_regularised(middle, a, b) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8), evaluated with the method of Lentz.
fn beta_regularised(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast below the mean; above it the symmetry I_x(a, b) = 1 - I_(1-x)(b, a) helps.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_regularised(1.0 - x, b, a);
    }
    let front = (a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp() / a;
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for step in 1..10_000 {
        let m = f64::from(step);
        for term in
            [m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)), -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))]
        {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front * fraction
}

/// Logarithm of the gamma function for x > 0: Stirling's series (Abramowitz and Stegun 6.1.41) above 10, and below it
/// the recurrence gamma(x + 1) = x gamma(x).
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut less) = (x, 0.0);
    while x < 10.0 {
        less += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + (2.0 * std::f64::consts::PI).ln() / 2.0 + series - less
}
