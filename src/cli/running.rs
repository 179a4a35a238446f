//! What `check` and `check-client` do alike: play the cases, write what is told of them, save what fails and
//! make it smaller, and stop when the user has had enough.

use super::exit::Failure;
use super::last_failed::Memory;
use super::out;
use super::reporting::unwritten;
use super::saving::Saver;
use super::signals::Signals;
use crate::event::Finished;
use crate::lang::{Text, say};
use crate::report::{Closing, Outputs};
use crate::run::{self, Options, Player, RunError, Target};
use std::time::Instant;
use tokio::runtime::Runtime;

/// Why a run ends that the user has had enough of.
fn had_enough() -> Text {
    say!("interrupted")
}

/// A run with its reports.
pub(crate) struct Run<'a> {
    target: Target,
    options: &'a Options,
    outputs: Outputs,
    saver: Option<Saver>,
}

impl<'a> Run<'a> {
    pub(crate) const fn new(
        target: Target,
        options: &'a Options,
        outputs: Outputs,
        saver: Option<Saver>,
    ) -> Self {
        Self {
            target,
            options,
            outputs,
            saver,
        }
    }

    /// Plays everything. Every report has been written when this returns, whatever it returns, and what failed is kept,
    /// as far as it came.
    pub(crate) fn finish(
        mut self,
        runtime: &Runtime,
        memory: &Memory,
        no_peer: impl FnOnce(&RunError) -> Failure,
    ) -> Result<Closing, Failure> {
        let begun = Instant::now();
        let done = runtime.block_on(self.played())?;
        if done.is_none() {
            self.outputs.took(begun.elapsed());
            self.outputs.broken_off(had_enough());
        }
        let closing = self.outputs.finish();
        memory.keep(&closing.run);
        if let Some(mut saver) = self.saver {
            if let Some(Ok(_)) = done {
                runtime.block_on(minimised(&mut self.target, self.options, &mut saver))?;
            }
            saver.finish()?;
        }
        match done {
            None => Err(interrupted(&closing)),
            Some(Err(error)) => Err(no_peer(&error)),
            Some(Ok(_)) => Ok(closing),
        }
    }

    /// Plays the cases; `None` if the user interrupted that.
    async fn played(&mut self) -> Result<Option<Result<Finished, RunError>>, Failure> {
        // Before there is anything that would be left behind.
        let mut signals = Signals::new()?;
        let options = self.options;
        let mut tell = |mut event| {
            if let Some(saver) = &mut self.saver {
                saver.event(&mut event, options);
            }
            self.outputs.event(event);
        };
        Ok(tokio::select! {
            done = run::run(&mut self.target, options, &mut tell) => Some(done),
            () = signals.next() => None,
        })
    }
}

/// The user has had enough.
fn interrupted(closing: &Closing) -> Failure {
    match closing.failed.first() {
        Some(error) => unwritten(error),
        None => Failure::could_not(say!("interrupted: the report says how far it came")),
    }
}

/// Makes what was saved smaller, until all is done or the user has had enough.
async fn minimised(
    target: &mut Target,
    options: &Options,
    saver: &mut Saver,
) -> Result<(), Failure> {
    if !saver.is_to_minimise() {
        return Ok(());
    }
    let mut signals = Signals::new()?;
    let work = async {
        match Player::meet(target, options).await {
            Ok(mut player) => saver.minimise(&mut player, target, options).await,
            Err(error) => out::note(format_args!("nothing is made smaller: {error}")),
        }
    };
    tokio::select! {
        () = work => Ok(()),
        () = signals.next() => Err(Failure::could_not(say!("interrupted: not all is as small as it gets"))),
    }
}
