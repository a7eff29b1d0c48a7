//! Everything that is logged in this process, at the finest level.

use std::io::Write;
use std::sync::{Mutex, Once};

use tracing_subscriber::fmt::MakeWriter;

static BYTES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGIN: Once = Once::new();

/// Collects from now on.
pub fn collect() {
    BEGIN.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(Sink).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else collects");
    });
}

/// Everything so far.
pub fn bytes() -> Vec<u8> {
    BYTES.lock().expect("nobody panics while writing").clone()
}

struct Sink;

impl MakeWriter<'_> for Sink {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        BYTES.lock().expect("nobody panics while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
