//! PostgreSQL, over its own protocol (version 3.0): prepared statements, binary values, and pipelining, so that writes
//! whose answers nobody needs at once cost no round trip.

mod address;
mod dialect;
mod session;
mod start;
mod stream;
mod value;

use std::cell::RefCell;
use std::collections::HashMap;

pub use self::address::Address;
pub(crate) use self::session::ServerError;
pub(crate) use self::value::PgRow;

use self::session::{Session, Statement};
use super::{DbError, Role, Row, Value};

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
}

struct Inner {
    session: Session,
    statements: HashMap<Box<str>, Statement>,
}

impl Postgres {
    /// Connects, sees to it that the server keeps what it acknowledges, and, to write, waits for its turn.
    pub(crate) fn open(address: &Address, role: Role) -> Result<Self, DbError> {
        let session = start::connect(address)?;
        let postgres = Self { inner: RefCell::new(Inner { session, statements: HashMap::new() }) };
        postgres.check_server()?;
        if role == Role::Writer {
            postgres.batch("SET synchronous_commit = on")?;
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
        self.inner.borrow().session.is_in_transaction()
    }

    /// Whether the connection is gone, so that another one must be opened.
    pub(crate) fn is_broken(&self) -> bool {
        self.inner.borrow().session.is_broken()
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), DbError> {
        self.inner.borrow_mut().session.simple(sql)
    }

    /// Statements that make or change tables, in the dialect of the migrations.
    pub(super) fn define(&self, sql: &str) -> Result<(), DbError> {
        self.batch(&dialect::definition(sql))
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, DbError> {
        let inner = &mut *self.inner.borrow_mut();
        let statement = inner.statement(sql)?;
        inner.session.bind(&statement, values)?;
        inner.session.finish(&statement, &mut |_| Ok(()))
    }

    /// Sends a statement without waiting for its answer. If it fails, whatever is awaited next fails with its error.
    pub(super) fn send(&self, sql: &str, values: &[Value]) -> Result<(), DbError> {
        let inner = &mut *self.inner.borrow_mut();
        let statement = inner.statement(sql)?;
        inner.session.bind(&statement, values)?;
        inner.session.relieve()
    }

    /// Waits until everything sent is answered.
    pub(super) fn settle(&self) -> Result<(), DbError> {
        self.inner.borrow_mut().session.settle()
    }

    pub(super) fn query(&self, sql: &str, values: &[Value], each: &mut dyn FnMut(&Row) -> Result<(), DbError>) -> Result<(), DbError> {
        let inner = &mut *self.inner.borrow_mut();
        let statement = inner.statement(sql)?;
        inner.session.bind(&statement, values)?;
        inner.session.finish(&statement, &mut |row| each(&Row::Postgres(row)))?;
        Ok(())
    }
}

impl Inner {
    /// The prepared statement of this text; prepares it the first time.
    fn statement(&mut self, sql: &str) -> Result<Statement, DbError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let name = format!("s{}", self.statements.len());
        let statement = self.session.prepare(name, &dialect::parameters(sql))?;
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }
}
