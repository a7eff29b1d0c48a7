//! The socket to a server: of this machine, or over TCP.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::address::{Address, Host};

/// A server that says nothing for so long is gone. Longer than any statement of the store takes.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long reaching it may take.
const REACH_MAX: Duration = Duration::from_secs(5);

/// A connected socket.
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// Connects, without a word said.
    pub(super) fn connect(address: &Address) -> io::Result<Self> {
        match &address.host {
            Host::Folder(folder) => {
                let stream = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", address.port)))?;
                stream.set_read_timeout(Some(SILENCE_MAX))?;
                stream.set_write_timeout(Some(SILENCE_MAX))?;
                Ok(Self::Unix(stream))
            }
            Host::Name(name) => {
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                for candidate in (name.as_str(), address.port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&candidate, REACH_MAX) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            stream.set_read_timeout(Some(SILENCE_MAX))?;
                            stream.set_write_timeout(Some(SILENCE_MAX))?;
                            return Ok(Self::Tcp(stream));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(into),
            Self::Tcp(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
