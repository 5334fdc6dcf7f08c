//! Which steps a decision creates.

use serde::Deserialize;

use super::{Growth, Task, MAX_CREATED_STEPS};
use crate::template::StepKind;

/// `decision_point_outcome` in the result of a decision step.
#[derive(Deserialize)]
struct Outcome {
    r#type: String,
    #[serde(default)]
    step_names: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope {
    decision_point_outcome: Option<serde_json::Value>,
}

fn read_outcome(result: &str) -> Result<Vec<String>, String> {
    let envelope: Envelope = serde_json::from_str(result).map_err(|error| error.to_string())?;
    let outcome = envelope.decision_point_outcome.ok_or("its result has no `decision_point_outcome`")?;
    let outcome: Outcome =
        serde_json::from_value(outcome).map_err(|error| format!("its `decision_point_outcome`: {error}"))?;
    match outcome.r#type.as_str() {
        "no_branches" => Ok(Vec::new()),
        "create_steps" => Ok(outcome.step_names),
        other => {
            Err(format!("the type of its `decision_point_outcome` is `create_steps` or `no_branches`, not `{other}`"))
        }
    }
}

impl Task {
    /// The steps that a decision with this result creates: those that it names, what follows from them, and what joins them.
    pub(super) fn decide(&self, decision: u32, result: Option<&str>) -> Result<Option<Growth>, String> {
        let name = &self.rules(decision).name;
        let explain = |problem: String| format!("decision step `{name}`: {problem}");
        let Some(result) = result else { return Ok(None) };
        let wanted = read_outcome(result).map_err(explain)?;
        let allowed = self.below(decision);
        let mut requested = Vec::with_capacity(wanted.len());
        for wanted in &wanted {
            let found = self.template.step_index(wanted).filter(|&place| {
                allowed[place as usize] && !matches!(self.kind(place), StepKind::BatchWorker | StepKind::OnFailure)
            });
            let Some(place) = found else { return Err(explain(self.not_allowed(wanted, &allowed))) };
            if !self.step(place).created && !requested.contains(&place) {
                requested.push(place);
            }
        }
        let created = self.follow(decision, &requested);
        self.check_can_run(&requested, &created).map_err(explain)?;
        if created.len() > MAX_CREATED_STEPS {
            return Err(explain(format!("it creates {} steps; {MAX_CREATED_STEPS} is the limit", created.len())));
        }
        Ok((!created.is_empty()).then_some(Growth { by: decision, steps: created, workers: Vec::new() }))
    }

    /// The part of the graph that starts at a step, which is not part of it.
    fn below(&self, step: u32) -> Vec<bool> {
        let mut below = vec![false; self.template.steps.len()];
        let mut ahead = self.template.steps[step as usize].dependants.clone();
        while let Some(place) = ahead.pop() {
            if !std::mem::replace(&mut below[place as usize], true) {
                ahead.extend(&self.template.steps[place as usize].dependants);
            }
        }
        below
    }

    /// The steps of `first` that are to be created, with what follows from them: convergences that join any of them, and steps all of whose dependencies
    /// are there by then. What hangs on another decision waits for that one's word.
    pub(super) fn follow(&self, by: u32, first: &[u32]) -> Vec<u32> {
        let mut is_there: Vec<bool> = (0..self.template.steps.len() as u32).map(|place| self.exists(place)).collect();
        let mut created = Vec::new();
        let mut ahead = Vec::new();
        for &place in first {
            is_there[place as usize] = true;
            ahead.push(place);
            // The workers of a batch are appended; the step that they are made from never runs itself.
            if self.kind(place) != StepKind::BatchWorker {
                created.push(place);
            }
        }
        while let Some(place) = ahead.pop() {
            for &next in &self.template.steps[place as usize].dependants {
                let rules = &self.template.steps[next as usize];
                let follows = match rules.kind {
                    _ if is_there[next as usize] => false,
                    StepKind::BatchWorker | StepKind::OnFailure => false,
                    StepKind::DeferredConvergence => true,
                    _ => rules
                        .dependencies
                        .iter()
                        .all(|&need| is_there[need as usize] && (need == by || self.kind(need) != StepKind::Decision)),
                };
                if follows {
                    is_there[next as usize] = true;
                    created.push(next);
                    ahead.push(next);
                }
            }
        }
        created.sort_unstable();
        created
    }

    /// A step whose dependencies will never exist would keep its task open for ever.
    fn check_can_run(&self, requested: &[u32], created: &[u32]) -> Result<(), String> {
        let comes = |need: u32| {
            self.exists(need)
                || created.binary_search(&need).is_ok()
                || (self.kind(need) == StepKind::BatchWorker
                    && self.template.steps[need as usize]
                        .dependencies
                        .iter()
                        .all(|&above| self.step(above).created || created.binary_search(&above).is_ok()))
        };
        for &place in requested {
            let rules = &self.template.steps[place as usize];
            if rules.kind == StepKind::DeferredConvergence {
                continue;
            }
            if let Some(&missing) = rules.dependencies.iter().find(|&&need| !comes(need)) {
                let missing = &self.template.steps[missing as usize].name;
                return Err(format!(
                    "`{}` depends on `{missing}`, which neither exists nor is created with it",
                    rules.name
                ));
            }
        }
        Ok(())
    }

    fn not_allowed(&self, wanted: &str, allowed: &[bool]) -> String {
        let may_be_named = |place: &u32| {
            allowed[*place as usize] && !matches!(self.kind(*place), StepKind::BatchWorker | StepKind::OnFailure)
        };
        let names: Vec<&str> = (0..allowed.len() as u32)
            .filter(may_be_named)
            .map(|place| self.template.steps[place as usize].name.as_str())
            .collect();
        let hint = crate::template::problem::nearest(wanted, names.iter().copied());
        let hint = hint.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"));
        let listed = if names.is_empty() { "none, for no step depends on it".into() } else { names.join(", ") };
        format!("it may not create `{wanted}`{hint}; it may create: {listed}")
    }
}
