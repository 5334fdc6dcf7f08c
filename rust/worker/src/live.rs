//! The tasks in memory.
//!
//! All of this is behind one lock, held for microseconds: never while waiting for the disk, another lock of the worker, or Python.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use tasker_engine::state::TaskState;
use tasker_engine::task::{Effect, Event, Refusal, Task};
use tasker_engine::template::Template;
use tasker_engine::Micros;
use tasker_store::write::{AuditRow, CheckpointRow, GrowthRow, Op, TaskMove};
use uuid::Uuid;

use crate::driver::{Timer, Timers};
use crate::inbox::Inbox;
use crate::outcome::TaskOutcome;
use crate::parker::Parker;
use crate::ready::{Executor, ReadyQueue, TaskKey};
use crate::rows;
use crate::worker::{Attempt, PlanId};

/// A template with what runs its steps.
#[derive(Debug)]
pub struct Plan {
    pub template: Arc<Template>,
    pub handlers: Vec<crate::worker::HandlerInfo>,
}

/// What may only happen once the change before it is durable.
#[derive(Debug)]
pub enum Consequence {
    Ready {
        task: TaskKey,
        step: u32,
    },
    Remind {
        timer: Timer,
        at: Micros,
    },
    /// An attempt for the event loop, claimed in the same commit.
    Deliver(Box<Attempt>),
    Final {
        task: TaskKey,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Running,
    /// Nothing more is handed out.
    Draining,
    Stopped,
}

/// Somebody who waits for a task's end.
#[derive(Debug)]
pub struct Waiter {
    pub parker: Arc<Parker>,
    pub outcome: Mutex<Option<Arc<TaskOutcome>>>,
}

/// A task with what the worker knows about it beside the rules.
#[derive(Debug)]
pub struct LiveTask {
    pub id: Uuid,
    pub task: Task,
    pub plan: Arc<Plan>,
    pub plan_id: PlanId,
    pub context: Arc<str>,
    pub priority: i16,
    pub created_at: Micros,
    /// Of the tasks with this key one runs at a time.
    pub lane: Option<Arc<str>>,
    /// Whether it is the one.
    holds_lane: bool,
    /// Not to be started before.
    pub run_at: Option<Micros>,
    /// Whether its row is written, or staged.
    pub stored: bool,
    audit_number: u32,
    growth_number: u32,
    /// Steps that may be claimed, first to last.
    ready: VecDeque<u32>,
    /// Whether the ready queue holds this task.
    queued: bool,
    /// The same for the steps that run on the event loop.
    ready_for_loop: VecDeque<u32>,
    queued_for_loop: bool,
    /// Running attempts, with the flags that their handlers see.
    running: Vec<(u32, Arc<Flags>)>,
    /// The thread of a `run` that carries out this task's steps itself; it waits for one now.
    pub lent: Option<Arc<Parker>>,
    pub waiters: Vec<Arc<Waiter>>,
}

#[derive(Debug, Default)]
struct Lane {
    /// More than one only when a person took up another by hand.
    active: u32,
    waiting: VecDeque<TaskKey>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    task: Option<Box<LiveTask>>,
}

#[derive(Debug)]
pub struct Live {
    slots: Vec<Slot>,
    free: Vec<u32>,
    pub by_id: HashMap<Uuid, TaskKey>,
    /// By concurrency key: how many tasks run, and those that wait for them.
    lanes: HashMap<Arc<str>, Lane>,
    pub queue: ReadyQueue,
    /// What runs on the event loop.
    pub inbox: Inbox,
    /// Handler threads without work, the last to come on top: its caches are warm.
    pub idle: Vec<Arc<Parker>>,
    pub plans: Vec<Arc<Plan>>,
    pub phase: Phase,
    pub timers: Timers,
    /// Attempts that handler threads run now, and those among them whose deadline has passed.
    pub busy_threads: u32,
    pub abandoned: u32,
    pub limit: u32,
    /// Reports for attempts that were over.
    pub late_reports: u64,
    /// Who waits for the last running attempt to end.
    pub drained: Option<Arc<Parker>>,
    random: u64,
    effects: Vec<Effect>,
    pub ops: Vec<Op>,
    pub consequences: Vec<Consequence>,
}

/// What others tell a running attempt.
#[derive(Debug, Default)]
pub struct Flags {
    /// Nobody wants its result any more: its handler should give up.
    pub cancelled: AtomicBool,
    /// Its deadline passed: its thread counts as lost until it comes back.
    pub abandoned: AtomicBool,
    /// Names an attempt on the event loop; 0 on a thread.
    pub serial: u64,
}

impl Live {
    pub fn new(limit: u32, seed: u64) -> Live {
        Live {
            slots: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            lanes: HashMap::new(),
            queue: ReadyQueue::default(),
            inbox: Inbox::default(),
            idle: Vec::new(),
            plans: Vec::new(),
            phase: Phase::Running,
            timers: Timers::default(),
            busy_threads: 0,
            abandoned: 0,
            limit,
            late_reports: 0,
            drained: None,
            random: seed | 1,
            effects: Vec::new(),
            ops: Vec::new(),
            consequences: Vec::new(),
        }
    }

    pub fn insert(&mut self, task: LiveTask) -> TaskKey {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let entry = &mut self.slots[slot as usize];
        entry.generation = entry.generation.wrapping_add(1);
        let key = TaskKey { slot, generation: entry.generation };
        self.by_id.insert(task.id, key);
        entry.task = Some(Box::new(task));
        key
    }

    pub fn get(&self, key: TaskKey) -> Option<&LiveTask> {
        let slot = &self.slots[key.slot as usize];
        slot.task.as_deref().filter(|_| slot.generation == key.generation)
    }

    pub fn get_mut(&mut self, key: TaskKey) -> Option<&mut LiveTask> {
        let slot = &mut self.slots[key.slot as usize];
        slot.task.as_deref_mut().filter(|_| slot.generation == key.generation)
    }

    fn remove(&mut self, key: TaskKey) -> Option<Box<LiveTask>> {
        let slot = &mut self.slots[key.slot as usize];
        if slot.generation != key.generation {
            return None;
        }
        let task = slot.task.take()?;
        self.free.push(key.slot);
        self.by_id.remove(&task.id);
        Some(task)
    }

    /// Applies an event. What has to be stored is in `ops` afterwards, and what follows once it is stored in `consequences`.
    pub fn apply(&mut self, key: TaskKey, event: Event, now: Micros) -> Result<(), Refusal> {
        let mut effects = std::mem::take(&mut self.effects);
        effects.clear();
        let applied = match self.get_mut(key) {
            Some(live) => live.task.apply(event, now, &mut effects),
            // The task is over and gone: whatever reports to it comes late.
            None => Err(Refusal::Late { step: 0, attempt: 0 }),
        };
        if applied.is_ok() {
            self.stage(key, &mut effects, now);
        }
        self.effects = effects;
        applied
    }

    /// Turns effects into rows and consequences.
    pub fn stage(&mut self, key: TaskKey, effects: &mut Vec<Effect>, now: Micros) {
        let slot = &mut self.slots[key.slot as usize];
        let Some(live) = slot.task.as_deref_mut() else { return };
        let is_final = live.task.state().is_final();
        for effect in effects.drain(..) {
            match effect {
                Effect::Step { step, attempt, path, cause } => {
                    self.ops.push(Op::Step(Box::new(rows::step_row(live.id, step, &live.task.step(step).record))));
                    live.audit_number += 1;
                    self.ops.push(Op::Audit(AuditRow {
                        task_id: live.id,
                        number: live.audit_number,
                        position: Some(step),
                        at: now,
                        attempt,
                        cause: cause.code(),
                        path: rows::step_path(&path),
                    }));
                }
                Effect::Task { path, cause } => {
                    let (from, to) = (path.iter().next().expect("a path has its start"), path.last());
                    if from != to && live.stored {
                        self.ops.push(Op::Task(TaskMove { id: live.id, state: to.code(), at: now, is_final }));
                    }
                    live.audit_number += 1;
                    self.ops.push(Op::Audit(AuditRow {
                        task_id: live.id,
                        number: live.audit_number,
                        position: None,
                        at: now,
                        attempt: 0,
                        cause: cause.code(),
                        path: rows::task_path(&path),
                    }));
                }
                Effect::Ready { step } => self.consequences.push(Consequence::Ready { task: key, step }),
                Effect::Record { step } => {
                    let row = rows::step_row(live.id, step, &live.task.step(step).record);
                    self.ops.push(Op::Step(Box::new(row)));
                }
                Effect::Checkpoint { step } => {
                    let record = &live.task.step(step).record;
                    self.ops.push(Op::Checkpoint(Box::new(CheckpointRow {
                        task_id: live.id,
                        position: step,
                        attempt: record.attempts,
                        at: now,
                        data: record.checkpoint.clone().expect("the effect says that there is one"),
                    })));
                }
                Effect::Growth(growth) => {
                    live.growth_number += 1;
                    self.ops.push(Op::Growth(Box::new(GrowthRow {
                        task_id: live.id,
                        number: live.growth_number,
                        growth: serde_json::to_string(&*growth).expect("a growth is always JSON"),
                    })));
                }
                Effect::Unwanted { step } => {
                    let inbox = &mut self.inbox;
                    live.running.retain(|(running, flags)| {
                        if *running == step {
                            inbox.revoke(flags);
                        }
                        *running != step
                    });
                }
                Effect::RetryAt { step, at } => {
                    self.consequences.push(Consequence::Remind { timer: Timer::Retry { task: key, step }, at })
                }
                Effect::SignalBy { step, at } => {
                    self.consequences.push(Consequence::Remind { timer: Timer::Signal { task: key, step }, at })
                }
                Effect::LimitAt { limit, at } => {
                    self.consequences.push(Consequence::Remind { timer: Timer::Limit { task: key, limit }, at })
                }
                Effect::Final(_) => self.consequences.push(Consequence::Final { task: key }),
            }
        }
    }

    /// Starts a task that has not begun, when its time has come and its lane is free; else sees to it that this happens.
    pub fn begin_or_wait(&mut self, key: TaskKey, now: Micros) {
        let Some(live) = self.get(key).filter(|live| live.task.state() == TaskState::Pending) else { return };
        if let Some(at) = live.run_at.filter(|at| *at > now) {
            self.consequences.push(Consequence::Remind { timer: Timer::Begin { task: key }, at });
            return;
        }
        if let Some(name) = live.lane.clone() {
            let lane = self.lanes.entry(name).or_default();
            if lane.active > 0 {
                lane.waiting.push_back(key);
                return;
            }
            lane.active += 1;
            self.get_mut(key).expect("seen above").holds_lane = true;
        }
        let begun = self.apply(key, Event::Start, now);
        debug_assert!(begun.is_ok());
    }

    /// A task that was taken up while it ran keeps its lane.
    pub fn hold_lane(&mut self, key: TaskKey) {
        let Some(live) = self.get_mut(key) else { return };
        let Some(name) = live.lane.clone() else { return };
        live.holds_lane = true;
        self.lanes.entry(name).or_default().active += 1;
    }

    /// A task that has ended lets the next of its lane begin.
    fn leave_lane(&mut self, task: &LiveTask, now: Micros) {
        let Some(name) = task.lane.as_ref().filter(|_| task.holds_lane) else { return };
        loop {
            let Some(lane) = self.lanes.get_mut(name) else { return };
            lane.active = 0;
            match lane.waiting.pop_front() {
                Some(next) => self.begin_or_wait(next, now),
                None => {
                    self.lanes.remove(name);
                    return;
                }
            }
            // One that was cancelled while it waited did not begin.
            if self.lanes.get(name).is_some_and(|lane| lane.active > 0) {
                return;
            }
        }
    }

    /// Claims a step: the attempt runs from now on.
    pub fn claim(&mut self, key: TaskKey, step: u32, now: Micros) -> Result<Arc<Flags>, Refusal> {
        self.apply(key, Event::Claimed { step }, now)?;
        let on_loop = self.get(key).is_some_and(|live| live.executor(step) == Executor::Loop);
        let serial = if on_loop { self.inbox.next_serial() } else { 0 };
        let live = self.get_mut(key).expect("it was just claimed");
        let flags = Arc::new(Flags { serial, ..Flags::default() });
        live.running.push((step, Arc::clone(&flags)));
        Ok(flags)
    }

    /// An attempt is over, by its report or its deadline.
    pub fn end_attempt(&mut self, key: TaskKey, step: u32) {
        if let Some(live) = self.get_mut(key) {
            live.running.retain(|(running, _)| *running != step);
        }
    }

    /// What follows from changes that are durable now.
    pub fn release(&mut self, due: Vec<Consequence>, now: Micros) {
        let mut for_threads = false;
        for consequence in due {
            match consequence {
                Consequence::Ready { task, step } => for_threads |= self.make_ready(task, step),
                Consequence::Remind { timer, at } => self.timers.remind(timer, at - now),
                Consequence::Final { task } => self.finish(task, now),
                Consequence::Deliver(attempt) => self.inbox.deliver(*attempt),
            }
        }
        if for_threads {
            self.wake_one();
        }
    }

    /// Queues the ready steps of a task that were given back.
    pub fn release_again(&mut self, key: TaskKey) {
        let Some(live) = self.get(key) else { return };
        let steps = 0..live.task.steps().len() as u32;
        let held: Vec<u32> = steps
            .filter(|step| {
                live.task.step(*step).is_ready() && !live.ready.contains(step) && !live.ready_for_loop.contains(step)
            })
            .collect();
        for step in held {
            self.make_ready(key, step);
        }
        self.wake_one();
    }

    /// Queues a step; answers whether handler threads have more to do now.
    fn make_ready(&mut self, key: TaskKey, step: u32) -> bool {
        let queue = &mut self.queue;
        let slot = &mut self.slots[key.slot as usize];
        let Some(live) = slot.task.as_deref_mut().filter(|_| slot.generation == key.generation) else { return false };
        if !live.task.step(step).is_ready() {
            return false; // claimed in the commit that made it ready, or cancelled since
        }
        if live.executor(step) == Executor::Loop {
            live.ready_for_loop.push_back(step);
            if !std::mem::replace(&mut live.queued_for_loop, true) {
                let begun = !live.task.rules(step).dependencies.is_empty();
                self.inbox.queue.push(live.priority, key, begun);
            }
            return false;
        }
        live.ready.push_back(step);
        if !live.queued {
            live.queued = true;
            let begun = !live.task.rules(step).dependencies.is_empty();
            queue.push(live.priority, key, begun);
        }
        if live.can_lend(step) {
            if let Some(parker) = live.lent.take() {
                parker.wake();
                return false;
            }
        }
        true
    }

    /// Wakes one idle handler thread, if one may take more; it wakes the next while work remains.
    pub fn wake_one(&mut self) {
        if self.may_take() {
            if let Some(parker) = self.idle.pop() {
                parker.wake();
            }
        }
    }

    /// Whether one more attempt may run on a handler thread.
    pub fn may_take(&self) -> bool {
        self.phase == Phase::Running
            && self.busy_threads < self.limit + self.abandoned
            && self.abandoned <= 2 * self.limit
    }

    /// The next step for a handler thread.
    pub fn next_ready(&mut self) -> Option<(TaskKey, u32)> {
        while let Some(key) = self.queue.front() {
            let next = self.get_mut(key).and_then(LiveTask::pop_ready);
            match next {
                Some(step) => {
                    if self.get(key).is_some_and(|live| live.ready.is_empty()) {
                        self.unqueue(key);
                    }
                    return Some((key, step));
                }
                None => self.unqueue(key),
            }
        }
        None
    }

    fn unqueue(&mut self, key: TaskKey) {
        self.queue.pop();
        if let Some(live) = self.get_mut(key) {
            live.queued = false;
        }
    }

    /// The next step of one task that the thread of its `run` may carry out.
    pub fn next_lendable(&mut self, key: TaskKey) -> Option<u32> {
        let live = self.get_mut(key)?;
        let place = live.ready.iter().position(|&step| live.task.step(step).is_ready() && live.can_lend(step))?;
        live.ready.remove(place)
    }

    /// Tells those who wait for a task's end, and forgets it.
    fn finish(&mut self, key: TaskKey, now: Micros) {
        let Some(live) = self.get(key) else { return };
        if !live.task.state().is_final() {
            return; // taken up again since
        }
        let Some(live) = self.remove(key) else { return };
        self.leave_lane(&live, now);
        for (_, flags) in &live.running {
            self.inbox.revoke(flags);
        }
        if !live.waiters.is_empty() {
            let outcome = Arc::new(live.outcome());
            for waiter in &live.waiters {
                *waiter.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&outcome));
                waiter.parker.wake();
            }
        }
        if let Some(lent) = live.lent {
            lent.wake();
        }
    }

    /// Everybody who waits for anything looks again.
    pub fn wake_all(&mut self) {
        for parker in self.idle.drain(..).chain(self.drained.take()) {
            parker.wake();
        }
        for live in self.slots.iter_mut().filter_map(|slot| slot.task.as_deref_mut()) {
            if let Some(parker) = live.lent.take() {
                parker.wake();
            }
            for waiter in &live.waiters {
                waiter.parker.wake();
            }
        }
    }

    /// Tells every running handler to give up.
    pub fn cancel_all_attempts(&mut self) {
        for live in self.slots.iter().filter_map(|slot| slot.task.as_deref()) {
            for (_, flags) in &live.running {
                self.inbox.revoke(flags);
            }
        }
    }

    /// Attempts that run now, on whatever thread.
    pub fn running(&self) -> usize {
        self.slots.iter().filter_map(|slot| slot.task.as_deref()).map(|live| live.running.len()).sum()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The next number of a small generator: jitter needs no better one, and a seed makes it repeatable.
    pub fn next_random(&mut self) -> u64 {
        // xorshift64*, from Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016)
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

impl LiveTask {
    pub fn new(
        id: Uuid,
        task: Task,
        plan: (PlanId, Arc<Plan>),
        context: Arc<str>,
        priority: i16,
        created_at: Micros,
    ) -> LiveTask {
        let (plan_id, plan) = plan;
        LiveTask {
            id,
            task,
            plan,
            plan_id,
            context,
            priority,
            created_at,
            lane: None,
            holds_lane: false,
            run_at: None,
            stored: false,
            audit_number: 0,
            growth_number: 0,
            ready: VecDeque::new(),
            queued: false,
            ready_for_loop: VecDeque::new(),
            queued_for_loop: false,
            running: Vec::new(),
            lent: None,
            waiters: Vec::new(),
        }
    }

    /// Goes on with a trail that has entries up to `audit`, after so many growths.
    pub fn with_history(mut self, audit: u32, growths: u32) -> LiveTask {
        (self.audit_number, self.growth_number) = (audit, growths);
        self.stored = true;
        self
    }

    fn pop_ready(&mut self) -> Option<u32> {
        while let Some(step) = self.ready.pop_front() {
            if self.task.step(step).is_ready() {
                return Some(step);
            }
        }
        None
    }

    pub fn executor(&self, step: u32) -> Executor {
        self.plan.handlers[self.task.step(step).of as usize].executor
    }

    /// The next step for the event loop.
    pub fn pop_ready_for_loop(&mut self) -> Option<u32> {
        while let Some(step) = self.ready_for_loop.pop_front() {
            if self.task.step(step).is_ready() {
                return Some(step);
            }
        }
        self.queued_for_loop = false;
        None
    }

    /// Whether the thread of a `run` may carry out the step: only one without a deadline, since that thread can't be abandoned.
    pub fn can_lend(&self, step: u32) -> bool {
        let of = self.task.step(step).of as usize;
        self.plan.template.steps[of].timeout_ms.is_none() && self.plan.handlers[of].executor == Executor::Thread
    }

    pub fn outcome(&self) -> TaskOutcome {
        TaskOutcome {
            id: self.id,
            state: self.task.state(),
            template: Arc::clone(&self.plan.template),
            context: Arc::clone(&self.context),
            created_at: self.created_at,
            steps: self.task.steps().into(),
        }
    }
}
