//! What becomes ready when a step is done.

use std::sync::Arc;

use super::{Cause, Effect, Growth, Standing, Task};
use crate::state::{StepEvent as S, StepState};
use crate::template::StepKind;
use crate::Micros;

impl Task {
    /// A step is satisfied now: its growth takes place, and what waited for it starts.
    pub(super) fn satisfied(&mut self, step: u32, growth: Option<Arc<Growth>>, now: Micros, effects: &mut Vec<Effect>) {
        let mut done = vec![step];
        if let Some(growth) = growth {
            self.grow(&growth);
            for empty in growth.workers.iter().filter(|workers| workers.count == 0) {
                self.count_off(empty.template, &mut done, now, effects);
            }
            effects.push(Effect::Growth(growth));
        }
        while let Some(step) = done.pop() {
            self.counts.open -= 1;
            match self.batch_of_worker(step) {
                Some(batch) => {
                    batch.open -= 1;
                    let (of, is_done) = (batch.template, batch.open == 0);
                    self.release_held(step, effects);
                    if is_done {
                        self.count_off(of, &mut done, now, effects);
                    }
                }
                None => self.count_off(step, &mut done, now, effects),
            }
            if matches!(self.kind(step), StepKind::Decision | StepKind::Batchable) {
                // What it created may wait for nothing, and a convergence anywhere below may have waited for its word.
                self.start_all_due(&mut done, now, effects);
            }
        }
    }

    /// One dependency fewer for all that depend on a step of the template.
    fn count_off(&mut self, of: u32, done: &mut Vec<u32>, now: Micros, effects: &mut Vec<Effect>) {
        let template = Arc::clone(&self.template);
        for &next in &template.steps[of as usize].dependants {
            self.steps[next as usize].waiting_on -= 1;
            self.start_if_due(next, done, now, effects);
            for worker in self.workers_of(next) {
                self.start_if_due(worker, done, now, effects);
            }
        }
    }

    /// Starts a step that nothing keeps. One that needs nothing more is done at once, and put on the list.
    fn start_if_due(&mut self, step: u32, done: &mut Vec<u32>, now: Micros, effects: &mut Vec<Effect>) {
        if !self.is_due(step) {
            return;
        }
        if self.kind(step) == StepKind::WaitForSignal && self.steps[step as usize].record.result.is_some() {
            self.take_signal(step, now, effects);
            done.push(step);
        } else {
            self.start_step(step, now, effects);
        }
    }

    /// Lets a step go on whose dependencies are satisfied.
    pub(super) fn start_step(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) {
        match self.kind(step) {
            StepKind::WaitForSignal => self.await_signal(step, now, effects),
            StepKind::BatchWorker => self.start_worker(step, effects),
            _ => self.make_ready(step, effects),
        }
    }

    fn start_all_due(&mut self, done: &mut Vec<u32>, now: Micros, effects: &mut Vec<Effect>) {
        for step in 0..self.steps.len() as u32 {
            self.start_if_due(step, done, now, effects);
        }
    }

    /// Starts all that nothing keeps: after the graph changed in more than one place.
    pub(super) fn start_due(&mut self, now: Micros, effects: &mut Vec<Effect>) {
        let mut done = Vec::new();
        self.start_all_due(&mut done, now, effects);
        for step in done {
            self.satisfied(step, None, now, effects);
        }
        for batch in 0..self.batches.len() {
            self.release_batch(batch, effects);
        }
    }

    /// Whether nothing keeps a step that has not started.
    fn is_due(&self, step: u32) -> bool {
        let row = self.step(step);
        if !row.created || row.record.state != StepState::Pending || row.standing != Standing::Idle {
            return false;
        }
        match self.kind(step) {
            StepKind::DeferredConvergence => self.may_converge(step),
            // The template's own step counts for all that are made from it.
            StepKind::BatchWorker => self.step(row.of).waiting_on == 0,
            // It is created only when it is to run.
            StepKind::OnFailure => true,
            _ => row.waiting_on == 0,
        }
    }

    /// A convergence waits for those of its dependencies that exist, and until nothing above it can create more of them.
    fn may_converge(&self, step: u32) -> bool {
        let needs = &self.template.steps[step as usize].dependencies;
        if needs.iter().any(|&need| self.exists(need) && !self.is_satisfied(need)) {
            return false;
        }
        let mut seen = vec![false; self.template.steps.len()];
        let mut above: Vec<u32> = needs.clone();
        while let Some(place) = above.pop() {
            if std::mem::replace(&mut seen[place as usize], true) {
                continue;
            }
            let may_create = matches!(self.kind(place), StepKind::Decision | StepKind::Batchable);
            if may_create && self.step(place).created && !self.is_satisfied(place) {
                return false;
            }
            above.extend(&self.template.steps[place as usize].dependencies);
        }
        true
    }

    /// Whether a step of the template was created; of a batch worker: whether its workers were.
    pub(super) fn exists(&self, place: u32) -> bool {
        match self.kind(place) {
            StepKind::BatchWorker => self.batch_made_from(place).is_some(),
            _ => self.step(place).created,
        }
    }

    /// Whether what depends on a step of the template need not wait for it.
    pub(super) fn is_satisfied(&self, place: u32) -> bool {
        match self.kind(place) {
            StepKind::BatchWorker => self.batch_made_from(place).is_some_and(|batch| batch.open == 0),
            _ => self.step(place).record.state.satisfies(),
        }
    }

    /// Counts again what is counted along otherwise.
    pub(super) fn recount(&mut self) {
        self.recount_batches();
        let mut counts = super::Counts::default();
        for index in 0..self.steps.len() {
            let row = &self.steps[index];
            let waiting_on = match row.worker {
                Some(_) => 0,
                None => {
                    let needs = &self.template.steps[index].dependencies;
                    needs.iter().filter(|&&need| !self.is_satisfied(need)).count() as u32
                }
            };
            let tolerated = self.is_tolerated(index as u32);
            let row = &mut self.steps[index];
            row.waiting_on = waiting_on;
            if !row.created {
                continue;
            }
            let state = row.record.state;
            counts.open += u32::from(!state.satisfies() && !tolerated);
            counts.ready += u32::from(row.standing == Standing::Ready);
            counts.running += u32::from(state == StepState::InProgress);
            counts.retrying += u32::from(state == StepState::WaitingForRetry && row.standing == Standing::Idle);
            counts.failed += u32::from(state == StepState::Error && !tolerated);
        }
        self.counts = counts;
    }

    /// A step failed, and nothing follows from it by itself.
    pub(super) fn failed_for_good(&mut self, step: u32, now: Micros, effects: &mut Vec<Effect>) {
        if !self.batch_lost_worker(step) {
            self.counts.failed += 1;
            self.release_held(step, effects);
            return;
        }
        // The others go on without it.
        self.counts.open -= 1;
        self.release_held(step, effects);
        let batch = self.batch_of_worker(step).expect("only a batch does without a step");
        let (of, is_done) = (batch.template, batch.open == 0);
        let mut done = Vec::new();
        if is_done {
            self.count_off(of, &mut done, now, effects);
        }
        for step in done {
            self.satisfied(step, None, now, effects);
        }
    }

    /// Marks steps that did not exist as created, and appends the workers of a batch.
    pub(super) fn grow(&mut self, growth: &Growth) {
        for &step in &growth.steps {
            let row = &mut self.steps[step as usize];
            if !row.created {
                row.created = true;
                self.counts.open += 1;
            }
        }
        for workers in &growth.workers {
            self.append_workers(growth.by, workers);
        }
    }

    /// The attempt of a step that is over by other means ends.
    pub(super) fn take_back(&mut self, step: u32, effects: &mut Vec<Effect>) {
        let row = &mut self.steps[step as usize];
        row.standing = Standing::Idle;
        if row.record.state == StepState::InProgress {
            effects.push(Effect::Unwanted { step });
        }
    }

    /// Cancels every step that is not over. Failed ones stay as they are.
    pub(super) fn cancel_open(&mut self, keep_failed: bool, cause: Cause, now: Micros, effects: &mut Vec<Effect>) {
        for step in 0..self.steps.len() as u32 {
            let row = &self.steps[step as usize];
            let state = row.record.state;
            if !row.created || state.is_terminal() || (keep_failed && state == StepState::Error) {
                continue;
            }
            self.take_back(step, effects);
            self.steps[step as usize].record.finished_at = now;
            self.walk_step(step, &[S::Cancel], cause, effects);
        }
        for batch in &mut self.batches {
            batch.held.clear();
        }
        self.counts = super::Counts::default();
    }
}
