//! Against servers of their own: TLS and what it proves, several nodes, and a commit that its standby has not confirmed.

use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm, date_time_ymd,
};

use super::Address;
use crate::db::{Connection, DbError, Location, Role, Tx};
use crate::throwaway::Throwaway;

/// Everybody on this machine, and others under TLS with a password.
const HBA: &str = "local all all trust\nhostssl all all all scram-sha-256\n";

/// A made-up authority.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(algorithm: &'static SignatureAlgorithm) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { params, key: KeyPair::generate_for(algorithm).expect("a key") }
    }

    fn certificate(&self) -> String {
        self.params.clone().self_signed(&self.key).expect("signs").pem()
    }

    /// Certificate and key of a server at this address, which end in that year.
    fn server(&self, address: &str, until: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![address.to_owned()]).expect("an address");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).expect("signs");
        (signed.pem(), key.serialize_pem())
    }
}

/// A server with TLS at two addresses of loopback, of which its certificate names the first; and its user's password.
fn server(authority: &Authority, net: u8, until: i32) -> (Throwaway, [String; 2]) {
    let process = std::process::id();
    let address = |last: u8| format!("127.{net}.{}.{last}", process % 250);
    let (certificate, key) = authority.server(&address(1), until);
    let settings = [
        ("listen_addresses", &*format!("{},{}", address(1), address(2))),
        ("hba_file", "hba"),
        ("ssl", "on"),
        ("ssl_cert_file", "../server.crt"),
        ("ssl_key_file", "../server.key"),
    ];
    let server = Throwaway::start_with(&[("hba", HBA), ("server.crt", &certificate), ("server.key", &key)], &settings).expect("starts");
    let admin = Connection::open(&server.new_database().expect("a database"), Role::Reader).expect("opens");
    admin.batch("CREATE ROLE ann LOGIN PASSWORD 'right'").expect("makes a user");
    (server, [address(1), address(2)])
}

/// `open` or why not, and whether the connection is encrypted.
fn open(text: &str) -> Result<bool, String> {
    let address: Address = text.parse().expect(text);
    let connection = Connection::open(&Location::Postgres(address), Role::Reader).map_err(|error| error.to_string())?;
    Ok(Tx(&connection).one("SELECT ssl::int::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()", (), |row| row.get(0)).expect("reads"))
}

#[test]
fn a_server_proves_who_it_is_as_the_address_asks() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.display().to_string()
    };
    let authority = Authority::new(&PKCS_ECDSA_P384_SHA384);
    let (_server, [named, unnamed]) = server(&authority, 71, 2100);
    let (_late, [late, _]) = server(&authority, 72, 2021);
    let ca = file("ca.pem", &authority.certificate());
    let other = file("other.pem", &Authority::new(&PKCS_ECDSA_P384_SHA384).certificate());
    let empty = file("empty.pem", "nothing");
    let missing = directory.path().join("missing.pem").display().to_string();
    for (host, password, options, refused) in [
        (&named, "right", "sslmode=require".to_owned(), None),
        (&unnamed, "right", "sslmode=require".to_owned(), None),
        (&late, "right", "sslmode=require&channel_binding=require".to_owned(), None),
        (&named, "right", format!("sslmode=verify-ca&sslrootcert={ca}"), None),
        (&unnamed, "right", format!("sslmode=verify-ca&sslrootcert={ca}"), None),
        (&named, "right", format!("sslmode=verify-full&sslrootcert={ca}"), None),
        (&named, "right", format!("sslmode=verify-full&sslrootcert={ca}&channel_binding=require"), None),
        (&named, "wrong", format!("sslmode=verify-full&sslrootcert={ca}"), Some("password authentication failed")),
        (&unnamed, "right", format!("sslmode=verify-full&sslrootcert={ca}"), Some("made out for another name")),
        (&named, "right", format!("sslmode=verify-full&sslrootcert={other}"), Some("not signed by an authority in")),
        (&named, "right", format!("sslmode=verify-ca&sslrootcert={other}"), Some("not signed by an authority in")),
        (&named, "right", format!("sslmode=require&sslrootcert={other}"), Some("not signed by an authority in")),
        (&named, "right", "sslmode=verify-full".to_owned(), Some("name yours by sslrootcert")),
        (&named, "right", format!("sslmode=verify-full&sslrootcert={empty}"), Some("holds no certificate")),
        (&named, "right", format!("sslmode=verify-full&sslrootcert={missing}"), Some("cannot be used")),
        (&late, "right", format!("sslmode=verify-ca&sslrootcert={ca}"), Some("its certificate is over")),
        (&named, "right", "sslmode=disable".to_owned(), Some("no pg_hba.conf entry")),
    ] {
        let opened = open(&format!("postgres://ann:{password}@{host}/postgres?{options}"));
        match refused {
            None => assert_eq!(opened, Ok(true), "{options}"),
            Some(reason) => assert!(opened.as_ref().is_err_and(|error| error.contains(reason)), "{options}: {opened:?}"),
        }
    }
}

/// A certificate whose signature names no hash binds nothing (RFC 5929), and a server without TLS is not spoken to.
#[test]
fn what_cannot_be_bound_or_encrypted_is_refused_where_that_is_asked() {
    let (_server, [address, _]) = server(&Authority::new(&PKCS_ED25519), 73, 2100);
    assert_eq!(open(&format!("postgres://ann:right@{address}/postgres?sslmode=require")), Ok(true));
    let bound = open(&format!("postgres://ann:right@{address}/postgres?sslmode=require&channel_binding=require"));
    assert!(bound.as_ref().is_err_and(|error| error.contains("could not be bound")), "{bound:?}");
    let clear = format!("127.74.{}.1", std::process::id() % 250);
    let _clear = Throwaway::start(&[("listen_addresses", &clear)]).expect("starts");
    let refused = open(&format!("postgres://ann:right@{clear}/postgres?sslmode=require"));
    assert!(refused.as_ref().is_err_and(|error| error.contains("does not speak TLS")), "{refused:?}");
}

fn of_folders(folders: &[&Path]) -> Location {
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    format!("postgres://handsel@/postgres?host={}", folders.join(",")).parse().expect("sound")
}

#[test]
fn of_several_nodes_the_one_that_takes_writes_is_used() {
    let nowhere = tempfile::tempdir().expect("a directory");
    let read_only = Throwaway::start(&[]).expect("starts");
    let admin = Connection::open(&of_folders(&[read_only.folder()]), Role::Reader).expect("opens");
    admin.batch("ALTER DATABASE postgres SET default_transaction_read_only = on").expect("is set");
    let leader = Throwaway::start(&[("application_name", "leader")]).expect("starts");
    let location = of_folders(&[nowhere.path(), read_only.folder(), leader.folder()]);
    let connection = Connection::open(&location, Role::Writer).expect("opens");
    connection.batch("CREATE TABLE there (number BIGINT)").expect("writes");
    let none =
        Connection::open(&of_folders(&[nowhere.path(), read_only.folder()]), Role::Writer).map(|_| ()).expect_err("nobody takes writes");
    let text = none.to_string();
    assert!(none.is_no_room() && text.contains("no node takes writes") && text.contains("is a standby"), "{text}");
}

/// The server says "COMMIT" and warns, when the wait for a standby is cancelled: that is no acknowledgement.
#[test]
fn a_commit_that_no_standby_confirmed_is_not_acknowledged() {
    let server = Throwaway::start(&[("synchronous_standby_names", "nobody")]).expect("starts");
    let location = of_folders(&[server.folder()]);
    // What is made before must not wait either.
    let admin = Connection::open(&location, Role::Reader).expect("opens");
    admin.batch("SET synchronous_commit = local; CREATE TABLE kept (number BIGINT)").expect("makes a table");
    let writer = Connection::open(&location, Role::Writer).expect("opens");
    writer.begin(Role::Writer).expect("begins");
    Tx(&writer).execute("INSERT INTO kept VALUES (?1)", [7_i64]).expect("inserts");
    let committed = std::thread::scope(|scope| {
        let commit = scope.spawn(move || {
            let committed = writer.commit();
            (committed, writer.is_broken())
        });
        let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while Tx(&admin).one(cancel, (), |row| row.get::<i64>(0)).expect("reads") == 0 {
            assert!(!commit.is_finished(), "it must wait for the standby");
            std::thread::sleep(Duration::from_millis(5));
        }
        commit.join().expect("ends")
    });
    assert!(matches!(committed, (Err(DbError::Connection(_)), true)), "{committed:?}");
    assert_eq!(Tx(&admin).one("SELECT count(*) FROM kept", (), |row| row.get::<i64>(0)).expect("reads"), 1, "the server alone kept it");
}
