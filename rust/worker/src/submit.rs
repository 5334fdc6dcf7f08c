//! Requests for tasks: what makes two of them the same, and when a task begins.

use std::sync::{Arc, Mutex, PoisonError};

use tasker_engine::identity;
use tasker_engine::task::Task;
use tasker_engine::template::{IdentityStrategy, Template};
use tasker_engine::Micros;
use tasker_store::write::{NewTask, Op};
use tasker_store::Store;
use uuid::Uuid;

use crate::commit::Level;
use crate::error::WorkerError;
use crate::live::{Live, LiveTask, Plan, Waiter};
use crate::parker::Parker;
use crate::ready::TaskKey;
use crate::rows;
use crate::worker::{now, Attempt, PlanId, Run, Worker};

/// A request for a task.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    pub plan: PlanId,
    /// A JSON object.
    pub context: Arc<str>,
    pub priority: i16,
    /// Whether the task can be found again by its template and context.
    pub continuable: bool,
    /// A second request with this key is the same task.
    pub idempotency_key: Option<String>,
    /// Of the tasks with this key one runs at a time, in the order in which they came.
    pub concurrency_key: Option<Arc<str>>,
    /// Not to be started before.
    pub run_at: Option<Micros>,
}

/// What became of a request that a thread wants to carry out itself.
#[derive(Debug)]
pub enum Submitted {
    New(Run, Option<Box<Attempt>>),
    /// The task was there already.
    Known(Uuid),
}

/// What a request is found by.
#[derive(Debug, Default, Clone, Copy)]
struct Digests {
    fingerprint: Option<[u8; 32]>,
    identity: Option<[u8; 32]>,
}

impl Worker {
    /// Writes tasks and answers their ids once they are durable; of a request that was made before, the id of its task.
    ///
    /// # Errors
    /// [`WorkerError::Stopped`], [`WorkerError::Identity`] for a request without a key that it needs, or with a key that another context has; then none
    /// of the list is written. The store's.
    pub fn submit(&self, requests: Vec<Submission>) -> Result<Vec<Uuid>, WorkerError> {
        self.check_fork()?;
        // Hashing a context takes longer than the lock should be held.
        let (plans, digests) = self.digests(&requests)?;
        let keyed = self.lock_identities(&digests);
        let known = match keyed {
            Some(_) => self.known(&plans, &requests, &digests)?,
            None => Vec::new(),
        };
        let mut live = self.running()?;
        let now = now();
        let mut ids: Vec<Uuid> = Vec::with_capacity(requests.len());
        for (place, (request, digests_of)) in requests.into_iter().zip(&digests).enumerate() {
            // The same may stand twice in one list.
            let earlier = digests_of.identity.and_then(|identity| {
                digests[..place].iter().position(|other| other.identity == Some(identity)).map(|first| ids[first])
            });
            let id = known.get(place).copied().flatten().or(earlier);
            ids.push(id.unwrap_or_else(|| insert(&mut live, request, *digests_of, now).1));
        }
        let ticket = self.shared.push(&mut live);
        drop(live);
        drop(keyed);
        self.shared.reach(ticket, Level::Durable)?;
        Ok(ids)
    }

    /// Writes a task whose steps the calling thread carries out, with its first step, if it may be lent, claimed in the same commit.
    ///
    /// # Errors
    /// As for [`Worker::submit`].
    pub fn submit_run(&self, request: Submission, parker: &Arc<Parker>) -> Result<Submitted, WorkerError> {
        self.check_fork()?;
        let (plans, digests) = self.digests(std::slice::from_ref(&request))?;
        let keyed = self.lock_identities(&digests);
        if keyed.is_some() {
            if let Some(known) = self.known(&plans, std::slice::from_ref(&request), &digests)?[0] {
                return Ok(Submitted::Known(known));
            }
        }
        let waiter = Arc::new(Waiter { parker: Arc::clone(parker), outcome: Mutex::new(None) });
        let mut live = self.running()?;
        let now = now();
        let (task, task_id) = insert(&mut live, request, digests[0], now);
        live.get_mut(task).expect("just inserted").waiters.push(Arc::clone(&waiter));
        let lent = self.claim_lendable(&mut live, task, now);
        let ticket = self.shared.push(&mut live);
        drop(live);
        drop(keyed);
        self.shared.reach(ticket, Level::Durable)?;
        let lent = lent.map(|attempt| Box::new(self.started(attempt)));
        Ok(Submitted::New(Run { task_id, task, waiter }, lent))
    }

    fn digests(&self, requests: &[Submission]) -> Result<(Vec<Arc<Plan>>, Vec<Digests>), WorkerError> {
        let plans = self.running()?.plans.clone();
        let digests = requests.iter().map(|request| digests(&plans[request.plan as usize].template, request));
        let digests = digests.collect::<Result<_, _>>()?;
        Ok((plans, digests))
    }

    /// Between the look for a task of the same identity and the task's place in the queue nobody else may look.
    fn lock_identities(&self, digests: &[Digests]) -> Option<std::sync::MutexGuard<'_, ()>> {
        let any = digests.iter().any(|digests| digests.identity.is_some());
        any.then(|| self.shared.identities.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The tasks that requests are the same as.
    fn known(
        &self,
        plans: &[Arc<Plan>],
        requests: &[Submission],
        digests: &[Digests],
    ) -> Result<Vec<Option<Uuid>>, WorkerError> {
        let store = self.shared.log().read()?;
        let one = |(request, digests): (&Submission, &Digests)| match digests.identity {
            Some(identity) => known(store, &plans[request.plan as usize].template, request, &identity),
            None => Ok(None),
        };
        requests.iter().zip(digests).map(one).collect()
    }
}

fn digests(template: &Template, request: &Submission) -> Result<Digests, WorkerError> {
    let fingerprint = request.continuable.then(|| fingerprint(template, &request.context));
    let identity = match (&request.idempotency_key, template.identity) {
        (Some(key), _) => Some(identity::keyed(&template.namespace, &template.name, key)),
        (None, IdentityStrategy::AlwaysUnique) => None,
        (None, IdentityStrategy::Strict) => {
            Some(fingerprint.unwrap_or_else(|| self::fingerprint(template, &request.context)))
        }
        (None, IdentityStrategy::CallerProvided) => {
            let reason = format!(
                "the template {} has the identity strategy caller_provided: each request needs an idempotency_key",
                template.label()
            );
            return Err(WorkerError::Identity { reason });
        }
    };
    Ok(Digests { fingerprint, identity })
}

fn known(
    store: &Store,
    template: &Template,
    request: &Submission,
    identity: &[u8; 32],
) -> Result<Option<Uuid>, WorkerError> {
    let Some(row) = store.task_by_identity(identity)? else { return Ok(None) };
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    if identity::canonical(&parse(&row.context)) != identity::canonical(&parse(&request.context)) {
        let key = request.idempotency_key.as_deref().unwrap_or_default();
        let reason = format!(
            "the idempotency_key {key:?} of {}/{} belongs to task {}, which has another context",
            template.namespace, template.name, row.id
        );
        return Err(WorkerError::Identity { reason });
    }
    Ok(Some(row.id))
}

/// Makes a task live and stages what stores it; it begins at once if it may.
fn insert(live: &mut Live, request: Submission, digests: Digests, now: Micros) -> (TaskKey, Uuid) {
    let plan = Arc::clone(&live.plans[request.plan as usize]);
    let template_id = rows::template_id(&plan.template.hash);
    let id = Uuid::now_v7();
    let place = live.ops.len();
    let task = Task::new(Arc::clone(&plan.template));
    let context = Arc::clone(&request.context);
    let mut task = LiveTask::new(id, task, (request.plan, plan), context, request.priority, now);
    (task.lane, task.run_at) = (request.concurrency_key.clone(), request.run_at);
    let key = live.insert(task);
    live.begin_or_wait(key, now);
    let task = live.get_mut(key).expect("just inserted");
    task.stored = true;
    let state = task.task.state();
    let row = NewTask {
        id,
        template_id,
        state: state.code(),
        priority: request.priority,
        context: request.context,
        fingerprint: digests.fingerprint,
        identity: digests.identity,
        lane: request.concurrency_key,
        run_at: request.run_at,
        created_at: now,
        finished_at: state.is_final().then_some(now),
    };
    // Before the trail of its start.
    live.ops.insert(place, Op::NewTask(Box::new(row)));
    (key, id)
}

/// What a continuable request is found by.
pub fn fingerprint(template: &Template, context: &str) -> [u8; 32] {
    let context = serde_json::from_str(context).unwrap_or_default();
    identity::strict(&template.namespace, &template.name, &template.version, &context)
}
