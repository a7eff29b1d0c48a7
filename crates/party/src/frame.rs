//! Frames: 4 bytes of length, little-endian, and that many bytes. Used with the platform and between parties.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wire::party::FRAME_LEN_MAX;

/// The next frame's bytes.
///
/// # Errors
/// What the connection says; `InvalidData` for a frame longer than [`FRAME_LEN_MAX`], of which nothing is read.
pub async fn read(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let len = reader.read_u32_le().await? as usize;
    if len > FRAME_LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
    }
    // Grown as bytes come in, so that a length alone takes no memory.
    let mut bytes = Vec::new();
    reader.take(len as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Sends `parts`, joined, as one frame.
///
/// # Errors
/// What the connection says; `InvalidInput` for a frame longer than [`FRAME_LEN_MAX`].
pub async fn write(writer: &mut (impl AsyncWrite + Unpin), parts: &[&[u8]]) -> io::Result<()> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    if len > FRAME_LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the frame is too long"));
    }
    // One buffer, one TLS record where it fits.
    let mut bytes = Vec::with_capacity(4 + len);
    bytes.extend_from_slice(&(len as u32).to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    writer.write_all(&bytes).await?;
    writer.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_and_what_is_too_long_or_cut_is_refused() {
        let mut bytes = Vec::new();
        write(&mut bytes, &[b"one", b"", b" frame"]).await.expect("memory takes it");
        write(&mut bytes, &[]).await.expect("memory takes it");
        let mut reader = &bytes[..];
        assert_eq!(read(&mut reader).await.expect("a frame"), b"one frame");
        assert_eq!(read(&mut reader).await.expect("a frame"), b"");
        for (input, error) in [
            (&b""[..], io::ErrorKind::UnexpectedEof),
            (&bytes[..3], io::ErrorKind::UnexpectedEof),
            (&bytes[..8], io::ErrorKind::UnexpectedEof),
            (&[0xff; 16], io::ErrorKind::InvalidData),
        ] {
            assert_eq!(read(&mut &input[..]).await.expect_err("no whole frame").kind(), error);
        }
    }
}
