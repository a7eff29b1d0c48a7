//! Reading pictures out of a request: every byte that is collected stands in memory that is wiped when dropped.
//!
//! The HTTP library's own receive buffers are out of reach here (`docs/capture.md`, *What is wiped*).

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Multipart, Request};
use wire::api::Challenge;
use wire::problem::Code;
use zeroize::Zeroizing;

use crate::look::{Frames, PICTURE_LEN_MAX};

/// The whole body as one picture of at most [`PICTURE_LEN_MAX`] bytes.
pub(crate) async fn read_picture(mut body: Body) -> Result<Zeroizing<Vec<u8>>, Code> {
    let mut picture = Zeroizing::new(Vec::new());
    while let Some(part) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let part = part.map_err(|_| Code::InvalidRequest)?;
        if let Ok(chunk) = part.into_data() {
            append(&mut picture, &chunk)?;
        }
    }
    Ok(picture)
}

/// The `frame` parts in order, and the `challenge` part where there is one.
pub(crate) async fn read_burst(request: Request) -> Result<(Frames, Option<Challenge>), Code> {
    let mut multipart = Multipart::from_request(request, &()).await.map_err(|_| Code::InvalidRequest)?;
    let mut frames = Vec::new();
    let mut challenge = None;
    while let Some(mut field) = multipart.next_field().await.map_err(|error| code_of(error.status()))? {
        match field.name().unwrap_or_default() {
            "frame" => {
                let mut frame = Zeroizing::new(Vec::new());
                while let Some(chunk) = field.chunk().await.map_err(|error| code_of(error.status()))? {
                    append(&mut frame, &chunk)?;
                }
                frames.push(frame);
            }
            "challenge" => {
                let text = field.bytes().await.map_err(|error| code_of(error.status()))?;
                challenge = Some(serde_json::from_slice(&text).map_err(|_| Code::InvalidRequest)?);
            }
            _ => return Err(Code::InvalidRequest),
        }
    }
    Ok((Frames(frames), challenge))
}

/// Adds `chunk`. Where there is no room, the bytes move to a larger place and the smaller one is wiped, which a vector
/// that grows by itself would not do.
fn append(picture: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) -> Result<(), Code> {
    let len = picture.len() + chunk.len();
    if len > PICTURE_LEN_MAX {
        return Err(Code::PictureTooLarge);
    }
    if len > picture.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(len.next_power_of_two()));
        larger.extend_from_slice(picture);
        *picture = larger;
    }
    picture.extend_from_slice(chunk);
    Ok(())
}

/// Too much was sent, or it broke off or is no form.
fn code_of(status: axum::http::StatusCode) -> Code {
    if status == axum::http::StatusCode::PAYLOAD_TOO_LARGE { Code::PictureTooLarge } else { Code::InvalidRequest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_keeps_every_byte_and_stops_at_the_limit() {
        assert_eq!(PICTURE_LEN_MAX, capture::config::CaptureConfig::default().picture.bytes_max);
        let mut picture = Zeroizing::new(Vec::new());
        let chunk: Vec<u8> = (0..=255).collect();
        for _ in 0..PICTURE_LEN_MAX / chunk.len() {
            append(&mut picture, &chunk).expect("within the limit");
        }
        assert_eq!(picture.len(), PICTURE_LEN_MAX);
        assert!(picture.chunks_exact(chunk.len()).all(|part| part == chunk));
        assert_eq!(append(&mut picture, &[0]), Err(Code::PictureTooLarge));
    }
}
