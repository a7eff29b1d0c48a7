//! Frames between platform and party: 4 bytes of length, little-endian, and that many bytes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wire::party::FRAME_LEN_MAX;

/// The next frame's bytes.
///
/// # Errors
/// What the socket says; `InvalidData` for a frame that is longer than [`FRAME_LEN_MAX`].
pub async fn read(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let len = reader.read_u32_le().await? as usize;
    if len > FRAME_LEN_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; len];
    reader.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Sends `bytes` as one frame.
///
/// # Errors
/// What the socket says; `InvalidInput` for a frame that is longer than [`FRAME_LEN_MAX`].
pub async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).ok().filter(|len| *len as usize <= FRAME_LEN_MAX).ok_or(io::ErrorKind::InvalidInput)?;
    writer.write_u32_le(len).await?;
    writer.write_all(bytes).await?;
    writer.flush().await
}
