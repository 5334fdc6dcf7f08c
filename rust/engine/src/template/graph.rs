//! What steps depend on: names become positions, and cycles are spelled out.

use std::collections::HashMap;

use super::{StepKind, StepTemplate};

/// A loop of dependencies, as positions, the first not repeated at the end. One loop for each knot of steps, so that a large knot is one problem.
pub fn cycles(dependencies: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let remaining = without_orderly(dependencies);
    let mut found = Vec::new();
    let mut seen = vec![false; dependencies.len()];
    for start in 0..dependencies.len() {
        if !remaining[start] || seen[start] {
            continue;
        }
        // Every step that remains waits for another that remains: following them must come round.
        let mut path: Vec<u32> = Vec::new();
        let mut place: HashMap<u32, usize> = HashMap::new();
        let mut at = start as u32;
        loop {
            if let Some(&first) = place.get(&at) {
                found.push(path[first..].to_vec());
                break;
            }
            if seen[at as usize] {
                break;
            }
            place.insert(at, path.len());
            path.push(at);
            at = *dependencies[at as usize]
                .iter()
                .find(|&&next| remaining[next as usize])
                .expect("a step outside every order waits for another such step");
        }
        for step in path {
            seen[step as usize] = true;
        }
    }
    found
}

/// Marks the steps that no order of running reaches: those on a cycle or behind one.
fn without_orderly(dependencies: &[Vec<u32>]) -> Vec<bool> {
    let mut dependants = vec![Vec::new(); dependencies.len()];
    let mut waiting: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    for (step, needs) in dependencies.iter().enumerate() {
        for &need in needs {
            dependants[need as usize].push(step);
        }
    }
    let mut ready: Vec<usize> = (0..waiting.len()).filter(|&step| waiting[step] == 0).collect();
    let mut remaining = vec![true; dependencies.len()];
    while let Some(step) = ready.pop() {
        remaining[step] = false;
        for &next in &dependants[step] {
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(next);
            }
        }
    }
    remaining
}

/// Marks the steps that exist from a task's start: those that no decision and no batch creates.
pub fn mark_initial(steps: &mut [StepTemplate]) {
    let below_decision = decision_depths(steps);
    let any_decision = steps.iter().any(|step| step.kind == StepKind::Decision);
    for position in 0..steps.len() {
        let joins_batch =
            steps[position].dependencies.iter().any(|&need| steps[need as usize].kind == StepKind::BatchWorker);
        let own = u32::from(steps[position].kind == StepKind::Decision);
        steps[position].initial = below_decision[position] == own
            && match steps[position].kind {
                StepKind::BatchWorker | StepKind::OnFailure => false,
                // One that joins neither branches nor a batch is a step like any other.
                StepKind::DeferredConvergence => any_decision || !joins_batch,
                _ => true,
            };
    }
}

/// How many decisions lie on the way to each step, itself included, where they are most. Needs dependants, and no cycles.
pub fn decision_depths(steps: &[StepTemplate]) -> Vec<u32> {
    let mut depths = vec![0; steps.len()];
    let mut waiting: Vec<usize> = steps.iter().map(|step| step.dependencies.len()).collect();
    let mut ready: Vec<usize> = (0..steps.len()).filter(|&step| waiting[step] == 0).collect();
    while let Some(step) = ready.pop() {
        depths[step] += u32::from(steps[step].kind == StepKind::Decision);
        for &next in &steps[step].dependants {
            let next = next as usize;
            depths[next] = depths[next].max(depths[step]);
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(next);
            }
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diamond_has_no_cycle() {
        assert!(cycles(&[vec![], vec![0], vec![0], vec![1, 2]]).is_empty());
    }

    #[test]
    fn a_cycle_is_spelled_out_once() {
        // 0 waits for 2, 1 for 0, 2 for 1; 3 hangs behind it and is not part of it
        assert_eq!(cycles(&[vec![2], vec![0], vec![1], vec![2]]), vec![vec![0, 2, 1]]);
    }

    #[test]
    fn a_step_may_not_wait_for_itself() {
        assert_eq!(cycles(&[vec![0]]), vec![vec![0]]);
    }

    #[test]
    fn two_knots_are_two_cycles() {
        assert_eq!(cycles(&[vec![1], vec![0], vec![3], vec![2]]), vec![vec![0, 1], vec![2, 3]]);
    }
}
