//! The blocks of a pcapng file, in little-endian order.

use std::io::{self, Write};

/// Packets that begin with their IP header.
const LINKTYPE_RAW: u16 = 101;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const OPTION_INTERFACE_NAME: u16 = 2;
const OPTION_APPLICATION: u16 = 4;
const OPTION_RESOLUTION: u16 = 9;

/// The most octets of an option, which a `u16` counts.
const MAX_OPTION: usize = 4_096;

/// The block that a file begins with.
pub(super) fn section(application: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    body.extend(1_u16.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    // Its length is not told.
    body.extend(u64::MAX.to_le_bytes());
    option(OPTION_APPLICATION, application.as_bytes(), &mut body);
    option(OPTION_END, &[], &mut body);
    block(SECTION, &body, out)
}

/// The block that describes where packets were seen.
pub(super) fn interface(name: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut body = Vec::new();
    body.extend(LINKTYPE_RAW.to_le_bytes());
    body.extend(0_u16.to_le_bytes());
    // No packet is cut.
    body.extend(0_u32.to_le_bytes());
    option(OPTION_INTERFACE_NAME, name.as_bytes(), &mut body);
    // Times are in 10⁻⁶ s.
    option(OPTION_RESOLUTION, &[6], &mut body);
    option(OPTION_END, &[], &mut body);
    block(INTERFACE, &body, out)
}

/// The block of a packet.
pub(super) fn packet(
    at_us: u64,
    octets: &[u8],
    comments: &[String],
    out: &mut dyn Write,
) -> io::Result<()> {
    let len = u32::try_from(octets.len()).map_err(io::Error::other)?;
    let mut body = Vec::new();
    body.extend(0_u32.to_le_bytes());
    let [high, low] = [at_us >> 32, at_us & 0xffff_ffff];
    body.extend(u32::try_from(high).unwrap_or(0).to_le_bytes());
    body.extend(u32::try_from(low).unwrap_or(0).to_le_bytes());
    body.extend(len.to_le_bytes());
    body.extend(len.to_le_bytes());
    body.extend(octets);
    pad(&mut body);
    for comment in comments {
        option(OPTION_COMMENT, shortened(comment).as_bytes(), &mut body);
    }
    if !comments.is_empty() {
        option(OPTION_END, &[], &mut body);
    }
    block(ENHANCED_PACKET, &body, out)
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MAX_OPTION);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

fn option(code: u16, value: &[u8], body: &mut Vec<u8>) {
    body.extend(code.to_le_bytes());
    let len = u16::try_from(value.len()).unwrap_or(0);
    body.extend(len.to_le_bytes());
    body.extend(value.iter().take(usize::from(len)));
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

/// A block says its length at both ends.
fn block(kind: u32, body: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let len = u32::try_from(body.len())
        .ok()
        .and_then(|len| len.checked_add(12))
        .ok_or(io::ErrorKind::InvalidInput)?;
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&len.to_le_bytes())?;
    out.write_all(body)?;
    out.write_all(&len.to_le_bytes())
}
