//! `docs/errors.md`, written from [`Code::ALL`] so that it cannot fall behind.

use std::fmt::Write;

use wire::problem::Code;

/// The page. `cargo test -p api errors_page` says when the committed file is another one; with `HANDSEL_WRITE=1` in the
/// environment the same test writes it.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Every answer that is not a success is a problem document (RFC 9457, `application/problem+json`) whose `code` is one\n\
         of these. The code never changes; sentences may. A refused payment carries the same code in `refusal`.\n\n\
         This page is written from `crates/wire/src/problem.rs`; a test compares them.\n",
    );
    for code in Code::ALL {
        let (status, title, remedy) = code.describe();
        let name = code.name();
        write!(page, "\n## {name}\n\nHTTP {status}. {title}\n\n*What to do:* {remedy}\n").expect("writing to a string cannot fail");
    }
    page
}
