//! One process at a time has a database open.
//!
//! A record lock (`fcntl`), not `flock`: a forked child must not hold its parent's lock. A record lock is gone when the process closes *any* descriptor of
//! the file, so a second open within the process is refused before the file is touched.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::StoreError;

static HELD: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// Held for as long as the store is open.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
    database: PathBuf,
    owner: u32,
}

impl FileLock {
    /// Takes the lock that lies beside `database`, which is an absolute path without links.
    pub fn take(database: &Path) -> Result<FileLock, StoreError> {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.get_or_insert_with(HashSet::new);
        if held.contains(database) {
            return Err(StoreError::InUse { path: database.to_path_buf(), holder: "this process already".into() });
        }
        let path = lock_path(database);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| StoreError::from_io(&path, error))?;
        if !try_lock(&file) {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim().parse::<u32>() {
                Ok(process) => format!("process {process}"),
                Err(_) => "another process".into(),
            };
            return Err(StoreError::InUse { path: database.to_path_buf(), holder });
        }
        // The number only serves the message above: a failure to write it is no reason to stop.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        held.insert(database.to_path_buf());
        Ok(FileLock { _file: file, database: database.to_path_buf(), owner: std::process::id() })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if self.owner == std::process::id() {
            let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = held.as_mut() {
                held.remove(&self.database);
            }
        }
    }
}

/// The lock file is kept: taking it away could part two processes that hold it by the same name.
fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_os_string();
    name.push("-lock");
    name.into()
}

fn try_lock(file: &File) -> bool {
    // SAFETY: an all-zero flock is valid: the whole file, from its start.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    // SAFETY: the descriptor is open and the pointer valid for the call.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &lock) == 0 }
}
