//! The whole platform over HTTP, with a real database and three real parties on loopback.

mod api_keys;
mod authorisation;
mod conventions;
mod crowd;
mod documents;
mod enrolments;
mod failures;
mod full_disk;
mod integrating;
mod looks;
mod outages;
mod owners;
mod pages;
mod passkeys;
mod payments;
mod places;
mod schemathesis;
mod secrecy;
mod service;
mod shop;
mod stream;
mod strictness;
mod vouchers;
mod webhooks;
mod world;
