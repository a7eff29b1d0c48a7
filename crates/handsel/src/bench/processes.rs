//! What the kernel counts for a process, from `/proc`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::run::{Failure, context};

/// Processor time of a process so far, all its threads and those that have ended; in steps of 10 ms.
pub fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let text = read(process, "stat")?;
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15.
    let fields = text.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().skip(11);
    let ticks: u64 = fields.take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(10 * ticks))
}

/// The most memory that a process had at once, in bytes; mapped files count as far as they were read.
pub fn peak_memory(process: u32) -> Result<u64, Failure> {
    let text = read(process, "status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kilobytes.map(|kilobytes| 1024 * kilobytes).ok_or_else(|| Failure("the kernel does not say how much memory a process took".into()))
}

/// Bytes that the files in a folder and those below take; what was never written takes none.
pub fn size_of_files(folder: &Path) -> Result<u64, Failure> {
    let mut size = 0;
    for entry in fs::read_dir(folder).map_err(context(folder))? {
        let entry = entry.map_err(context(folder))?;
        let about = entry.metadata().map_err(context(folder))?;
        size += if about.is_dir() { size_of_files(&entry.path())? } else { 512 * about.blocks() };
    }
    Ok(size)
}

fn read(process: u32, file: &str) -> Result<String, Failure> {
    let path = Path::new("/proc").join(process.to_string()).join(file);
    fs::read_to_string(&path).map_err(context(&path))
}
