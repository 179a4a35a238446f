//! Frames whose chunks have an index.

use super::{Fault, Format, Front, Header, Sizes, check_mark};
use crate::wire::error::DecodeErrorKind;
use crate::wire::frame::Around;
use crate::wire::index::{Index, Looked};
use bytes::BytesMut;

/// A whole frame whose chunks have indexes: what its header says, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wire) struct Indexed {
    header: Header,
    pub(in crate::wire) end: usize,
}

/// What is said of a whole frame that is to be lent out and lies in pieces.
pub(in crate::wire) const IN_PIECES: Fault = Fault {
    kind: DecodeErrorKind::InPieces,
    at: 0,
};

impl Format {
    /// What stands at the front where chunks have an index.
    #[inline(never)]
    pub(super) fn front_with(
        &self,
        index: Index,
        octets: &[u8],
        known: usize,
    ) -> Result<Front, Fault> {
        let Some(header) = self.header_at(octets)? else {
            return Ok(Front::Unknown);
        };
        let Some(body) = self.body_with(index, header.sizes) else {
            return Ok(Front::Unknown);
        };
        let behind = |at: usize| header.len.saturating_add(at);
        let end = behind(body);
        let came = octets.get(header.len..end.min(octets.len()));
        let known = known.saturating_sub(header.len);
        match index.look(came.unwrap_or_default(), body, known) {
            Looked::Wrong(at) => {
                let kind = DecodeErrorKind::Index;
                let at = behind(at);
                return Err(Fault { kind, at });
            }
            Looked::Right(awaited) if octets.len() < end => {
                return Ok(Front::Begun(behind(awaited)));
            }
            Looked::Right(_) => {}
        }
        check_mark(&self.trailer, octets, end)?;
        let end = end.saturating_add(self.trailer.len());
        Ok(match octets.len() < end {
            true => Front::Begun(octets.len().saturating_add(1)),
            false => Front::Indexed(Indexed { header, end }),
        })
    }

    /// Octets of a body with its indexes, if they can be counted.
    fn body_with(&self, index: Index, sizes: Sizes) -> Option<usize> {
        let body = usize::try_from(sizes.body).ok()?;
        body.checked_add(index.octets(body))
    }

    /// Takes the indexes out of a whole frame, and says where its parts are then.
    pub(in crate::wire) fn gather(
        &self,
        indexed: Indexed,
        frame: &mut BytesMut,
    ) -> (Around, usize) {
        let Header { len, sizes } = indexed.header;
        let body = usize::try_from(sizes.body).unwrap_or(usize::MAX);
        if let Some(index) = self.index {
            index.take_out(frame, len, body);
        }
        let end = len.saturating_add(body);
        let payload = match sizes.payload.map(usize::try_from) {
            Some(Ok(exact)) => exact,
            _ => self.trimmed_len(frame.get(len..end).unwrap_or_default()),
        };
        (self.around(len), len.saturating_add(payload))
    }
}
