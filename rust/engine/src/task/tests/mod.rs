//! Tests that read as transcripts (given these events, these effects), and properties of any task.

mod batches;
mod by_hand;
mod decisions;
mod limits;
mod play;
mod properties;
mod transcripts;
