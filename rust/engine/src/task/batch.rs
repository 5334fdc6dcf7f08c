//! The workers of a batch: what they are made from, and how many run at a time.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::Value;

use super::{Effect, Growth as Grown, Standing, Step, Task};
use crate::state::StepState;
use crate::template::{BatchPolicy, FailureStrategy, StepKind};

/// Steps that one step created. Stored with the task, since what a later version would create need not be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The decision, the batchable step, or the step that runs on failures.
    pub by: u32,
    /// Steps of the template that exist from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<u32>,
    /// The batch that was cut; empty ones beside it for workers that it could have been cut into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<Workers>,
}

/// The workers of a batch; what each is made from stands in the result of the batchable step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Workers {
    /// The step of the template that they are made from.
    pub template: u32,
    pub count: u32,
}

/// What tells one worker from the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Worker {
    pub batch_id: Box<str>,
    /// The cursor configuration, as the batchable step wrote it.
    cursor: Box<str>,
    no_op: bool,
}

/// A batch that was cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    by: u32,
    pub template: u32,
    pub workers: Range<u32>,
    /// Workers that are not done, nor done without.
    pub open: u32,
    /// Workers that run or are ready.
    pub active: u32,
    failed: u32,
    /// Workers that wait for one of those to end, or for a person.
    pub held: VecDeque<u32>,
    parallelism: u32,
    strategy: FailureStrategy,
}

impl Batch {
    fn may_start(&self) -> bool {
        self.active < self.parallelism && !(self.strategy == FailureStrategy::FailFast && self.failed > 0)
    }
}

/// `batch_processing_outcome` in the result of a batchable step.
#[derive(Deserialize)]
struct Outcome<'a> {
    r#type: String,
    worker_template_name: Option<String>,
    #[serde(borrow, default)]
    cursor_configs: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    batch_processing_outcome: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CursorId {
    batch_id: Option<Value>,
}

/// What a batchable step asked for: the name of the worker and one entry a worker.
fn read_outcome(result: &str) -> Result<(Option<String>, Vec<Worker>), String> {
    let envelope: Envelope = serde_json::from_str(result).map_err(|error| error.to_string())?;
    let outcome = envelope.batch_processing_outcome.ok_or("its result has no `batch_processing_outcome`")?;
    let outcome: Outcome =
        serde_json::from_str(outcome.get()).map_err(|error| format!("its `batch_processing_outcome`: {error}"))?;
    match outcome.r#type.as_str() {
        "no_batches" => Ok((outcome.worker_template_name, vec![no_op()])),
        "create_batches" if outcome.cursor_configs.is_empty() => {
            Err("it creates batches without any `cursor_configs`; for nothing to do the type is `no_batches`".into())
        }
        "create_batches" => Ok((outcome.worker_template_name, workers(&outcome.cursor_configs)?)),
        other => Err(format!(
            "the type of its `batch_processing_outcome` is `create_batches` or `no_batches`, not `{other}`"
        )),
    }
}

fn workers(configs: &[&RawValue]) -> Result<Vec<Worker>, String> {
    let mut taken = std::collections::HashSet::with_capacity(configs.len());
    let mut workers = Vec::with_capacity(configs.len());
    for (place, config) in configs.iter().enumerate() {
        let id: CursorId =
            serde_json::from_str(config.get()).map_err(|error| format!("`cursor_configs[{place}]`: {error}"))?;
        let batch_id: Box<str> = match id.batch_id {
            None | Some(Value::Null) => format!("{:03}", place + 1).into(),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= 200 => text.into(),
            Some(Value::Number(number)) => number.to_string().into(),
            Some(_) => return Err(format!("`cursor_configs[{place}].batch_id` is text of 1 to 200 bytes")),
        };
        if !taken.insert(batch_id.clone()) {
            return Err(format!("`cursor_configs[{place}].batch_id` repeats `{batch_id}`"));
        }
        workers.push(Worker { batch_id, cursor: config.get().into(), no_op: false });
    }
    Ok(workers)
}

/// The one worker of a batch without any work: what joins the batch finds a worker either way.
fn no_op() -> Worker {
    let cursor = r#"{"batch_id":"000","start_cursor":0,"end_cursor":0,"batch_size":0}"#;
    Worker { batch_id: "000".into(), cursor: cursor.into(), no_op: true }
}

impl Task {
    /// Which steps a step creates with this result.
    ///
    /// # Errors
    /// Why the result can't be followed, for whoever wrote the handler.
    pub(super) fn growth_by(&self, step: u32, result: Option<&str>) -> Result<Option<Arc<Grown>>, String> {
        let growth = match self.kind(step) {
            StepKind::Decision => self.decide(step, result)?,
            StepKind::Batchable => self.cut(step, result)?,
            _ => None,
        };
        Ok(growth.map(Arc::new))
    }

    fn cut(&self, step: u32, result: Option<&str>) -> Result<Option<Growth>, String> {
        let rules = self.rules(step);
        let explain = |problem: String| format!("batchable step `{}`: {problem}", rules.name);
        let (wanted, workers) = match result {
            Some(result) => read_outcome(result).map_err(explain)?,
            None => (None, vec![no_op()]),
        };
        let chosen = self.worker_template(step, wanted.as_deref()).map_err(explain)?;
        let mut made: Vec<Workers> = Vec::new();
        for &template in &rules.dependants {
            let is_chosen = Some(template) == chosen;
            if self.batch_made_from(template).is_some() || !(is_chosen || self.is_last_batchable(step, template)) {
                continue;
            }
            let count = if is_chosen { workers.len() as u32 } else { 0 };
            made.push(Workers { template, count });
        }
        let templates: Vec<u32> = made.iter().map(|made| made.template).collect();
        let steps = self.follow(step, &templates);
        Ok((!made.is_empty()).then_some(Growth { by: step, steps, workers: made }))
    }

    /// Whether nothing can cut a batch of these workers any more once this step has not.
    fn is_last_batchable(&self, step: u32, template: u32) -> bool {
        let needs = &self.template.steps[template as usize].dependencies;
        self.kind(template) == StepKind::BatchWorker
            && needs
                .iter()
                .all(|&need| need == step || self.kind(need) != StepKind::Batchable || self.is_satisfied(need))
    }

    /// The step of the template that the workers are made from.
    fn worker_template(&self, step: u32, wanted: Option<&str>) -> Result<Option<u32>, String> {
        let template = &self.template;
        let below = &template.steps[step as usize].dependants;
        let allowed: Vec<u32> =
            below.iter().copied().filter(|&place| self.kind(place) == StepKind::BatchWorker).collect();
        let declared = template.steps[step as usize].batch.as_ref().and_then(|batch| batch.worker_template.as_deref());
        let Some(name) = wanted.or(declared) else {
            return match allowed[..] {
                [] => Ok(None),
                [only] => Ok(Some(only)),
                _ => Err("its `batch_processing_outcome` does not say which `worker_template_name`".into()),
            };
        };
        match allowed.iter().find(|&&place| template.steps[place as usize].name == name) {
            Some(&place) => Ok(Some(place)),
            None => {
                let names: Vec<&str> = allowed.iter().map(|&at| template.steps[at as usize].name.as_str()).collect();
                Err(format!(
                    "`{name}` is no batch worker that depends on it; there is: {}",
                    if names.is_empty() { "none".into() } else { names.join(", ") }
                ))
            }
        }
    }

    pub(super) fn append_workers(&mut self, by: u32, made: &Workers) {
        let policy = self.batch_policy(by, made.template);
        let result = self.step(by).record.result.as_deref();
        let workers = match result.map(read_outcome) {
            _ if made.count == 0 => Vec::new(),
            Some(Ok((_, workers))) => workers,
            _ => vec![no_op()],
        };
        let first = self.steps.len() as u32;
        debug_assert_eq!(made.count, workers.len() as u32);
        let rules = &self.template.steps[made.template as usize];
        for worker in workers {
            let mut step = Step::new(made.template, rules);
            step.created = true;
            step.waiting_on = 0;
            step.worker = Some(Arc::new(worker));
            self.steps.push(step);
        }
        self.counts.open += made.count;
        self.batches.push(Batch {
            by,
            template: made.template,
            workers: first..first + made.count,
            open: made.count,
            active: 0,
            failed: 0,
            held: VecDeque::new(),
            parallelism: policy.parallelism,
            strategy: policy.strategy,
        });
    }

    /// The batchable step says how its workers run; a worker's own words count where it says nothing.
    fn batch_policy(&self, by: u32, worker: u32) -> BatchPolicy {
        let of = |place: u32| self.template.steps[place as usize].batch.as_deref();
        of(by).or(of(worker)).cloned().unwrap_or_default()
    }

    /// What a step's handler gets beside the task's context, as a JSON object; only the worker of a batch gets anything.
    pub fn inputs(&self, index: u32) -> Option<String> {
        let step = self.step(index);
        let worker = step.worker.as_deref()?;
        let batch = self.batches.iter().find(|batch| batch.workers.contains(&index))?;
        let policy = self.batch_policy(batch.by, batch.template);
        let mut inputs = match &self.rules(index).handler.initialization {
            Value::Object(entries) => entries.clone(),
            _ => serde_json::Map::new(),
        };
        inputs.insert("cursor".into(), serde_json::from_str(&worker.cursor).unwrap_or_default());
        inputs.insert(
            "batch_metadata".into(),
            serde_json::json!({"cursor_field": policy.cursor_field, "failure_strategy": policy.strategy.name()}),
        );
        inputs.insert("is_no_op".into(), worker.no_op.into());
        Some(Value::Object(inputs).to_string())
    }

    /// The workers that a step of the template stands for, once they are made.
    pub fn workers_of(&self, place: u32) -> Range<u32> {
        self.batch_made_from(place).map_or(0..0, |batch| batch.workers.clone())
    }

    pub(super) fn batch_made_from(&self, place: u32) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.template == place)
    }

    pub(super) fn batch_of_worker(&mut self, step: u32) -> Option<&mut Batch> {
        if (step as usize) < self.template.steps.len() {
            return None;
        }
        self.batches.iter_mut().find(|batch| batch.workers.contains(&step))
    }

    pub(super) fn start_worker(&mut self, step: u32, effects: &mut Vec<Effect>) {
        let batch = self.batch_of_worker(step).expect("a worker has its batch");
        if batch.may_start() {
            batch.active += 1;
            self.make_ready(step, effects);
        } else {
            batch.held.push_back(step);
            self.steps[step as usize].standing = Standing::Held;
        }
    }

    /// One of a batch ended: others of it may start.
    pub(super) fn release_held(&mut self, step: u32, effects: &mut Vec<Effect>) {
        if let Some(place) = self.batches.iter().position(|batch| batch.workers.contains(&step)) {
            self.release_batch(place, effects);
        }
    }

    pub(super) fn release_batch(&mut self, place: usize, effects: &mut Vec<Effect>) {
        while self.batches[place].may_start() {
            let Some(step) = self.batches[place].held.pop_front() else { return };
            if self.steps[step as usize].standing == Standing::Held {
                self.batches[place].active += 1;
                self.make_ready(step, effects);
            }
        }
    }

    /// A worker failed for good; answers whether its batch does without it.
    pub(super) fn batch_lost_worker(&mut self, step: u32) -> bool {
        let Some(batch) = self.batch_of_worker(step) else { return false };
        batch.failed += 1;
        match batch.strategy {
            FailureStrategy::ContinueOnFailure => {
                batch.open -= 1;
                return true;
            }
            FailureStrategy::Isolate => return false,
            FailureStrategy::FailFast => {}
        }
        // In front of those that have not been ready yet.
        for other in batch.workers.clone().rev() {
            let row = &mut self.steps[other as usize];
            if row.standing == Standing::Ready {
                row.standing = Standing::Held;
                self.counts.ready -= 1;
                let batch = self.batch_of_worker(other).expect("it has a batch");
                batch.active -= 1;
                batch.held.push_front(other);
            }
        }
        false
    }

    /// Whether a failed step keeps nothing from going on.
    pub(super) fn is_tolerated(&self, step: u32) -> bool {
        let row = self.step(step);
        row.worker.is_some()
            && row.record.state == StepState::Error
            && self.batch_made_from(row.of).is_some_and(|batch| batch.strategy == FailureStrategy::ContinueOnFailure)
    }

    pub(super) fn recount_batches(&mut self) {
        let steps = &self.steps;
        for batch in &mut self.batches {
            let tolerant = batch.strategy == FailureStrategy::ContinueOnFailure;
            let rows = || batch.workers.clone().map(|step| &steps[step as usize]);
            let has_failed = |row: &Step| row.record.state == StepState::Error;
            let is_done = |row: &Step| row.record.state.satisfies() || (tolerant && has_failed(row));
            batch.failed = rows().filter(|row| has_failed(row)).count() as u32;
            batch.open = rows().filter(|row| !is_done(row)).count() as u32;
            batch.active = rows()
                .filter(|row| row.standing == Standing::Ready || row.record.state == StepState::InProgress)
                .count() as u32;
            batch.held.retain(|&step| steps[step as usize].standing == Standing::Held);
        }
    }
}
