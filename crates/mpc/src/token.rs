//! A record's payment token: 128 random bits that only the platform can turn into an account.
//!
//! All three parties know which slot has which token, as they know the slots' other names; nobody knows which one a search
//! selects. `adr/006-tokens-in-the-clear.md` says why.

/// A record's payment token; never zero for a record, because zero means that nobody was found.
pub type Token = [u8; 16];
