//! `handsel admin`: what the operators of the platform and of a party do by hand.

pub mod bisect;
pub mod city;
pub mod compensation;
pub mod copies;
pub mod gallery;
pub mod identity;
pub mod ledger;
pub mod merchant;
pub mod parties;
pub mod party;
pub mod service;
pub mod settlement;
pub mod shoppers;
pub mod store;
