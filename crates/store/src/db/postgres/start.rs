//! Opening a conversation: with the node that takes writes, who we are, and proof of it.

use std::io;

use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;

use super::address::{Address, Host, Node, SslMode};
use super::session::{Session, server_error};
use super::stream::Stream;
use super::tls;
use crate::db::DbError;

/// Connects to the node that takes writes and signs in. Reading is done there too: what was just written is seen.
pub(super) fn connect(address: &Address) -> Result<Session, DbError> {
    let mut failed = Vec::new();
    for (at, node) in address.in_turn() {
        match connect_to(node, address) {
            Ok(session) => {
                address.begin_with(at);
                return Ok(session);
            }
            Err(error) if address.nodes.len() == 1 => return Err(error),
            Err(error) => failed.push(format!("{node}: {error}")),
        }
    }
    Err(DbError::Connection(io::Error::other(format!("no node takes writes at the moment ({})", failed.join("; ")))))
}

fn connect_to(node: &Node, address: &Address) -> Result<Session, DbError> {
    let stream = match (Stream::connect(node).map_err(DbError::Connection)?, &node.host) {
        (Stream::Tcp(socket), Host::Name(name)) if address.ssl_mode != SslMode::Disable => tls::secure(socket, name, address)?,
        (stream, _) => stream,
    };
    let mut session = Session::new(stream);
    sign_in(&mut session, address)?;
    if session.is_read_only() {
        return Err(DbError::Connection(io::Error::other("the server is a standby, or set read-only")));
    }
    Ok(session)
}

fn sign_in(session: &mut Session, address: &Address) -> Result<(), DbError> {
    let parameters = [
        ("user", address.user.as_str()),
        ("database", &address.database),
        ("application_name", "handsel"),
        ("client_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ];
    session.write(|out| frontend::startup_message(parameters, out))?;
    session.flush()?;
    let mut is_bound = false;
    loop {
        match session.read()? {
            Message::AuthenticationOk if address.needs_binding && !is_bound => return Err(unbound()),
            Message::AuthenticationOk => {}
            Message::AuthenticationCleartextPassword => {
                return Err(DbError::Unfit("the server asks for the password as it is: use scram-sha-256 in pg_hba.conf".into()));
            }
            Message::AuthenticationMd5Password(_) if address.needs_binding => return Err(unbound()),
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(address.user.as_bytes(), password(address)?.as_bytes(), body.salt());
                session.write(|out| frontend::password_message(hash.as_bytes(), out))?;
                session.flush()?;
            }
            Message::AuthenticationSasl(body) => is_bound = scram(session, &body, address)?,
            Message::BackendKeyData(_) => {}
            Message::ReadyForQuery(_) => return Ok(()),
            Message::ErrorResponse(body) => return Err(DbError::Postgres(server_error(&body))),
            _ => return Err(DbError::Unfit("the server asks to sign in in a way that is not known here: use scram-sha-256".into())),
        }
    }
}

fn password(address: &Address) -> Result<&str, DbError> {
    let password = address.password.as_ref().map(|password| password.expose().as_str());
    password.ok_or_else(|| DbError::Unfit("the server asks for a password and its address has none".into()))
}

/// Both sides prove that they know the password (RFC 5802, RFC 7677), over this very connection where that is possible; says
/// whether it was.
fn scram(session: &mut Session, offer: &AuthenticationSaslBody, address: &Address) -> Result<bool, DbError> {
    let offers = |mechanism: &str| offer.mechanisms().any(|offered| Ok(offered == mechanism)).unwrap_or(false);
    let end_point = session.end_point();
    let (mechanism, binding, is_bound) = match end_point {
        Some(hash) if offers(SCRAM_SHA_256_PLUS) => (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash), true),
        _ if address.needs_binding => return Err(unbound()),
        _ if !offers(SCRAM_SHA_256) => return Err(DbError::Unfit("the server offers no SCRAM-SHA-256".into())),
        // Tells the server that we could have: one that could too finds out that somebody between has left out its offer.
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested(), false),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported(), false),
    };
    let mut exchange = ScramSha256::new(password(address)?.as_bytes(), binding);
    session.write(|out| frontend::sasl_initial_response(mechanism, exchange.message(), out))?;
    session.flush()?;
    let body = match session.read()? {
        Message::AuthenticationSaslContinue(body) => body,
        Message::ErrorResponse(body) => return Err(DbError::Postgres(server_error(&body))),
        _ => return Err(refused()),
    };
    exchange.update(body.data()).map_err(|_| refused())?;
    session.write(|out| frontend::sasl_response(exchange.message(), out))?;
    session.flush()?;
    match session.read()? {
        Message::AuthenticationSaslFinal(body) => exchange.finish(body.data()).map(|()| is_bound).map_err(|_| refused()),
        Message::ErrorResponse(body) => Err(DbError::Postgres(server_error(&body))),
        _ => Err(refused()),
    }
}

fn unbound() -> DbError {
    DbError::Unfit("signing in could not be bound to the TLS connection, which channel_binding=require asks for".into())
}

fn refused() -> DbError {
    DbError::Unfit("the server did not prove that it knows the password".into())
}
