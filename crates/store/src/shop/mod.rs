//! What merchants' own people do: staff, head office, stores, tills on their way to work, refunds that wait, disputes and figures.

pub mod activation;
mod dispute;
pub mod figures;
mod office;
mod refund;
mod request;
pub mod staff;

pub(crate) use dispute::statement;
pub(crate) use refund::{Maker, check_refund, note_refund};
