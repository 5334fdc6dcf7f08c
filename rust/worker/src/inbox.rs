//! Attempts on their way to the event loop.
//!
//! The loop's thread never waits for the disk: its steps are claimed in the commit that makes them ready, handed over when that commit is durable, and
//! what it reports is made durable by others.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::doorbell::Doorbell;
use crate::error::WorkerError;
use crate::live::{Consequence, Flags, Live, Phase};
use crate::ready::{Executor, ReadyQueue};
use crate::worker::{claim, now, Attempt, Place, Report, Worker};

/// Attempts that the loop carries out at a time.
const LIMIT: u32 = 10_000;

/// What lies ready for the loop.
#[derive(Debug, Default)]
pub struct Inbox {
    /// Tasks with steps that wait for a place among those that run.
    pub queue: ReadyQueue,
    attempts: Vec<Attempt>,
    /// The serial numbers of attempts that are not wanted any more.
    revoked: Vec<u64>,
    /// Attempts that were claimed and not reported.
    pub running: u32,
    serial: u64,
    /// There is none before the first template with a step for the loop.
    bell: Option<Arc<Doorbell>>,
}

impl Inbox {
    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub fn deliver(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
        self.ring();
    }

    /// Tells a handler, wherever it runs, that its result is not wanted.
    pub fn revoke(&mut self, flags: &Flags) {
        flags.cancelled.store(true, Ordering::Relaxed);
        if flags.serial != 0 {
            self.revoked.push(flags.serial);
            self.ring();
        }
    }

    fn ring(&self) {
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}

impl Live {
    /// Claims, in the commit at hand, the steps that it makes ready for the loop; and others that wait, while there is room.
    pub fn claim_for_loop(&mut self) {
        if self.inbox.bell.is_none() {
            return;
        }
        let now = now();
        for place in 0..self.consequences.len() {
            let Consequence::Ready { task, step } = self.consequences[place] else { continue };
            if self.may_deliver() && self.get(task).is_some_and(|live| live.executor(step) == Executor::Loop) {
                if let Some(attempt) = claim(self, task, step, now, Place::Loop) {
                    self.consequences[place] = Consequence::Deliver(Box::new(attempt));
                }
            }
        }
        while self.may_deliver() {
            let Some(key) = self.inbox.queue.front() else { return };
            let next = self.get_mut(key).and_then(|live| live.pop_ready_for_loop());
            match next.and_then(|step| claim(self, key, step, now, Place::Loop)) {
                Some(attempt) => self.consequences.push(Consequence::Deliver(Box::new(attempt))),
                None => drop(self.inbox.queue.pop()),
            }
        }
    }

    /// Whether a handler thread may take what follows.
    pub fn is_for_thread(&self, due: &Consequence) -> bool {
        match due {
            Consequence::Ready { task, step } => {
                self.get(*task).is_some_and(|live| live.executor(*step) == Executor::Thread)
            }
            _ => false,
        }
    }

    fn may_deliver(&self) -> bool {
        self.phase == Phase::Running && self.inbox.running < LIMIT
    }
}

impl Worker {
    /// The descriptor that is readable while there is something to collect.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn loop_descriptor(&self) -> std::io::Result<i32> {
        let bell = Arc::new(Doorbell::new()?);
        let mut live = self.shared.lock();
        let bell = Arc::clone(live.inbox.bell.get_or_insert(bell));
        Ok(bell.descriptor())
    }

    /// The attempts that are there for the loop, their deadlines running, and the serial numbers of those that are not wanted any more.
    ///
    /// # Errors
    /// [`WorkerError::Forked`].
    pub fn collect(&self) -> Result<(Vec<Attempt>, Vec<u64>), WorkerError> {
        self.check_fork()?;
        let mut live = self.shared.lock();
        if let Some(bell) = &live.inbox.bell {
            bell.answer();
        }
        let attempts = std::mem::take(&mut live.inbox.attempts);
        let revoked = std::mem::take(&mut live.inbox.revoked);
        drop(live);
        Ok((attempts.into_iter().map(|attempt| self.started(attempt)).collect(), revoked))
    }

    /// Takes in what became of an attempt on the loop; others make it durable.
    ///
    /// # Errors
    /// [`WorkerError::Forked`], or why nothing is stored any more.
    pub fn report_from_loop(&self, attempt: Attempt, report: Report) -> Result<(), WorkerError> {
        self.check_fork()?;
        if let Some(error) = self.shared.log().failure() {
            return Err(error.into());
        }
        let mut live = self.shared.lock();
        self.settle(&mut live, &attempt, report);
        self.shared.push(&mut live);
        drop(live);
        self.ensure_flusher();
        self.shared.log().flush_later();
        Ok(())
    }
}
