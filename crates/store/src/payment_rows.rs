//! Payments as rows.
