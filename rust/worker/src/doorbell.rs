//! How a thread that waits on a descriptor (an event loop) hears that there is something for it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::parker::pipe;

/// A pipe that holds a byte while it rings.
#[derive(Debug)]
pub struct Doorbell {
    reader: File,
    writer: File,
    rung: AtomicBool,
}

impl Doorbell {
    /// # Errors
    /// When the process has no descriptors left.
    pub fn new() -> std::io::Result<Doorbell> {
        let (reader, writer) = pipe()?;
        Ok(Doorbell { reader, writer, rung: AtomicBool::new(false) })
    }

    /// Readable while it rings.
    pub fn descriptor(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // The pipe is empty, or readable anyway.
            let _ = (&self.writer).write(&[1]);
        }
    }

    /// Ends the ringing: look for what it rang for after this.
    pub fn answer(&self) {
        let mut seen = [0u8; 8];
        let _ = (&self.reader).read(&mut seen);
        self.rung.store(false, Ordering::Release);
    }
}
