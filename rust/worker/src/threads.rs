//! Threads of our own: named, and deaf to signals, which are Python's to handle.

use std::thread::JoinHandle;

/// Starts a thread that blocks all signals from its first instruction on.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    // The mask is inherited: set before the start, there is no moment at which the thread could take a signal.
    // SAFETY: the sets are plain data that the calls fill.
    let old = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut old: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
        old
    };
    let thread = std::thread::Builder::new().name(name.into()).stack_size(512 * 1024).spawn(body);
    // SAFETY: old is the set that the first call filled.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &old, std::ptr::null_mut()) };
    thread
}
