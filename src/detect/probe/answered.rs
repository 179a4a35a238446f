//! What a server's answers say of a format.

use super::{NO_FRAME, Probe, TEXTS, demands, known};
use crate::capture::{Exchange, Said};
use crate::detect::{AHEAD, Doubt, Proposal, doubt, evidence, layouts};
use crate::model::reader::{self, Ending, FrameAt};
use crate::profile::Profile;
use std::collections::BTreeSet;

/// What speaks for a format whose reply holds the text of the request, in bits: that comes by no chance.
const REPEATED: f64 = 40.0;

/// A format in which a server has answered.
#[derive(Debug, Clone)]
pub struct Answered {
    proposal: Proposal,
    /// Whether an answer holds the text of its question.
    repeats: bool,
    /// Whether it was answered as often as it was asked.
    is_confirmed: bool,
    /// Whether it has gone through more than a greeting before.
    has_begun: bool,
    answers: Vec<Vec<u8>>,
}

impl Probe {
    /// What a server's answers say of the format, that to the first question first; nothing if one is no reply in it.
    #[must_use]
    pub fn answered(&self, answers: &[Vec<u8>]) -> Option<Answered> {
        let replies: Option<Vec<Reply>> = (0_usize..)
            .zip(answers)
            .map(|(number, answer)| self.reply(number, answer))
            .collect();
        let replies = replies?;
        let repeats = replies.iter().any(|reply| reply.repeats);
        // What is said to everything is no more than once.
        let distinct: BTreeSet<&[u8]> = answers.iter().map(Vec::as_slice).collect();
        let share = evidence::float(distinct.len()) / evidence::float(answers.len().max(1));
        let sample: Vec<Exchange> = distinct.into_iter().map(exchange).collect();
        let mut weight = evidence::weigh(&self.profile, &sample)?;
        let shown: f64 = replies.iter().map(|reply| reply.bits).sum();
        weight.bits += shown * share + self.begun - layouts::KNOWN;
        weight.bits += if repeats { REPEATED } else { 0.0 };
        Some(Answered {
            proposal: Proposal {
                frames: weight.frames,
                sizes: weight.sizes(),
                bits: weight.bits,
                doubt: doubt(&weight, true),
                alike: Vec::new(),
                profile: self.profile.clone(),
                is_known: self.is_known,
            },
            repeats,
            is_confirmed: true,
            has_begun: self.profile.prologue().len() > 1,
            answers: answers.to_vec(),
        })
    }

    /// The one reply that this is to the question of that number.
    fn reply(&self, number: usize, answer: &[u8]) -> Option<Reply> {
        let replies = self.profile.of_replies();
        let frame = only_reply(&replies, answer)?;
        let header = answer.get(frame.start..frame.body.start)?;
        let asked = self.request(number);
        let asked = asked.get(..reader::header_len(&self.profile, &asked));
        let id = reader::id_in(&replies, header);
        if id != asked.and_then(|header| reader::id_in(&self.profile, header)) {
            return None;
        }
        let around = replies.before().len().saturating_add(replies.after().len());
        let length = header.len().saturating_sub(around);
        let octets = length.saturating_add(self.profile.id_width());
        let text = TEXTS.get(number)?.as_bytes();
        Some(Reply {
            repeats: answer.windows(text.len()).any(|part| part == text),
            bits: 8.0 * evidence::float(octets),
        })
    }
}

/// What one answer shows.
struct Reply {
    repeats: bool,
    /// That a length is that of all the answer, and an id that of the question.
    bits: f64,
}

/// The last frame of what is a reply and no more.
fn only_reply(replies: &Profile, answer: &[u8]) -> Option<FrameAt> {
    let mut reading = reader::read_with_limit(replies, answer, evidence::LARGEST);
    let last = reading.frames.pop()?;
    let ends = |frame: &FrameAt| {
        let header = answer.get(frame.start..frame.body.start);
        header.is_some_and(|header| replies.ends_reply(header))
    };
    let is_one = reading.ending == Ending::Boundary && ends(&last);
    (is_one && !reading.frames.iter().any(ends)).then_some(last)
}

fn exchange(answer: &[u8]) -> Exchange {
    Exchange {
        answered: Said {
            octets: answer.to_vec(),
            ..Said::default()
        },
        ..Exchange::default()
    }
}

impl Answered {
    /// Leaves it a guess: it was answered once, and then not again.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.proposal.doubt = Some(Doubt::TooLittle);
        self.is_confirmed = false;
        self
    }

    /// Whether there is nothing more to ask: it holds what each question said, and formats that ask less of frames were asked in
    /// before.
    #[must_use]
    pub fn settles(&self) -> bool {
        self.is_confirmed && self.repeats && self.proposal.doubt.is_none()
    }

    /// Known formats in which its answers are frames as well, but for those that are told by their messages.
    fn alike(&self) -> Vec<String> {
        let is_alike = |known: &Profile| {
            let read = |answer: &Vec<u8>| only_reply(&known.of_replies(), answer).is_some();
            let is_told_by_frames = known.request().is_none() && known.prologue().is_empty();
            let is_another = known.name() != self.proposal.profile.name();
            is_told_by_frames && is_another && self.answers.iter().all(read)
        };
        let alike = known().filter(is_alike);
        alike.map(|known| known.name().to_owned()).collect()
    }

    /// Whether that is whole frames.
    fn reads(&self, answer: &[u8]) -> bool {
        evidence::weigh(&self.proposal.profile, &[exchange(answer)]).is_some()
            && reader::read_with_limit(
                &self.proposal.profile.of_replies(),
                answer,
                evidence::LARGEST,
            )
            .ending
                == Ending::Boundary
    }

    /// Whether the other has other frames, and is nearly as likely.
    fn is_rivalled_by(&self, other: &Self) -> bool {
        let is_near = other.proposal.bits > self.proposal.bits - AHEAD;
        let is_as_good = (other.is_confirmed, other.repeats) >= (self.is_confirmed, self.repeats);
        is_near && is_as_good && !other.answers.iter().all(|one| self.reads(one))
    }

    /// Whether what is no frame is answered alike, so that an answer says nothing.
    fn is_said_to_all(&self, to_no_frame: &[u8]) -> bool {
        let is_told_apart = self.repeats || self.has_begun || self.proposal.profile.has_ids();
        to_no_frame.starts_with(NO_FRAME) || !is_told_apart && self.reads(to_no_frame)
    }
}

/// The format that the server speaks, and behind it those that it could speak as well; none if it has answered in none.
/// It is the plainest of those whose replies hold the texts of the requests, or else the one that most speaks for. What
/// the server said to what is a frame in none of them counts too.
#[must_use]
pub fn best(mut found: Vec<Answered>, to_no_frame: &[u8]) -> Vec<Proposal> {
    found.sort_by(|one, other| {
        let bits = other.proposal.bits.total_cmp(&one.proposal.bits);
        let demands = demands(&one.proposal.profile).cmp(&demands(&other.proposal.profile));
        let confirmed = other.is_confirmed.cmp(&one.is_confirmed);
        confirmed.then(match one.repeats && other.repeats {
            true => demands,
            false => other.repeats.cmp(&one.repeats).then(bits).then(demands),
        })
    });
    let Some((best, others)) = found.split_first() else {
        return Vec::new();
    };
    let rivals: Vec<&Answered> = others
        .iter()
        .filter(|other| best.is_rivalled_by(other))
        .collect();
    let mut proposal = best.proposal.clone();
    proposal.alike = best.alike();
    if best.is_said_to_all(to_no_frame) {
        proposal.doubt = Some(Doubt::SaidToAll);
    } else if !rivals.is_empty() {
        proposal.doubt.get_or_insert(Doubt::Rivals);
    }
    let rivals = rivals.into_iter().map(|rival| rival.proposal.clone());
    std::iter::once(proposal).chain(rivals).collect()
}
