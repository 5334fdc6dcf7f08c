//! Which step is next: tasks by priority, then in the order they became ready; a task that was begun goes before a later one.

use std::collections::{BTreeMap, VecDeque};

/// What runs a step's handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// A handler thread, or the thread that called `run`.
    Thread,
    /// The event loop: many at a time on one thread, which never waits for the disk.
    Loop,
}

/// A place among the live tasks. The generation tells a task from a later one in the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskKey {
    pub slot: u32,
    pub generation: u32,
}

/// Tasks that have ready steps, each at most once.
#[derive(Debug, Default)]
pub struct ReadyQueue {
    levels: BTreeMap<i16, VecDeque<TaskKey>>,
}

impl ReadyQueue {
    /// Queues a task. One that was begun goes to the front, so that tasks are finished rather than all of them begun.
    pub fn push(&mut self, priority: i16, task: TaskKey, begun: bool) {
        let level = self.levels.entry(-priority).or_default();
        if begun {
            level.push_front(task);
        } else {
            level.push_back(task);
        }
    }

    pub fn front(&self) -> Option<TaskKey> {
        self.levels.values().find_map(|level| level.front().copied())
    }

    pub fn pop(&mut self) -> Option<TaskKey> {
        self.levels.values_mut().find_map(VecDeque::pop_front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: u32) -> TaskKey {
        TaskKey { slot, generation: 0 }
    }

    #[test]
    fn priority_goes_first_then_what_was_begun_then_age() {
        let mut queue = ReadyQueue::default();
        for (priority, slot) in [(0, 1), (5, 2), (0, 3), (-5, 4), (5, 5)] {
            queue.push(priority, key(slot), slot == 3);
        }
        assert_eq!(queue.front(), Some(key(2)));
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|task| task.slot).collect();
        assert_eq!(order, [2, 5, 3, 1, 4]);
    }
}
