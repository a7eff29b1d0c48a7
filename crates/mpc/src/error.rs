//! What can go wrong in a run of a protocol, or with the bytes of a share.

use base::party::PartyId;

/// Every refusal of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A template with no features, an odd number of them or more than [`crate::share::DIMENSIONS_MAX`]. The caller
    /// can fix it.
    #[error("a template has an even number of features, from 2 to 1024, not {features}")]
    DimensionsInvalid {
        /// How many there were.
        features: usize,
    },
    /// A template whose squared norm is above [`crate::share::NORM_SQUARED_MAX`]: its scores could wrap.
    #[error("the template is longer than the ring can hold")]
    NormTooLarge,
    /// Bytes whose length is not that of a share. Whoever sent them can fix it.
    #[error("a share of {expected} bytes was expected, not of {found}")]
    ShareLength {
        /// The length that was expected.
        expected: usize,
        /// The length that came.
        found: usize,
    },
    /// Thresholds outside `THRESHOLD_MIN <= ambiguous <= accept <= THRESHOLD_MAX`. The operator can fix the configuration.
    #[error("the thresholds must satisfy 129 <= ambiguous <= accept <= 13600")]
    ThresholdsInvalid,
    /// The neighbour's connection is gone, or its message did not come in time. The run may be tried again.
    #[error("{peer} cannot be reached")]
    PeerUnavailable {
        /// The neighbour.
        peer: PartyId,
    },
    /// The neighbour sent a message of another length than the protocol wants: its software differs from ours.
    #[error("{peer} sent {found} bytes where the protocol has {expected}")]
    MessageLength {
        /// The neighbour.
        peer: PartyId,
        /// Bytes that the protocol has.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// The neighbour was handed another input: another probe, other thresholds or another gallery.
    #[error("{peer} was not handed the same input")]
    InputDiffers {
        /// The neighbour.
        peer: PartyId,
        /// The number, from 0, of the first digest that differs.
        digest: usize,
    },
    /// The two neighbours opened different values of a coin: one of them did not follow the protocol. It is not known
    /// which.
    #[error("the neighbours do not agree on a coin")]
    CoinMismatch,
    /// The check of the inner products failed: one was altered, or the gallery's check is not of this gallery. It is not
    /// known by whom.
    #[error("the check of the inner products failed; at least one party did not follow the protocol")]
    MacMismatch,
    /// The check of the multiplications failed: a product was altered. It is not known by whom.
    #[error("the check of the multiplications failed; at least one party did not follow the protocol")]
    CheckFailed,
    /// The probe is no template: a feature is out of range or its norm is outside the window. Whoever made it is to
    /// blame, or a party that did not follow the protocol.
    #[error("the probe is not a template")]
    ProbeInvalid,
    /// The shares of a result contradict one another; at least one party did not follow the protocol.
    #[error("the parties' shares of the result contradict one another")]
    ResultInconsistent,
}
