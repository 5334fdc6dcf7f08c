//! Group commit: changes are queued in the order in which they were decided; whoever needs them on disk and finds nobody at it writes the whole queue.
//!
//! Two horizons move along the queue. *Written*: in the log file, safe from the death of the process. *Durable*: synced, safe from power loss. One
//! thread writes at a time and one syncs, and a write may go on beside a sync, so that a claim need not wait for another task's sync.
//!
//! What may only happen once its cause is durable (a dependant becomes ready, a waiter hears of the end) hangs on the batch and is released by the thread
//! that synced it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tasker_store::write::Op;
use tasker_store::{Store, StoreError};

/// How far a batch must be before its caller goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Written,
    Durable,
}

/// The place of a batch in the queue.
pub type Ticket = u64;

/// A queue of changes with what hangs on them.
pub struct CommitLog<C> {
    store: Store,
    state: Mutex<State<C>>,
    /// Somebody moved a horizon.
    moved: Condvar,
    /// The flusher has something to do.
    flush: Condvar,
    /// Changes in memory are written when somebody reads, not before.
    lazy: bool,
}

struct State<C> {
    queue: Vec<Op>,
    /// What hangs on tickets, in their order; before and after the write.
    consequences: Vec<(Ticket, C)>,
    queued: Ticket,
    written: Ticket,
    durable: Ticket,
    writing: bool,
    syncing: bool,
    /// Threads that wait for a horizon and will carry on with the work themselves.
    waiting: u32,
    flush_wanted: bool,
    tidy_wanted: bool,
    closed: bool,
    failed: Option<Arc<StoreError>>,
}

/// With a lazy log, at most this many changes are kept unwritten.
const LAZY_OPS: usize = 1024;

impl<C> CommitLog<C> {
    pub fn new(store: Store) -> Self {
        let lazy = store.durability() == tasker_store::Durability::Memory;
        let state = State {
            queue: Vec::new(),
            consequences: Vec::new(),
            queued: 0,
            written: 0,
            durable: 0,
            writing: false,
            syncing: false,
            waiting: 0,
            flush_wanted: false,
            tidy_wanted: false,
            closed: false,
            failed: None,
        };
        CommitLog { store, state: Mutex::new(state), moved: Condvar::new(), flush: Condvar::new(), lazy }
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues changes and what hangs on them. Call it under the lock that decided them, so that the queue has their order.
    pub fn push(&self, ops: &mut Vec<Op>, consequences: &mut Vec<C>) -> Ticket {
        let mut state = self.lock();
        state.queued += 1;
        let ticket = state.queued;
        state.queue.append(ops);
        state.consequences.extend(consequences.drain(..).map(|consequence| (ticket, consequence)));
        ticket
    }

    /// Waits until a batch is where it has to be, doing the work if nobody else is at it. `release` gets what hung on batches that became durable.
    ///
    /// # Errors
    /// The store's, now or earlier; what was queued since is not written, and never will be.
    pub fn reach(&self, ticket: Ticket, level: Level, mut release: impl FnMut(Vec<C>)) -> Result<(), Arc<StoreError>> {
        let mut state = self.lock();
        loop {
            let reached = match level {
                Level::Written => state.written,
                Level::Durable => state.durable,
            };
            if reached >= ticket {
                break;
            }
            if let Some(error) = &state.failed {
                return Err(Arc::clone(error));
            }
            if state.written < ticket && !state.writing {
                state = self.write(state);
            } else if level == Level::Durable && state.written >= ticket && !state.syncing {
                state = self.sync(state, &mut release);
            } else {
                state.waiting += 1;
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            }
        }
        if (state.durable < state.queued) && !state.syncing && state.waiting == 0 {
            state.flush_wanted = true;
            self.flush.notify_one();
        }
        Ok(())
    }

    /// Asks the flusher to make all that is queued durable; returns at once.
    pub fn flush_later(&self) {
        let mut state = self.lock();
        if state.durable < state.queued && !state.syncing {
            state.flush_wanted = true;
            self.flush.notify_one();
        }
    }

    /// Asks the flusher to tidy up when it has nothing else to do.
    pub fn tidy_later(&self) {
        self.lock().tidy_wanted = true;
        self.flush.notify_one();
    }

    /// The body of the flusher's thread: makes durable what nobody waits for. `tidy` is called between that when it was asked for, and answers whether it
    /// wants more time.
    pub fn run_flusher(&self, mut release: impl FnMut(Vec<C>), mut tidy: impl FnMut(&Store) -> bool) {
        let mut state = self.lock();
        loop {
            if state.closed || state.failed.is_some() {
                return;
            }
            if !state.flush_wanted && state.tidy_wanted {
                drop(state);
                let more = tidy(&self.store);
                state = self.lock();
                state.tidy_wanted &= more;
                continue;
            }
            if !state.flush_wanted {
                state = self.flush.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.flush_wanted = false;
            let ticket = state.queued;
            drop(state);
            if self.reach(ticket, Level::Durable, &mut release).is_err() {
                return;
            }
            state = self.lock();
        }
    }

    /// The store, with all that is queued in it.
    ///
    /// # Errors
    /// The store's.
    pub fn read(&self) -> Result<&Store, Arc<StoreError>> {
        let mut state = self.lock();
        loop {
            if let Some(error) = &state.failed {
                return Err(Arc::clone(error));
            }
            if state.queue.is_empty() && !state.writing {
                return Ok(&self.store);
            }
            if state.writing {
                state.waiting += 1;
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            } else {
                state = self.write_queue(state);
            }
        }
    }

    /// Why nothing is written any more, if so.
    pub fn failure(&self) -> Option<Arc<StoreError>> {
        self.lock().failed.clone()
    }

    /// Closes the store, once nobody writes.
    pub fn close_store(&self) {
        self.store.close();
    }

    /// Ends the flusher.
    pub fn close(&self) {
        self.lock().closed = true;
        self.flush.notify_all();
    }

    fn write<'a>(&'a self, mut state: MutexGuard<'a, State<C>>) -> MutexGuard<'a, State<C>> {
        if self.lazy && state.queue.len() < LAZY_OPS {
            state.written = state.queued;
            return state;
        }
        self.write_queue(state)
    }

    fn write_queue<'a>(&'a self, mut state: MutexGuard<'a, State<C>>) -> MutexGuard<'a, State<C>> {
        let ops = std::mem::take(&mut state.queue);
        let target = state.queued;
        state.writing = true;
        drop(state);
        let written = self.store.write(&ops).and_then(|()| self.store.checkpoint_if_long());
        drop(ops);
        let mut state = self.lock();
        state.writing = false;
        match written {
            Ok(()) => state.written = state.written.max(target),
            Err(error) => state.failed = Some(Arc::new(error)),
        }
        self.moved.notify_all();
        state
    }

    fn sync<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<C>>,
        release: &mut impl FnMut(Vec<C>),
    ) -> MutexGuard<'a, State<C>> {
        let target = state.written;
        let end = state.consequences.partition_point(|(ticket, _)| *ticket <= target);
        let due: Vec<C> = state.consequences.drain(..end).map(|(_, consequence)| consequence).collect();
        state.syncing = true;
        drop(state);
        let synced = self.store.sync();
        if synced.is_ok() {
            // Before the horizon moves: who waits for it finds what follows already done.
            release(due);
        }
        let mut state = self.lock();
        state.syncing = false;
        match synced {
            Ok(()) => state.durable = target,
            Err(error) => state.failed = Some(Arc::new(error)),
        }
        self.moved.notify_all();
        state
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use tasker_store::Durability;

    fn log() -> CommitLog<u32> {
        CommitLog::new(Store::open(Path::new(""), Durability::Memory).unwrap())
    }

    #[test]
    fn what_hangs_on_a_batch_is_released_once_when_it_is_durable() {
        let log = log();
        let first = log.push(&mut Vec::new(), &mut vec![1, 2]);
        let second = log.push(&mut Vec::new(), &mut vec![3]);
        let mut released = Vec::new();
        log.reach(first, Level::Written, |due| released.extend(due)).unwrap();
        assert!(released.is_empty());
        log.reach(first, Level::Durable, |due| released.extend(due)).unwrap();
        log.reach(second, Level::Durable, |due| released.extend(due)).unwrap();
        assert_eq!(released, [1, 2, 3]);
    }

    #[test]
    fn many_threads_get_their_own_batch_durable_and_nothing_is_released_twice() {
        let log = Arc::new(log());
        let released = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..8u32)
            .map(|thread| {
                let (log, released) = (Arc::clone(&log), Arc::clone(&released));
                std::thread::spawn(move || {
                    for number in 0..200 {
                        let mine = thread * 1000 + number;
                        let ticket = log.push(&mut Vec::new(), &mut vec![mine]);
                        log.reach(ticket, Level::Durable, |due| released.lock().unwrap().extend(due)).unwrap();
                        assert!(released.lock().unwrap().contains(&mine));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let mut all = released.lock().unwrap().clone();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), released.lock().unwrap().len()), (1600, 1600));
    }

    #[test]
    fn the_flusher_makes_durable_what_nobody_waits_for() {
        let log = Arc::new(log());
        let (sender, receiver) = std::sync::mpsc::channel();
        let flusher = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            flusher.run_flusher(|due| due.into_iter().for_each(|one| sender.send(one).unwrap()), |_| false)
        });
        log.push(&mut Vec::new(), &mut vec![5]);
        log.flush_later();
        assert_eq!(receiver.recv().unwrap(), 5);
        log.close();
        thread.join().unwrap();
    }
}
