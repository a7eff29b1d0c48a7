//! The whole platform over HTTP, with a real database and three real parties on loopback.

mod api_keys;
mod authorisation;
mod conventions;
mod crowd;
mod documents;
mod enrolments;
mod full_disk;
mod integrating;
mod looks;
mod outages;
mod pages;
mod payments;
mod schemathesis;
mod secrecy;
mod strictness;
mod stream;
mod webhooks;
mod world;
