//! How a thread waits for work or for a task's end.
//!
//! A handler thread parks. Python's main thread must run its signal handlers while it waits, so it polls descriptors instead: one that wakers write to, and
//! one that Python writes to when a signal arrives.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// One waiting thread. Wakes are remembered: a wake before the wait ends it at once.
#[derive(Debug)]
pub struct Parker {
    woken: AtomicBool,
    wait: Wait,
}

#[derive(Debug)]
enum Wait {
    Thread(Thread),
    /// The reading and the writing end of a pipe.
    Pipe(File, File),
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakeup {
    Woken,
    /// The signal descriptor became readable: Python has handlers to run.
    Signal,
    TimedOut,
}

impl Parker {
    /// A parker for the calling thread.
    pub fn for_this_thread() -> Parker {
        Parker { woken: AtomicBool::new(false), wait: Wait::Thread(std::thread::current()) }
    }

    /// A parker whose wait also ends when a signal arrives.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn with_pipe() -> std::io::Result<Parker> {
        let (reader, writer) = pipe()?;
        Ok(Parker { woken: AtomicBool::new(false), wait: Wait::Pipe(reader, writer) })
    }

    /// Ends the wait, now or when it begins.
    pub fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            match &self.wait {
                Wait::Thread(thread) => thread.unpark(),
                // A pipe that is full is readable already.
                Wait::Pipe(_, writer) => drop((&*writer).write(&[1])),
            }
        }
    }

    /// Waits until woken, until `signals` is readable (only with a pipe) or until `deadline`. Call it on the thread that made the parker.
    pub fn wait(&self, signals: Option<RawFd>, deadline: Option<Instant>) -> Wakeup {
        loop {
            if self.woken.swap(false, Ordering::AcqRel) {
                return Wakeup::Woken;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Wakeup::TimedOut;
            }
            match (&self.wait, left) {
                (Wait::Thread(_), None) => std::thread::park(),
                (Wait::Thread(_), Some(left)) => std::thread::park_timeout(left),
                (Wait::Pipe(reader, _), left) => {
                    let signal = poll(reader.as_raw_fd(), signals, left);
                    let mut seen = [0u8; 64];
                    let _ = (&*reader).read(&mut seen);
                    if signal {
                        return Wakeup::Signal;
                    }
                }
            }
        }
    }
}

/// Waits until either descriptor is readable or the time is up; answers whether the second is readable. An interrupted call counts as a signal.
fn poll(own: RawFd, signals: Option<RawFd>, left: Option<Duration>) -> bool {
    let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // A negative descriptor is passed over.
    let mut entries = [entry(own), entry(signals.unwrap_or(-1))];
    // Rounded up, so that the loop above does not spin through the last millisecond.
    let timeout = left.map_or(-1, |left| left.as_millis().saturating_add(1).min(i32::MAX as u128) as i32);
    // SAFETY: the array is as long as said and outlives the call.
    let answer = unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout) };
    answer < 0 || entries[1].revents != 0
}

pub(crate) fn pipe() -> std::io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: the array has the two places that pipe fills.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    for end in ends {
        // SAFETY: the descriptor was just made. Neither a child nor a full pipe may hang us.
        unsafe {
            libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK);
        }
    }
    // SAFETY: the descriptors are ours alone.
    Ok(unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_wake_before_the_wait_is_remembered() {
        for parker in [Parker::for_this_thread(), Parker::with_pipe().unwrap()] {
            parker.wake();
            parker.wake();
            assert_eq!(parker.wait(None, None), Wakeup::Woken);
        }
    }

    #[test]
    fn another_thread_ends_the_wait() {
        let parker = Arc::new(Parker::with_pipe().unwrap());
        let waker = Arc::clone(&parker);
        let thread = std::thread::spawn(move || waker.wake());
        assert_eq!(parker.wait(None, None), Wakeup::Woken);
        thread.join().unwrap();
    }

    #[test]
    fn a_readable_signal_descriptor_ends_the_wait() {
        let parker = Parker::with_pipe().unwrap();
        let (reader, writer) = pipe().unwrap();
        (&writer).write_all(&[2]).unwrap();
        assert_eq!(parker.wait(Some(reader.as_raw_fd()), None), Wakeup::Signal);
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        for parker in [Parker::for_this_thread(), Parker::with_pipe().unwrap()] {
            let deadline = Instant::now() + Duration::from_millis(2);
            assert_eq!(parker.wait(None, Some(deadline)), Wakeup::TimedOut);
            assert!(Instant::now() >= deadline);
        }
    }
}
