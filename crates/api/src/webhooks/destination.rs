//! Where a webhook goes, read from a merchant's URL.

use std::net::IpAddr;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use payments::webhook::reach::Reach;
use wire::problem::Code;

use crate::problem::{Answer, Refused};

/// Longest URL in bytes.
const URL_LEN_MAX: usize = 2_000;

/// A URL that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Whether over TLS.
    pub secure: bool,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `host` or `host:port`, as the URL has it.
    pub authority: String,
    /// The rest.
    pub path: PathAndQuery,
}

impl Destination {
    /// Reads `url`.
    ///
    /// # Errors
    /// `url_forbidden` unless it is an absolute `https` URL of at most 2,000 characters with a host, without user name or
    /// fragment; or, where this machine may be reached, `http` to this machine. An address in it must be one that may be
    /// reached; a name is looked up only when something is sent.
    pub fn parse(url: &str, reach: Reach) -> Answer<Self> {
        Self::read(url, reach).ok_or_else(|| Refused::at(Code::UrlForbidden, "url"))
    }

    fn read(url: &str, reach: Reach) -> Option<Self> {
        if url.len() > URL_LEN_MAX || url.contains('#') {
            return None;
        }
        let parts = url.parse::<Uri>().ok()?.into_parts();
        let secure = match parts.scheme?.as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = parts.authority?;
        let behind_host = authority.as_str().strip_prefix(authority.host())?;
        let port_given = match behind_host.strip_prefix(':') {
            Some(digits) => Some(digits.parse::<u16>().ok()?),
            None if behind_host.is_empty() => None,
            None => return None,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let address: Option<IpAddr> = host.parse().ok();
        let loopback = host == "localhost" || address.is_some_and(|address| address.to_canonical().is_loopback());
        let plain_allowed = reach == Reach::PublicAndLoopback && loopback;
        let allowed = !host.is_empty() && (secure || plain_allowed) && address.is_none_or(|address| reach.allows(address));
        allowed.then(|| Self {
            secure,
            host,
            port: port_given.unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_hosts_that_may_be_reached() {
        for (url, public, loopback_too) in [
            ("https://shop.example/hooks?x=1", true, true),
            ("https://shop.example:8443/hooks", true, true),
            ("https://93.184.215.14/", true, true),
            ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", true, true),
            ("http://shop.example/hooks", false, false),
            ("http://127.0.0.1:9000/hooks", false, true),
            ("http://localhost:9000/hooks", false, true),
            ("http://[::1]:9000/", false, true),
            ("https://127.0.0.1/", false, true),
            ("https://10.0.0.7/", false, false),
            ("https://[::ffff:10.0.0.7]/", false, false),
            ("https://169.254.169.254/latest/meta-data", false, false),
            ("https://user:secret@shop.example/", false, false),
            ("https://shop.example/#part", false, false),
            ("https://", false, false),
            ("https:///hooks", false, false),
            ("https://shop.example:99999/", false, false),
            ("ftp://shop.example/", false, false),
            ("/hooks", false, false),
            ("shop.example", false, false),
            ("https://shop.example/ space", false, false),
            ("", false, false),
        ] {
            let found = |reach| Destination::parse(url, reach).is_ok();
            assert_eq!((found(Reach::Public), found(Reach::PublicAndLoopback)), (public, loopback_too), "{url}");
        }
        assert!(Destination::parse(&format!("https://shop.example/{}", "a".repeat(2_000)), Reach::Public).is_err());
    }

    #[test]
    fn host_port_and_path_are_what_the_url_says() {
        let of = |url: &str| {
            let found = Destination::parse(url, Reach::PublicAndLoopback).expect("allowed");
            (found.secure, found.host, found.port, found.path.to_string())
        };
        assert_eq!(of("https://shop.example/a?b=c"), (true, "shop.example".into(), 443, "/a?b=c".into()));
        assert_eq!(of("https://shop.example:8443"), (true, "shop.example".into(), 8443, "/".into()));
        assert_eq!(of("http://[::1]:9000/x"), (false, "::1".into(), 9000, "/x".into()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(url in ".{0,60}", host in "[a-z0-9.:\\[\\]@%-]{0,20}") {
            let _ = Destination::parse(&url, Reach::Public);
            let _ = Destination::parse(&format!("https://{host}/"), Reach::PublicAndLoopback);
        }
    }
}
