//! Frames as they come from the platform, between parties and from workers: whatever the bytes, all that is read was there.

#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;

/// The outcome of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("bytes in memory are there at once"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (mut reader, mut taken) = (bytes, 0);
    while let Ok(frame) = now(party::frame::read(&mut reader)) {
        taken += 4 + frame.len();
    }
    assert!(taken <= bytes.len());
    let (mut reader, mut taken) = (bytes, 0);
    while let Ok(frame) = now(party::link::read_frame(&mut reader, None)) {
        taken += 4 + frame.map_or(0, |(_, _, message)| 20 + message.len());
    }
    assert!(taken <= bytes.len());
});
