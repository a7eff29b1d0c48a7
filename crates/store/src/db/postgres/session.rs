//! One conversation with the server: messages out, messages in.

use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorResponseBody, Message, NoticeResponseBody};
use postgres_protocol::message::frontend;
use postgres_protocol::{IsNull, Oid};

use super::stream::Stream;
use super::tls;
use super::value::{PgRow, encode, encode_array};
use crate::db::encoded::EncodedRow;
use crate::db::{DbError, Value};

/// Statements sent without an answer read; more would fill both sockets' buffers and stop both sides.
const UNREAD_MAX: usize = 1_000;
/// Room that is read into at least, in bytes.
const READ_LEN: usize = 16 * 1024;
/// The binary format of parameters and columns.
const BINARY: i16 = 1;

/// A prepared statement.
#[derive(Clone)]
pub(super) struct Statement(Arc<Prepared>);

struct Prepared {
    name: String,
    params: Vec<Oid>,
    columns: Vec<Oid>,
}

impl Statement {
    /// The types of its parameters.
    pub(super) fn params(&self) -> &[Oid] {
        &self.0.params
    }
}

/// The conversation after it was opened.
pub(super) struct Session {
    stream: Stream,
    input: BytesMut,
    output: BytesMut,
    /// Statements sent since the last answer that was waited for.
    unread: usize,
    /// `I` outside a transaction, `T` inside, `E` inside one that failed.
    status: u8,
    is_broken: bool,
    /// What the server reported of itself: a standby, or read-only by its settings.
    is_standby: bool,
    is_set_read_only: bool,
    /// Whether it warned since this was last cleared.
    has_warned: bool,
}

/// What a server said went wrong.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {state})")]
pub struct ServerError {
    /// Its five letters, see the documentation's appendix A.
    pub(crate) state: String,
    /// Its sentence, without the detail, which may hold a row.
    pub(crate) message: String,
}

impl Session {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::with_capacity(READ_LEN),
            output: BytesMut::new(),
            unread: 0,
            status: b'I',
            is_broken: false,
            is_standby: false,
            is_set_read_only: false,
            has_warned: false,
        }
    }

    /// Whether a transaction is open that can go on, or its beginning is on the way.
    pub(super) fn is_in_transaction(&self) -> bool {
        (self.status == b'T' || (self.status == b'I' && self.unread > 0)) && !self.is_broken
    }

    /// Whether there is a transaction to undo.
    pub(super) fn is_undone_by_rollback(&self) -> bool {
        self.status != b'I' && !self.is_broken
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether the server takes no writes.
    pub(super) fn is_read_only(&self) -> bool {
        self.is_standby || self.is_set_read_only
    }

    /// What a sign-in can be bound to.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        tls::end_point(&self.stream)
    }

    /// Adds messages to what is sent next.
    pub(super) fn write(&mut self, message: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Result<(), DbError> {
        message(&mut self.output).map_err(|error| DbError::Column(error.to_string()))
    }

    /// Sends everything written.
    pub(super) fn flush(&mut self) -> Result<(), DbError> {
        let sent = self.stream.write_all(&self.output).and_then(|()| self.stream.flush());
        self.output.clear();
        sent.map_err(|error| self.broken(error))
    }

    /// The next message.
    pub(super) fn read(&mut self) -> Result<Message, DbError> {
        loop {
            match Message::parse(&mut self.input) {
                Ok(Some(Message::NotificationResponse(_))) => {}
                Ok(Some(Message::NoticeResponse(body))) => self.has_warned |= is_warning(&body),
                Ok(Some(Message::ParameterStatus(body))) => match (body.name(), body.value()) {
                    (Ok("in_hot_standby"), Ok(value)) => self.is_standby = value == "on",
                    (Ok("default_transaction_read_only"), Ok(value)) => self.is_set_read_only = value == "on",
                    _ => {}
                },
                Ok(Some(message)) => return Ok(message),
                Ok(None) => self.fill()?,
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    fn fill(&mut self) -> Result<(), DbError> {
        let have = self.input.len();
        self.input.resize(have + READ_LEN, 0);
        let read = self.stream.read(&mut self.input[have..]);
        self.input.truncate(have + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(()),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&mut self, error: io::Error) -> DbError {
        self.is_broken = true;
        DbError::Connection(error)
    }

    /// Prepares a statement and learns its types.
    pub(super) fn prepare(&mut self, name: String, sql: &str) -> Result<Statement, DbError> {
        self.settle()?;
        self.write(|out| {
            frontend::parse(&name, sql, [], out)?;
            frontend::describe(b'S', &name, out)
        })?;
        let (mut params, mut columns) = (Vec::new(), Vec::new());
        self.sync(&mut |message| {
            match message {
                Message::ParameterDescription(body) => params = body.parameters().collect().map_err(unreadable)?,
                Message::RowDescription(body) => columns = body.fields().map(|field| Ok(field.type_oid())).collect().map_err(unreadable)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(Statement(Arc::new(Prepared { name, params, columns })))
    }

    /// Writes a statement with its parameters; it is sent with what is waited for next.
    pub(super) fn bind(&mut self, statement: &Statement, values: &[Value]) -> Result<(), DbError> {
        let params = &statement.0.params;
        if params.len() != values.len() {
            return Err(DbError::Column(format!("a statement takes {} parameters and got {}", params.len(), values.len())));
        }
        self.bind_with(statement, values.iter().zip(params), |(value, kind), out| encode(value, *kind, out))
    }

    /// The same for a statement of many rows, whose columns become arrays of the types `kinds`.
    pub(super) fn bind_many(&mut self, statement: &Statement, kinds: &[Oid], rows: &[EncodedRow]) -> Result<(), DbError> {
        let rows: Vec<Vec<Value>> = rows.iter().map(|row| row.values().collect()).collect();
        self.bind_with(statement, kinds.iter().enumerate(), |(at, kind), out| encode_array(rows.iter().map(|row| row[at]), *kind, out))
    }

    fn bind_with<T>(
        &mut self,
        statement: &Statement,
        values: impl Iterator<Item = T>,
        encode: impl FnMut(T, &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<(), DbError> {
        let begin = self.output.len();
        let bound = frontend::bind("", &statement.0.name, [BINARY], values, encode, [BINARY], &mut self.output);
        if let Err(error) = bound {
            // Half a message would confuse all that follow.
            self.output.truncate(begin);
            let reason = match error {
                frontend::BindError::Conversion(error) => error.to_string(),
                frontend::BindError::Serialization(error) => error.to_string(),
            };
            return Err(DbError::Column(reason));
        }
        self.unread += 1;
        self.write(|out| frontend::execute("", 0, out))
    }

    /// Reads what was answered meanwhile if much is unread.
    pub(super) fn relieve(&mut self) -> Result<(), DbError> {
        if self.unread < UNREAD_MAX { Ok(()) } else { self.settle() }
    }

    /// Waits for the answers to all that was sent; the first error.
    pub(super) fn settle(&mut self) -> Result<(), DbError> {
        if self.unread == 0 { Ok(()) } else { self.sync(&mut |_| Ok(())) }
    }

    /// Waits for the answer to the statement bound last: `each` gets its rows. Says how many rows it changed or found.
    pub(super) fn finish(&mut self, statement: &Statement, each: &mut dyn FnMut(&PgRow) -> Result<(), DbError>) -> Result<u64, DbError> {
        let (mut ranges, mut count, mut refused) = (Vec::new(), 0, None);
        self.sync(&mut |message| {
            match message {
                Message::DataRow(body) if refused.is_none() => {
                    ranges.clear();
                    body.ranges()
                        .for_each(|range| {
                            ranges.push(range);
                            Ok(())
                        })
                        .map_err(unreadable)?;
                    // What does not read back is told when the conversation is at rest.
                    refused = each(&PgRow { columns: &statement.0.columns, ranges: &ranges, buffer: body.buffer() }).err();
                }
                Message::CommandComplete(body) => {
                    count = body.tag().map_err(unreadable)?.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
                }
                _ => {}
            }
            Ok(())
        })?;
        refused.map_or(Ok(count), Err)
    }

    /// Commits, together with what was sent before. A server that undid the transaction instead says so in passing only, and so
    /// does one that gave up waiting for its standby (`SyncRepWaitForLSN` of PostgreSQL): it acknowledges what a change of
    /// leaders may lose.
    pub(super) fn commit(&mut self, commit: &Statement) -> Result<(), DbError> {
        self.bind(commit, &[])?;
        let mut is_committed = false;
        self.has_warned = false;
        self.sync(&mut |message| {
            if let Message::CommandComplete(body) = message {
                is_committed = body.tag().map_err(unreadable)? == "COMMIT";
            }
            Ok(())
        })?;
        match (is_committed, self.has_warned) {
            (true, false) => Ok(()),
            (true, true) => Err(self.broken(io::Error::other("it committed here alone: its standby has not confirmed"))),
            (false, _) => Err(DbError::Lost),
        }
    }

    /// Runs statements without parameters, several if need be.
    pub(super) fn simple(&mut self, sql: &str) -> Result<(), DbError> {
        // What was sent before is answered apart: its error must not be taken for this one's.
        self.settle()?;
        self.write(|out| frontend::query(sql, out))?;
        self.answers(&mut |_| Ok(()))
    }

    fn sync(&mut self, each: &mut dyn FnMut(&Message) -> Result<(), DbError>) -> Result<(), DbError> {
        frontend::sync(&mut self.output);
        self.unread = 0;
        self.answers(each)
    }

    /// Sends, and reads until the server is ready again.
    fn answers(&mut self, each: &mut dyn FnMut(&Message) -> Result<(), DbError>) -> Result<(), DbError> {
        self.flush()?;
        let mut failed = None;
        loop {
            match self.read()? {
                Message::ErrorResponse(body) => {
                    failed.get_or_insert(DbError::Postgres(server_error(&body)));
                }
                Message::ReadyForQuery(body) => {
                    self.status = body.status();
                    return failed.map_or(Ok(()), Err);
                }
                message => {
                    if let Err(error) = each(&message) {
                        failed.get_or_insert(error);
                    }
                }
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_broken {
            self.output.clear();
            frontend::terminate(&mut self.output);
            // Whoever does not hear it notices that the socket is closed.
            let _ = self.flush();
        }
    }
}

fn is_warning(body: &NoticeResponseBody) -> bool {
    // The severity that is the same in every language.
    body.fields().any(|field| Ok(field.type_() == b'V' && field.value_bytes() == b"WARNING")).unwrap_or(false)
}

/// What an error message says, without details: those may hold a row.
pub(super) fn server_error(body: &ErrorResponseBody) -> ServerError {
    let mut error = ServerError { state: String::new(), message: String::new() };
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => error.state = value(),
            b'M' => error.message = value(),
            _ => {}
        }
    }
    error
}

fn unreadable(error: io::Error) -> DbError {
    DbError::Connection(error)
}
