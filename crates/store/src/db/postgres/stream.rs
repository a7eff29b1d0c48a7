//! The socket to a server: of this machine, or over TCP, in the clear or under TLS.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::sockopt;
use rustls::{ClientConnection, StreamOwned};

use super::address::{Host, Node};

/// A server that says nothing for so long is gone. Longer than any statement of the store takes.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long reaching it may take.
const REACH_MAX: Duration = Duration::from_secs(5);
/// A machine that is gone, as after a power cut, is noticed after some 10 s: silent for so long, it is asked three times.
const ASK_AFTER: Duration = Duration::from_secs(4);
const ASK_EVERY: Duration = Duration::from_secs(2);
const ASK_TIMES: u32 = 3;
/// And what it does not take is given up after so long, in milliseconds.
const UNTAKEN_MAX_MS: u32 = 10_000;

/// A connected socket.
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Connects, without a word said.
    pub(super) fn connect(node: &Node) -> io::Result<Self> {
        match &node.host {
            Host::Folder(folder) => {
                let stream = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", node.port)))?;
                stream.set_read_timeout(Some(SILENCE_MAX))?;
                stream.set_write_timeout(Some(SILENCE_MAX))?;
                Ok(Self::Unix(stream))
            }
            Host::Name(name) => {
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                for candidate in (name.as_str(), node.port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&candidate, REACH_MAX) {
                        Ok(stream) => {
                            prepare(&stream)?;
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

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, ASK_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, ASK_EVERY)?;
    sockopt::set_tcp_keepcnt(stream, ASK_TIMES)?;
    Ok(sockopt::set_tcp_user_timeout(stream, UNTAKEN_MAX_MS)?)
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(into),
            Self::Tcp(stream) => stream.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(_) | Self::Tcp(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
