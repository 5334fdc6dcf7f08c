//! What a call of the worker can answer instead of a result.

use std::sync::Arc;

use tasker_store::StoreError;
use uuid::Uuid;

#[derive(Debug, Clone, thiserror::Error)]
pub enum WorkerError {
    #[error("the engine is stopped")]
    Stopped,
    #[error("this process is a fork of the one that opened the engine; open an engine of its own after the fork")]
    Forked,
    /// The store failed earlier, or now; after a failed write or sync nothing more is taken.
    #[error(transparent)]
    Store(Arc<StoreError>),
    #[error("there is no task {0}")]
    UnknownTask(Uuid),
    /// What was asked of a task or a step does not fit how it stands.
    #[error("task {task}: {reason}")]
    Unfit { task: Uuid, reason: String },
    /// A request without the key that it needs, or with one that is taken.
    #[error("{reason}")]
    Identity { reason: String },
    #[error("the template of task {task}, {label}, is not loaded: load it first, so that what follows can run")]
    NotLoaded { task: Uuid, label: String },
    #[error(
        "the template {} was changed but kept its version; tasks that were submitted with the old content rely on it. Give the new content a new `version`",
        .0.label
    )]
    TemplateChanged(Box<TemplateChange>),
    #[error("the stored template of task {task} can't be read by this version: {reason}")]
    StoredTemplate { task: Uuid, reason: String },
}

/// Two contents under one name and version.
#[derive(Debug, Clone)]
pub struct TemplateChange {
    pub label: String,
    /// Canonical JSON, as are both.
    pub stored: String,
    pub given: String,
}

impl From<Arc<StoreError>> for WorkerError {
    fn from(error: Arc<StoreError>) -> Self {
        match *error {
            StoreError::Closed => WorkerError::Stopped,
            _ => WorkerError::Store(error),
        }
    }
}

impl From<StoreError> for WorkerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => WorkerError::Stopped,
            error => WorkerError::Store(Arc::new(error)),
        }
    }
}
