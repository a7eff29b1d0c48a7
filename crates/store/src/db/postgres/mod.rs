//! PostgreSQL, over its own protocol (version 3.0): prepared statements, binary values, and pipelining, so that writes
//! whose answers nobody needs at once cost no round trip.

mod address;
mod dialect;
mod session;
mod start;
mod stream;
mod tls;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use postgres_protocol::Oid;

pub use self::address::Address;
pub(crate) use self::session::ServerError;
pub(crate) use self::value::PgRow;

use self::session::{Session, Statement};
use super::rows::Group;
use super::waiting::{Database, Waiting};
use super::{DbError, Known, Role, Row, Value};

/// Nobody else writes while this is held: a number for `pg_advisory_lock`, "handsel" in ASCII.
const WRITER_LOCK: i64 = 0x68_61_6e_64_73_65_6c;
/// How long a new writer waits for the one before to be gone, in milliseconds: a server notices within moments that a
/// process was killed.
const LOCK_WAIT_MS: u32 = 15_000;
/// The oldest server that this program is tested with.
const VERSION_MIN: i64 = 150_000;

/// A connection to the server.
pub(crate) struct Postgres {
    inner: RefCell<Inner>,
    pub(super) known: Known,
}

struct Inner {
    server: Server,
    waiting: Waiting,
}

/// The server, and what was prepared there.
struct Server {
    session: Session,
    statements: HashMap<Box<str>, Statement>,
    /// Statements of many rows, by that of one.
    for_many: HashMap<Arc<str>, (Statement, Vec<Oid>)>,
}

impl Postgres {
    /// Connects, sees to it that the server keeps what it acknowledges, and, to write, waits for its turn.
    pub(crate) fn open(address: &Address, role: Role) -> Result<Self, DbError> {
        let session = start::connect(address)?;
        let server = Server { session, statements: HashMap::new(), for_many: HashMap::new() };
        let postgres = Self { inner: RefCell::new(Inner { server, waiting: Waiting::new() }), known: Known::default() };
        postgres.check_server()?;
        if role == Role::Writer {
            // A timeout would end the wait for the standby, and what it ends is acknowledged. The set-based statements join
            // arrays with tables by their keys, however small a table was when it was planned.
            postgres.batch("SET synchronous_commit = on; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
            postgres.batch("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")?;
            postgres.take_turn()?;
        }
        Ok(postgres)
    }

    fn check_server(&self) -> Result<(), DbError> {
        let version: i64 = self.setting("server_version_num")?.parse().unwrap_or(0);
        if version < VERSION_MIN {
            return Err(DbError::Unfit("the server is too old: use PostgreSQL 15 or later".into()));
        }
        for name in ["fsync", "full_page_writes"] {
            if self.setting(name)? != "on" {
                return Err(DbError::Unfit(format!("the server would lose money in a crash: set {name} = on")));
            }
        }
        match self.setting("server_encoding")?.as_str() {
            "UTF8" => Ok(()),
            other => Err(DbError::Unfit(format!("the database's encoding is {other}: make one with ENCODING 'UTF8'"))),
        }
    }

    fn setting(&self, name: &str) -> Result<String, DbError> {
        let mut found = String::new();
        self.query("SELECT current_setting(?1)", &[Value::Text(name)], &mut |row| {
            found = row.get(0)?;
            Ok(())
        })?;
        Ok(found)
    }

    /// Waits until no other process writes. The server gives the turn back when this connection ends, and with it
    /// whatever the process before had not committed is gone.
    fn take_turn(&self) -> Result<(), DbError> {
        self.batch(&format!("SET lock_timeout = {LOCK_WAIT_MS}"))?;
        let lock = self.query("SELECT 1 FROM (SELECT pg_advisory_lock(?1)) held", &[Value::Integer(WRITER_LOCK)], &mut |_| Ok(()));
        match lock {
            Err(error) if error.is_state("55P03") => {
                Err(DbError::Unfit("another program writes to this database: end it first, there can be one only".into()))
            }
            other => other,
        }?;
        self.batch("SET lock_timeout = 0")
    }

    /// Also while the beginning of one is on its way.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.inner.borrow().server.session.is_in_transaction()
    }

    /// Whether the connection is gone, so that another one must be opened.
    pub(crate) fn is_broken(&self) -> bool {
        self.inner.borrow().server.session.is_broken()
    }

    /// Runs statements as they are, outside of what waits.
    pub(super) fn batch(&self, sql: &str) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.write_all(server)?;
        server.session.simple(sql)
    }

    /// Statements that make or change tables, in the dialect of the migrations.
    pub(super) fn define(&self, sql: &str) -> Result<(), DbError> {
        self.batch(&dialect::definition(sql))
    }

    pub(super) fn begin(&self, sql: &str) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.clear();
        server.run(sql)
    }

    pub(super) fn commit(&self) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.write_all(server)?;
        let commit = server.statement("COMMIT")?;
        server.session.commit(&commit)
    }

    pub(super) fn rollback(&self) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.clear();
        // What was sent before may have failed: that is why it is undone.
        let _ = server.session.settle();
        if server.session.is_undone_by_rollback() { server.session.simple("ROLLBACK") } else { Ok(()) }
    }

    pub(super) fn begin_part(&self) {
        self.inner.borrow_mut().waiting.begin_part();
    }

    pub(super) fn end_part(&self) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.end_part(server)
    }

    pub(super) fn undo_part(&self) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        let Some(sql) = waiting.undo_part() else { return Ok(()) };
        // What was sent before may have failed: that is why it is undone.
        let _ = server.session.settle();
        server.session.simple(&sql)
    }

    /// Keeps a row to be written with others of its kind.
    pub(super) fn put(&self, sql: &str, values: &[Value]) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.put(sql, values);
        if waiting.is_full() { waiting.before_write(server) } else { Ok(()) }
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.before_write(server)?;
        let statement = server.statement(sql)?;
        server.session.bind(&statement, values)?;
        server.session.finish(&statement, &mut |_| Ok(()))
    }

    pub(super) fn query(&self, sql: &str, values: &[Value], each: &mut dyn FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        let Inner { server, waiting } = &mut *self.inner.borrow_mut();
        waiting.before_read(server)?;
        server.query(sql, values, each)
    }

    /// A query that need not see what waits.
    pub(super) fn query_written(
        &self,
        sql: &str,
        values: &[Value],
        each: &mut dyn FnMut(&Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.inner.borrow_mut().server.query(sql, values, each)
    }
}

impl Database for Server {
    /// Sends it without waiting for its answer. If it fails, whatever is awaited next fails with its error.
    fn run(&mut self, sql: &str) -> Result<(), DbError> {
        let statement = self.statement(sql)?;
        self.session.bind(&statement, &[])?;
        self.session.relieve()
    }

    /// The same.
    fn write(&mut self, group: &Group) -> Result<(), DbError> {
        let (many, kinds) = self.statement_for_many(&group.sql)?;
        self.session.bind_many(&many, &kinds, &group.rows)?;
        self.session.relieve()
    }
}

impl Server {
    fn query(&mut self, sql: &str, values: &[Value], each: &mut dyn FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        let statement = self.statement(sql)?;
        self.session.bind(&statement, values)?;
        self.session.finish(&statement, &mut |row| each(&Row::Postgres(row)))?;
        Ok(())
    }

    /// The prepared statement of this text; prepares it the first time.
    fn statement(&mut self, sql: &str) -> Result<Statement, DbError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.prepare(&dialect::parameters(sql))?;
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, DbError> {
        let name = format!("s{}", self.statements.len() + self.for_many.len());
        self.session.prepare(name, sql)
    }

    fn statement_for_many(&mut self, sql: &Arc<str>) -> Result<(Statement, Vec<Oid>), DbError> {
        if let Some(known) = self.for_many.get(sql) {
            return Ok(known.clone());
        }
        let kinds = self.statement(sql)?.params().to_vec();
        let names: Option<Vec<&str>> = kinds.iter().map(|kind| value::type_name(*kind)).collect();
        let many = names.and_then(|names| dialect::for_many(sql, &names));
        let many = many.ok_or_else(|| DbError::Column(format!("no statement of many rows can be made of: {sql}")))?;
        let statement = self.prepare(&many)?;
        self.for_many.insert(sql.clone(), (statement.clone(), kinds.clone()));
        Ok((statement, kinds))
    }
}

#[cfg(test)]
mod tests;
