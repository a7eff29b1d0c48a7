//! A disk that holds what was synced, forgets some of the rest when power fails, and can be full.

/// Why a write or a sync failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// No room; some bytes may have been written.
    Full,
    /// The write was refused.
    Write,
    /// It is not known what is durable.
    Sync,
}

/// One file.
#[derive(Debug, Default)]
pub struct Disk {
    /// Survives everything.
    durable: Vec<u8>,
    /// The whole file as the process sees it.
    cached: Vec<u8>,
    /// What the next operation of its kind does.
    pub next_fault: Option<DiskError>,
}

impl Disk {
    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.cached
    }

    /// Appends; a full disk takes a third of it first.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        match self.next_fault.take_if(|fault| *fault != DiskError::Sync) {
            Some(DiskError::Full) => {
                self.cached.extend_from_slice(&bytes[..bytes.len() / 3]);
                Err(DiskError::Full)
            }
            Some(fault) => Err(fault),
            None => {
                self.cached.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Makes everything durable.
    pub fn sync(&mut self) -> Result<(), DiskError> {
        if let Some(fault) = self.next_fault.take_if(|fault| *fault == DiskError::Sync) {
            return Err(fault);
        }
        self.durable.clone_from(&self.cached);
        Ok(())
    }

    /// Cuts the file to `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.cached.truncate(len);
        self.durable.truncate(len);
    }

    /// Power fails: what was not synced is kept up to `kept` 256ths of it, and its last byte is spoilt. Whether anything
    /// was torn.
    pub fn crash(&mut self, kept: u8) -> bool {
        let synced = self.durable.len();
        let loose = self.cached.len() - synced;
        let whole = synced + loose * usize::from(kept) / 255;
        self.cached.truncate(whole);
        let torn = whole > synced && kept < 255;
        if torn {
            self.cached[whole - 1] ^= 0x55;
        }
        self.durable.clone_from(&self.cached);
        self.next_fault = None;
        torn
    }
}
