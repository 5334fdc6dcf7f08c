//! Making and opening a file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};

use crate::schema::{self, Found};
use crate::sync::WalFile;
use crate::{Durability, FileLock, Store, StoreError};

impl Store {
    /// Opens the database at `path`, and makes it (mode 0600) if there is none. `path` is ignored for [`Durability::Memory`].
    ///
    /// # Errors
    /// [`StoreError`] with what is wrong and what to do: no folder, not writable, in use, of another program, of a newer version, damaged.
    pub fn open(path: &Path, durability: Durability) -> Result<Store, StoreError> {
        if durability == Durability::Memory {
            return Store::open_in_memory().map_err(|error| StoreError::from_sqlite(None, error));
        }
        let path = prepare_path(path)?;
        let lock = FileLock::take(&path)?;
        let fail = |error| StoreError::from_sqlite(Some(&path), error);
        let mut writer = Connection::open_with_flags(&path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(fail)?;
        let version = match schema::look(&writer).map_err(fail)? {
            Found::Foreign(reason) => return Err(StoreError::Foreign { path, reason }),
            Found::Ours(found) if found > schema::VERSION => {
                return Err(StoreError::Newer { path, found, known: schema::VERSION })
            }
            Found::Ours(version) => version,
            Found::Empty => 0,
        };
        configure(&writer).map_err(fail)?;
        schema::migrate(&mut writer, version).map_err(fail)?;
        // With synchronous=FULL until here: the first commit also makes the log file's name durable.
        let worker = register_worker(&writer).map_err(fail)?;
        writer.pragma_update(None, "synchronous", "NORMAL").map_err(fail)?;
        let wal = WalFile::open(&path, &mut writer)?;
        let reader = Connection::open_with_flags(&path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(fail)?;
        reader.pragma_update(None, "query_only", true).map_err(fail)?;
        Ok(Store {
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(Some(reader)),
            durability,
            path: Some(path),
            wal: Some(wal),
            worker,
            lock: Mutex::new(Some(lock)),
        })
    }

    fn open_in_memory() -> rusqlite::Result<Store> {
        let mut writer = Connection::open_in_memory_with_flags(flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
        writer.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut writer, 0)?;
        let worker = register_worker(&writer)?;
        Ok(Store {
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(None),
            durability: Durability::Memory,
            path: None,
            wal: None,
            worker,
            lock: Mutex::new(None),
        })
    }
}

/// Each connection is used by one thread at a time: ours is the lock, so SQLite needs none of its own.
fn flags(mode: OpenFlags) -> OpenFlags {
    mode | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Makes the file if there is none, and answers its path without links.
fn prepare_path(path: &Path) -> Result<PathBuf, StoreError> {
    if path.is_dir() {
        return Err(StoreError::IsFolder(path.to_path_buf()));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(StoreError::NoFolder(folder.to_path_buf()));
    }
    if let Some(kind) = network_file_system(folder) {
        return Err(StoreError::Network { path: path.to_path_buf(), kind });
    }
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    file.map_err(|error| StoreError::from_io(path, error))?;
    path.canonicalize().map_err(|error| StoreError::from_io(path, error))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // A query of the engine's is a hundred kinds at most; each stays prepared.
    connection.set_prepared_statement_cache_capacity(64);
    // Before the first table: space comes back in slices, without rewriting the file.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The committer checkpoints, so that no commit does it by surprise.
    connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

fn register_worker(connection: &Connection) -> rusqlite::Result<i64> {
    let mut host = [0u8; 256];
    // SAFETY: the buffer is as long as said.
    let named = unsafe { libc::gethostname(host.as_mut_ptr().cast(), host.len()) } == 0;
    let length = host.iter().position(|&byte| byte == 0).unwrap_or(0);
    let host = if named { String::from_utf8_lossy(&host[..length]).into_owned() } else { "localhost".into() };
    connection.execute(
        "INSERT INTO worker (name, started_at) VALUES (?1, CAST(unixepoch('subsec') * 1000000 AS INTEGER))",
        [format!("{host}:{}", std::process::id())],
    )?;
    Ok(connection.last_insert_rowid())
}

#[cfg(target_os = "linux")]
fn network_file_system(folder: &Path) -> Option<&'static str> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: statfs fills the zeroed structure it is given.
    let mut about: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: name is a C string and about a valid structure.
    if unsafe { libc::statfs(name.as_ptr(), &mut about) } != 0 {
        return None;
    }
    match about.f_type as i64 {
        0x6969 => Some("NFS"),
        0x517B => Some("SMB"),
        0xFE53_4D42 => Some("SMB2"),
        0xFF53_4D42 => Some("CIFS"),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn network_file_system(_folder: &Path) -> Option<&'static str> {
    None
}
