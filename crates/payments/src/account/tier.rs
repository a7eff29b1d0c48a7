//! How a payer was known, and how strong that is.

/// Strength of verification (PBoC notice 2017-296, by analogy): each tier has its own cap a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Two factors, one of them a certificate or an electronic signature: what the parties agree.
    A,
    /// Two factors without.
    B,
    /// Fewer than two factors: the institution bears every loss.
    C,
    /// A code that does not change, whatever is verified.
    D,
}

/// How the payer of a payment was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifiedBy {
    /// By look alone: one factor.
    Look,
    /// By look and passcode: two factors.
    LookAndPasscode,
    /// By a voucher that was shown while the till had no network: one factor, the phone that keeps it.
    Voucher,
    /// By look and a bound device's signature: two factors, one of them an electronic signature.
    LookAndPhone,
}

impl VerifiedBy {
    /// The stable name on receipts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::LookAndPasscode => "look_and_passcode",
            Self::LookAndPhone => "look_and_phone",
            Self::Voucher => "voucher",
        }
    }

    /// The way of this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Look, Self::LookAndPasscode, Self::LookAndPhone, Self::Voucher].into_iter().find(|way| way.name() == name)
    }

    /// The tier that it is in. Nothing that can be done at a till today is in tier D.
    pub const fn tier(self) -> Tier {
        match self {
            Self::Look | Self::Voucher => Tier::C,
            Self::LookAndPasscode => Tier::B,
            Self::LookAndPhone => Tier::A,
        }
    }
}
