//! Opening a conversation: who we are, and proof of it.

use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use super::address::Address;
use super::session::{Session, server_error};
use super::stream::Stream;
use crate::db::DbError;

/// Connects and signs in.
pub(super) fn connect(address: &Address) -> Result<Session, DbError> {
    let mut session = Session::new(Stream::connect(address).map_err(DbError::Connection)?);
    let parameters = [
        ("user", address.user.as_str()),
        ("database", &address.database),
        ("application_name", "handsel"),
        ("client_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ];
    session.write(|out| frontend::startup_message(parameters, out))?;
    session.flush()?;
    loop {
        match session.read()? {
            Message::AuthenticationOk => {}
            Message::AuthenticationCleartextPassword => {
                return Err(DbError::Unfit("the server asks for the password as it is: use scram-sha-256 in pg_hba.conf".into()));
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(address.user.as_bytes(), password(address)?.as_bytes(), body.salt());
                session.write(|out| frontend::password_message(hash.as_bytes(), out))?;
                session.flush()?;
            }
            Message::AuthenticationSasl(body) => {
                let offered = body.mechanisms().any(|mechanism| Ok(mechanism == SCRAM_SHA_256)).unwrap_or(false);
                if !offered {
                    return Err(DbError::Unfit("the server offers no SCRAM-SHA-256".into()));
                }
                scram(&mut session, password(address)?)?;
            }
            Message::BackendKeyData(_) => {}
            Message::ReadyForQuery(_) => return Ok(session),
            Message::ErrorResponse(body) => return Err(DbError::Postgres(server_error(&body))),
            _ => return Err(DbError::Unfit("the server asks to sign in in a way that is not known here: use scram-sha-256".into())),
        }
    }
}

fn password(address: &Address) -> Result<&str, DbError> {
    let password = address.password.as_ref().map(|password| password.expose().as_str());
    password.ok_or_else(|| DbError::Unfit("the server asks for a password and its address has none".into()))
}

fn scram(session: &mut Session, password: &str) -> Result<(), DbError> {
    let mut exchange = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
    session.write(|out| frontend::sasl_initial_response(SCRAM_SHA_256, exchange.message(), out))?;
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
        Message::AuthenticationSaslFinal(body) => exchange.finish(body.data()).map_err(|_| refused()),
        Message::ErrorResponse(body) => Err(DbError::Postgres(server_error(&body))),
        _ => Err(refused()),
    }
}

fn refused() -> DbError {
    DbError::Unfit("the server did not prove that it knows the password".into())
}
