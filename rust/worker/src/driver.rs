//! Deadlines and retries: one thread on a tokio runtime, asleep until the next of them. It never takes Python's lock.
//!
//! The timers lie under the worker's lock, so that a deadline that passes and a report that comes in at the same moment can't both win. The thread and
//! its runtime start with the first timer.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tasker_engine::task::Limit;
use tasker_engine::Micros;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio_util::time::{delay_queue, DelayQueue};

use crate::live::Flags;
use crate::ready::TaskKey;
use crate::threads;
use crate::worker::Shared;

#[derive(Debug)]
pub enum Timer {
    Begin { task: TaskKey },
    Retry { task: TaskKey, step: u32 },
    Signal { task: TaskKey, step: u32 },
    Limit { task: TaskKey, limit: Limit },
    Deadline { task: TaskKey, step: u32, attempt: u16, flags: Arc<Flags> },
}

/// What is to be reminded of.
#[derive(Debug, Default)]
pub struct Timers {
    queue: DelayQueue<Timer>,
    runtime: Option<Handle>,
    /// Timers that were asked for before the thread ran.
    early: Vec<(Timer, Duration)>,
}

/// No timer is set further ahead; a later one is set again when this one fires.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Timers {
    /// Sets a timer that nobody cancels: when it fires, the rules see whether it still counts.
    pub fn remind(&mut self, timer: Timer, delay: Micros) {
        self.insert(timer, Duration::from_micros(delay.max(0) as u64));
    }

    /// Sets a deadline; the driver must run.
    pub fn deadline(&mut self, timer: Timer, timeout_ms: u64) -> Option<delay_queue::Key> {
        self.insert(timer, Duration::from_millis(timeout_ms))
    }

    /// Forgets a timer that has not fired.
    pub fn cancel(&mut self, key: &delay_queue::Key) {
        let _runtime = self.runtime.as_ref().map(Handle::enter);
        self.queue.try_remove(key);
    }

    /// Starts the time of a timer anew that has not fired.
    pub fn put_off(&mut self, key: &delay_queue::Key, timeout_ms: u64) {
        let _runtime = self.runtime.as_ref().map(Handle::enter);
        self.queue.reset(key, Duration::from_millis(timeout_ms).min(LONGEST));
    }

    /// Whether timers wait for the thread to start.
    pub fn need_driver(&self) -> bool {
        self.runtime.is_none()
    }

    fn insert(&mut self, timer: Timer, delay: Duration) -> Option<delay_queue::Key> {
        match &self.runtime {
            Some(runtime) => {
                let _runtime = runtime.enter();
                Some(self.queue.insert(timer, delay.min(LONGEST)))
            }
            None => {
                self.early.push((timer, delay));
                None
            }
        }
    }

    /// Whether a retry was asked for that only the thread can keep.
    pub fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    fn start(&mut self, runtime: Handle) {
        self.runtime = Some(runtime);
        for (timer, delay) in std::mem::take(&mut self.early) {
            self.insert(timer, delay);
        }
    }
}

/// The running thread.
#[derive(Debug)]
pub struct Driver {
    stop: Arc<Notify>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Driver {
    /// Starts the thread, and gives the timers its runtime before this returns.
    pub fn start(shared: &Arc<Shared>) -> std::io::Result<Driver> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        shared.lock().timers.start(runtime.handle().clone());
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        // A worker that is dropped without a stop must not be kept by its own thread.
        let shared = Arc::downgrade(shared);
        let thread = threads::spawn("tasker-driver", move || {
            runtime.block_on(async {
                let fire = std::future::poll_fn(|context| {
                    let Some(shared) = shared.upgrade() else { return Poll::Ready(()) };
                    loop {
                        let mut live = shared.lock();
                        match live.timers.queue.poll_expired(context) {
                            Poll::Ready(Some(expired)) => {
                                let timer = expired.into_inner();
                                shared.fire(live, timer);
                            }
                            // An empty queue remembers the waker too: the next insert wakes this thread.
                            Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                        }
                    }
                });
                tokio::select! {
                    () = fire => {}
                    () = stopped.notified() => {}
                }
            });
        })?;
        Ok(Driver { stop, thread: Some(thread) })
    }

    /// Ends the thread and waits for it.
    pub fn stop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}
