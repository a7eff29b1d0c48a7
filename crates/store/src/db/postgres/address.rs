//! Where a server is: `postgres://user:password@host:port,host:port/database?option=value`, as `libpq` writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::secret::Secret;

/// Port of PostgreSQL.
const PORT: u16 = 5432;
const OPTIONS: &str = "host, port, user, password, sslmode, sslrootcert, channel_binding, target_session_attrs";

/// Where a server is and who connects. Prints without the password.
#[derive(Clone)]
pub struct Address {
    /// Nodes of one cluster: the one that takes writes is used.
    pub(super) nodes: Vec<Node>,
    pub(super) user: String,
    pub(super) password: Option<Secret<String>>,
    pub(super) database: String,
    pub(super) ssl_mode: SslMode,
    /// The authorities that may sign a server's certificate; without, those of this machine.
    pub(super) ssl_root_cert: Option<PathBuf>,
    /// Whether signing in must be bound to the TLS connection.
    pub(super) needs_binding: bool,
    /// The node that is tried first, for all copies.
    first: Arc<AtomicUsize>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) host: Host,
    pub(super) port: u16,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A folder with its socket, of this machine. There is no TLS there.
    Folder(PathBuf),
    /// A name or an address.
    Name(String),
}

/// What is asked of TLS, each more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    /// In the clear.
    Disable,
    /// Encrypted, to whoever answers; with `sslrootcert` the same as the next, as in `libpq`.
    Require,
    /// The certificate is signed by one of the authorities.
    VerifyCa,
    /// And made out for this host.
    VerifyFull,
}

impl SslMode {
    const ALL: [(&str, Self); 4] =
        [("disable", Self::Disable), ("require", Self::Require), ("verify-ca", Self::VerifyCa), ("verify-full", Self::VerifyFull)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).expect("all are there").0
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or("the address of a PostgreSQL database begins with postgres://")?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').ok_or("the address lacks the database: postgres://user@host/database")?;
        let (who, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = who.split_once(':').map_or((who, None), |(user, password)| (user, Some(password)));
        let mut address = Self {
            nodes: hosts.split(',').map(node).collect::<Result<_, _>>()?,
            user: decode(user)?,
            password: password.map(decode).transpose()?.map(Secret::new),
            database: decode(database)?,
            ssl_mode: SslMode::Disable,
            ssl_root_cert: None,
            needs_binding: false,
            first: Arc::default(),
        };
        let (mut hosts, mut ports, mut ssl_mode) = (None, None, None);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').ok_or_else(|| format!("the option {option} has no value"))?;
            let value = decode(value)?;
            match name {
                "host" => hosts = Some(value),
                "port" => ports = Some(value),
                "user" => address.user = value,
                "password" => address.password = Some(Secret::new(value)),
                "sslmode" => ssl_mode = Some(value),
                "sslrootcert" => address.ssl_root_cert = Some(value).filter(|path| path != "system").map(PathBuf::from),
                "channel_binding" => address.needs_binding = needs_binding(&value)?,
                // Nothing else would do.
                "target_session_attrs" if ["read-write", "primary"].contains(&value.as_str()) => {}
                "target_session_attrs" => {
                    return Err(format!("target_session_attrs={value} would not do: the store writes, use read-write"));
                }
                other => return Err(format!("the option {other} is not known: use {OPTIONS}")),
            }
        }
        address.set_nodes(hosts.as_deref(), ports.as_deref())?;
        address.set_ssl(ssl_mode.as_deref())?;
        Ok(address)
    }
}

impl Address {
    fn set_nodes(&mut self, hosts: Option<&str>, ports: Option<&str>) -> Result<(), String> {
        if self.user.is_empty() || self.database.is_empty() {
            return Err("the address lacks the user or the database: postgres://user@host/database".into());
        }
        if let Some(hosts) = hosts {
            let host = |text: &str| if text.starts_with('/') { Host::Folder(text.into()) } else { Host::Name(text.to_owned()) };
            self.nodes = hosts.split(',').map(|text| Node { host: host(text), port: PORT }).collect();
        }
        if let Some(ports) = ports {
            let ports = ports.split(',').map(port).collect::<Result<Vec<u16>, _>>()?;
            if ports.len() != 1 && ports.len() != self.nodes.len() {
                return Err(format!("the address has {} hosts and {} ports", self.nodes.len(), ports.len()));
            }
            self.nodes.iter_mut().zip(ports.iter().cycle()).for_each(|(node, port)| node.port = *port);
        }
        Ok(())
    }

    fn set_ssl(&mut self, mode: Option<&str>) -> Result<(), String> {
        self.ssl_mode = match mode {
            None => self.usual_mode(),
            Some(name) => SslMode::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, mode)| mode).ok_or_else(|| {
                format!("sslmode={name} may end in the clear or is not known: use verify-full, verify-ca, require, or disable")
            })?,
        };
        match self.ssl_mode {
            SslMode::Require if self.ssl_root_cert.is_some() => self.ssl_mode = SslMode::VerifyCa,
            SslMode::VerifyCa if self.ssl_root_cert.is_none() => {
                return Err("sslmode=verify-ca with this machine's authorities would trust anybody's certificate: add sslrootcert, or use verify-full".into());
            }
            SslMode::Disable if self.needs_binding => return Err("channel_binding=require needs TLS: use sslmode=verify-full".into()),
            _ => {}
        }
        Ok(())
    }

    /// Without a word on it: nothing leaves this machine in the clear, and to no one who has not proved who they are.
    fn usual_mode(&self) -> SslMode {
        let is_near = |node: &Node| match &node.host {
            Host::Folder(_) => true,
            Host::Name(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        };
        if self.nodes.iter().all(is_near) { SslMode::Disable } else { SslMode::VerifyFull }
    }

    /// All nodes, beginning with the one that answered last.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = (usize, &Node)> {
        let first = self.first.load(Ordering::Relaxed);
        (0..self.nodes.len()).map(move |at| (at + first) % self.nodes.len()).map(|at| (at, &self.nodes[at]))
    }

    /// This node is tried first from now on.
    pub(super) fn begin_with(&self, node: usize) {
        self.first.store(node, Ordering::Relaxed);
    }

    /// The next node is tried first: the conversation with the one before broke off.
    pub(crate) fn begin_with_next(&self) {
        self.begin_with((self.first.load(Ordering::Relaxed) + 1) % self.nodes.len());
    }
}

fn needs_binding(value: &str) -> Result<bool, String> {
    match value {
        "require" => Ok(true),
        "prefer" => Ok(false),
        other => Err(format!("channel_binding={other} is not known: use prefer or require")),
    }
}

fn node(text: &str) -> Result<Node, String> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => (name, port(digits)?),
        _ => (text, PORT),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    Ok(Node { host: Host::Name(if name.is_empty() { "localhost".into() } else { decode(name)? }), port })
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text} is no port"))
}

fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let hex = rest.split_at_checked(2).and_then(|(hex, after)| Some((std::str::from_utf8(hex).ok()?, after)));
            let (hex, after) = hex.ok_or("a % in the address is not followed by two digits")?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(|_| "a % in the address is not followed by two digits")?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).map_err(|_| "the address is no UTF-8".into())
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Folder(folder) => write!(f, "{}:{}", folder.display(), self.port),
            Host::Name(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |part: fn(&Node) -> String| self.nodes.iter().map(part).collect::<Vec<_>>().join(",");
        let mut options = Vec::new();
        if self.nodes.iter().any(|node| matches!(node.host, Host::Folder(_))) {
            let host = |node: &Node| match &node.host {
                Host::Folder(folder) => folder.display().to_string(),
                Host::Name(name) => name.clone(),
            };
            options.push(format!("host={}&port={}", listed(host), listed(|node| node.port.to_string())));
            write!(f, "postgres://{}@/{}", self.user, self.database)?;
        } else {
            write!(f, "postgres://{}@{}/{}", self.user, listed(Node::to_string), self.database)?;
        }
        if self.ssl_mode != self.usual_mode() {
            options.push(format!("sslmode={}", self.ssl_mode.name()));
        }
        options.extend(self.ssl_root_cert.iter().map(|path| format!("sslrootcert={}", path.display())));
        options.extend(self.needs_binding.then(|| "channel_binding=require".to_owned()));
        if options.is_empty() { Ok(()) } else { write!(f, "?{}", options.join("&")) }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed_without_the_password() {
        for (text, printed) in [
            ("postgres://ann:p%40ss@localhost/pay", "postgres://ann@localhost:5432/pay"),
            ("postgresql://ann@[::1]:5433/pay", "postgres://ann@[::1]:5433/pay"),
            ("postgres://ann@/pay?host=/run/pg&port=7", "postgres://ann@/pay?host=/run/pg&port=7"),
            ("postgres://ann@10.0.0.1/pay?sslmode=disable", "postgres://ann@10.0.0.1:5432/pay?sslmode=disable"),
            ("postgres://ann@db.example/pay", "postgres://ann@db.example:5432/pay"),
            ("postgres://ann@a,b:7/pay?target_session_attrs=read-write", "postgres://ann@a:5432,b:7/pay"),
            ("postgres://ann@/pay?host=a,b&port=7&sslmode=verify-full", "postgres://ann@a:7,b:7/pay"),
            (
                "postgres://ann@localhost/pay?sslmode=require&sslrootcert=/ca.pem",
                "postgres://ann@localhost:5432/pay?sslmode=verify-ca&sslrootcert=/ca.pem",
            ),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(format!("{address} {address:?}"), format!("{printed} {printed}"));
            let again: Address = printed.parse().expect(printed);
            assert_eq!((again.nodes, again.ssl_mode), (address.nodes, address.ssl_mode), "{printed}");
        }
        let address: Address = "postgres://ann:p%40ss@localhost/pay".parse().expect("sound");
        assert_eq!(address.password.expect("one").expose(), "p@ss");
    }

    #[test]
    fn another_machine_must_prove_who_it_is_unless_the_address_says_otherwise() {
        for (host, mode) in [("localhost", SslMode::Disable), ("127.0.0.1", SslMode::Disable), ("db.example", SslMode::VerifyFull)] {
            let address: Address = format!("postgres://ann@localhost,{host}/pay").parse().expect("sound");
            assert_eq!(address.ssl_mode, mode, "{host}");
        }
    }

    #[test]
    fn the_node_that_answered_last_is_tried_first() {
        let address: Address = "postgres://ann@a,b,c/pay".parse().expect("sound");
        let order = |address: &Address| address.in_turn().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(order(&address), [0, 1, 2]);
        address.clone().begin_with(2);
        assert_eq!(order(&address), [2, 0, 1]);
        address.begin_with_next();
        assert_eq!(order(&address), [0, 1, 2]);
    }

    #[test]
    fn addresses_that_are_not_sound_or_not_safe_say_so() {
        for (text, reason) in [
            ("mysql://a/b", "begins with postgres://"),
            ("postgres://ann@localhost", "lacks the database"),
            ("postgres://localhost/pay", "lacks the user"),
            ("postgres://ann@localhost:x/pay", "no port"),
            ("postgres://ann@a,b/pay?port=1,2,3", "2 hosts and 3 ports"),
            ("postgres://ann@db.example/pay?sslmode=prefer", "may end in the clear"),
            ("postgres://ann@db.example/pay?sslmode=verify-ca", "add sslrootcert"),
            ("postgres://ann@localhost/pay?channel_binding=require", "needs TLS"),
            ("postgres://ann@a,b/pay?target_session_attrs=any", "use read-write"),
            ("postgres://ann@localhost/pay?colour=red", "not known"),
            ("postgres://ann@localhost/pa%4", "two digits"),
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
