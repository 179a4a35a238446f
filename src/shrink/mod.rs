//! The shrinker: makes a script that shows something smaller, as long as it still shows it.
//!
//! Pure. It proposes smaller scripts, and whoever can play them says of each whether it still shows
//! what the first one did. A frame that loses octets gets a header that fits again, so what is tried
//! stays as well formed as it was. Every proposal is smaller than the best script so far and none is
//! made twice, so it comes to an end by itself; whoever pays for the answers may stop before that.
//!
//! ```
//! use framespec::profile::Profile;
//! use framespec::script::Script;
//! use framespec::shrink::Shrinker;
//!
//! // What is to be shown: that the octet `!` is sent.
//! let shows = |script: &Script| script.stream(0).contains(&b'!');
//! let script: Script = "framespec script 1\n\
//!     open a\n\
//!     send a 0000003c '\"hi\"' 00*56 0000 | 003c '\"hello!\"' 00*52\n\
//!     await a\n"
//!     .parse()?;
//! let mut shrinker = Shrinker::new(&Profile::tutorial(), script);
//! while let Some(candidate) = shrinker.candidate() {
//!     let shown = shows(candidate);
//!     shrinker.answer(shown);
//! }
//! let smallest = shrinker.into_best().to_string();
//! assert_eq!(smallest, "framespec script 1\nopen a\nsend a 00 00 00 3c 21 00*59\n");
//! # Ok::<(), framespec::script::ScriptError>(())
//! ```

mod edit;
mod pass;
mod piece;
mod size;
#[cfg(test)]
mod tests;

pub use size::Size;

use crate::profile::Profile;
use crate::script::Script;
use pass::Pass;
use piece::View;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Proposes ever smaller scripts.
#[derive(Debug)]
pub struct Shrinker {
    profile: Profile,
    best: Script,
    size: Size,
    view: View,
    cursor: Cursor,
    /// Whether this round through the passes has made anything smaller.
    improved: bool,
    /// Hashes of what has been proposed.
    tried: HashSet<u64>,
    asked: Option<(Script, Size)>,
}

/// Where in the passes the next proposal comes from.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// Number of the pass.
    pass: usize,
    /// How many things are changed at once; `None` before the pass has begun.
    window: Option<usize>,
    /// The place of the window, counted.
    turn: usize,
}

impl Shrinker {
    /// Begins with a script that shows what is to be shown.
    #[must_use]
    pub fn new(profile: &Profile, script: Script) -> Self {
        let profile = script.written_in(profile);
        let view = View::of(&profile, &script);
        Self {
            profile,
            size: Size::of(&view, &script),
            view,
            tried: HashSet::from([hash(&script)]),
            best: script,
            cursor: Cursor::default(),
            improved: false,
            asked: None,
        }
    }

    /// The next script to be tried; `None` when there is nothing left to try. One that gets no
    /// [answer](Self::answer) before the next is asked for is taken not to show anything.
    pub fn candidate(&mut self) -> Option<&Script> {
        if self.asked.take().is_some() {
            self.cursor.turn = self.cursor.turn.saturating_add(1);
        }
        loop {
            let Some(pass) = Pass::nth(self.cursor.pass, &self.view) else {
                if !self.improved {
                    return None;
                }
                (self.cursor, self.improved) = (Cursor::default(), false);
                continue;
            };
            let count = pass.count(&self.profile, &self.view, &self.best);
            let window = self.cursor.window.unwrap_or(pass.first_window(count));
            self.cursor.window = Some(window);
            if count == 0 || window == 0 {
                self.cursor = Cursor {
                    pass: self.cursor.pass.saturating_add(1),
                    ..Cursor::default()
                };
                continue;
            }
            let Some(range) = pass.place(count, window, self.cursor.turn) else {
                self.cursor.window = Some(pass.next_window(window));
                self.cursor.turn = 0;
                continue;
            };
            let proposed = pass.without(&self.profile, &self.view, &self.best, range);
            if let Some(proposal) = proposed.and_then(|script| self.worth_trying(script)) {
                return Some(&self.asked.insert(proposal).0);
            }
            self.cursor.turn = self.cursor.turn.saturating_add(1);
        }
    }

    /// A script with its size, if it is smaller than the best and was not proposed before.
    fn worth_trying(&mut self, script: Script) -> Option<(Script, Size)> {
        let size = Size::of(&View::of(&self.profile, &script), &script);
        let is_smaller = script.connections() > 0 && size < self.size;
        (is_smaller && self.tried.insert(hash(&script))).then_some((script, size))
    }

    /// Says whether the last candidate still shows what is to be shown.
    pub fn answer(&mut self, shown: bool) {
        let Some((script, size)) = self.asked.take() else {
            return;
        };
        if shown {
            self.view = View::of(&self.profile, &script);
            (self.best, self.size) = (script, size);
            self.improved = true;
        } else {
            self.cursor.turn = self.cursor.turn.saturating_add(1);
        }
    }

    /// The smallest script so far that shows it.
    #[must_use]
    pub fn best(&self) -> &Script {
        &self.best
    }

    /// Its size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The smallest script that was found.
    #[must_use]
    pub fn into_best(self) -> Script {
        self.best
    }
}

fn hash(script: &Script) -> u64 {
    let mut hasher = DefaultHasher::new();
    script.steps().hash(&mut hasher);
    hasher.finish()
}

/// Shrinks a script as far as `shows` allows, with at most `most` questions.
pub fn shrink(
    profile: &Profile,
    script: Script,
    most: usize,
    mut shows: impl FnMut(&Script) -> bool,
) -> Script {
    let mut shrinker = Shrinker::new(profile, script);
    for _ in 0..most {
        let Some(shown) = shrinker.candidate().map(&mut shows) else {
            break;
        };
        shrinker.answer(shown);
    }
    shrinker.into_best()
}
