//! Money in integer minor units (fen, cents). Never a float.

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency that Handsel keeps accounts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// Renminbi yuan, two decimals, ISO 4217 number 156.
    CNY,
}

impl Currency {
    /// The three letters of ISO 4217.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CNY => "CNY",
        }
    }
}

/// An amount of one currency in minor units. May be negative only where a difference is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: 3650 is ¥36.50.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` fen.
    pub const fn cny(minor: i64) -> Self {
        Self { minor, currency: Currency::CNY }
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let units = self.minor.unsigned_abs();
        write!(f, "{sign}{}.{:02} {}", units / 100, units % 100, self.currency.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_units_and_hundredths() {
        for (minor, text) in
            [(0, "0.00 CNY"), (5, "0.05 CNY"), (3650, "36.50 CNY"), (-101, "-1.01 CNY"), (i64::MIN, "-92233720368547758.08 CNY")]
        {
            assert_eq!(Money::cny(minor).to_string(), text);
        }
    }
}
