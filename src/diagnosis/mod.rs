//! The diagnosis: from the verdicts of a run to the fewest causes that explain them.
//!
//! A cause is a fault that can be planted in a peer. What each of them does to each case is known from
//! peers in which it was planted: that is the [`Knowledge`], made by `conformance causes play` and `learn`.
//! Here it is read backwards. A run is an [`Observation`]: which cases passed, and with which
//! [`Symptom`] others failed. Causes are sought that make that likely, as few as will do:
//!
//! - several causes fail what any of them fails, so that one may hide another's symptom;
//! - a case that passed although a cause fails it speaks against that cause;
//! - a case that was not played, or was unstable, speaks neither for nor against anything;
//! - a failure that no cause makes likely stays unexplained rather than being charged to one.
//!
//! A run asks in the middle, too: what the [`KnownCauses`] explain need not be shown again.
//!
//! Pure: what comes out follows from the knowledge and the observation.

mod knowledge;
mod known;
mod observation;
mod search;
mod symptom;
#[cfg(test)]
mod tests;

pub use knowledge::{Entry, Head, Knowledge, KnowledgeError, Lesson, Sketch};
pub use known::KnownCauses;
pub use observation::{FIRST_LOOK, Lacking, Observation, Outcome, Play};
pub use search::diagnose;
pub use symptom::Symptom;
