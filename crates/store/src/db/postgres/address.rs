//! Where a server is: `postgres://user:password@host:port/database?option=value`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base::secret::Secret;

/// Port of PostgreSQL.
const PORT: u16 = 5432;

/// Where a server is and who connects. Prints without the password.
#[derive(Clone)]
pub struct Address {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Option<Secret<String>>,
    pub(super) database: String,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A folder with its socket, of this machine.
    Folder(PathBuf),
    /// A name or an address.
    Name(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or("the address of a PostgreSQL database begins with postgres://")?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').ok_or("the address lacks the database: postgres://user@host/database")?;
        let (who, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = who.split_once(':').map_or((who, None), |(user, password)| (user, Some(password)));
        let (host, port) = split_port(host)?;
        let mut address = Self {
            host: Host::Name(if host.is_empty() { "localhost".into() } else { decode(host)? }),
            port,
            user: decode(user)?,
            password: password.map(decode).transpose()?.map(Secret::new),
            database: decode(database)?,
        };
        let mut sslmode = None;
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').ok_or_else(|| format!("the option {option} has no value"))?;
            let value = decode(value)?;
            match name {
                "host" if value.starts_with('/') => address.host = Host::Folder(value.into()),
                "host" => address.host = Host::Name(value),
                "port" => address.port = value.parse().map_err(|_| format!("{value} is no port"))?,
                "user" => address.user = value,
                "password" => address.password = Some(Secret::new(value)),
                "sslmode" => sslmode = Some(value),
                other => {
                    return Err(format!("the option {other} is not known: use host, port, user, password, sslmode"));
                }
            }
        }
        address.check(sslmode.as_deref())?;
        Ok(address)
    }
}

impl Address {
    fn check(&self, sslmode: Option<&str>) -> Result<(), String> {
        if self.user.is_empty() || self.database.is_empty() {
            return Err("the address lacks the user or the database: postgres://user@host/database".into());
        }
        let is_near = match &self.host {
            Host::Folder(_) => true,
            Host::Name(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        };
        match sslmode {
            Some("disable") => Ok(()),
            None if is_near => Ok(()),
            None => Err("a server of another machine would be spoken to in the clear: reach it through a TLS tunnel that ends on this machine, or add sslmode=disable if the network is yours alone".into()),
            Some(other) => Err(format!("sslmode={other} is not built: use a TLS tunnel that ends on this machine, or disable")),
        }
    }
}

fn split_port(host: &str) -> Result<(&str, u16), String> {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => Ok((name, port.parse().map_err(|_| format!("{port} is no port"))?)),
        _ => Ok((host, PORT)),
    }
    .map(|(name, port)| (name.trim_start_matches('[').trim_end_matches(']'), port))
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Folder(folder) => write!(f, "postgres://{}@/{}?host={}&port={}", self.user, self.database, folder.display(), self.port),
            Host::Name(name) => write!(f, "postgres://{}@{name}:{}/{}", self.user, self.port, self.database),
        }
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
            ("postgresql://ann@[::1]:5433/pay", "postgres://ann@::1:5433/pay"),
            ("postgres://ann@/pay?host=/run/pg&port=7", "postgres://ann@/pay?host=/run/pg&port=7"),
            ("postgres://ann@10.0.0.1/pay?sslmode=disable", "postgres://ann@10.0.0.1:5432/pay"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(format!("{address} {address:?}"), format!("{printed} {printed}"));
        }
        let address: Address = "postgres://ann:p%40ss@localhost/pay".parse().expect("sound");
        assert_eq!(address.password.expect("one").expose(), "p@ss");
    }

    #[test]
    fn addresses_that_are_not_sound_or_not_safe_say_so() {
        for (text, reason) in [
            ("mysql://a/b", "begins with postgres://"),
            ("postgres://ann@localhost", "lacks the database"),
            ("postgres://localhost/pay", "lacks the user"),
            ("postgres://ann@localhost:x/pay", "no port"),
            ("postgres://ann@db.example/pay", "TLS tunnel"),
            ("postgres://ann@localhost/pay?sslmode=verify-full", "not built"),
            ("postgres://ann@db.example/pay?sslmode=require", "not built"),
            ("postgres://ann@localhost/pay?colour=red", "not known"),
            ("postgres://ann@localhost/pa%4", "two digits"),
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
