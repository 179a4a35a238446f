//! The codec in programs of one's own, with the standard library alone: requests out, replies in.

use framespec::profile::Profile;
use framespec::wire::{FrameReader, FrameWriter};
use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::thread;

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let (peer, _) = listener.accept()?;
    thread::spawn(move || echo(&peer));

    // Four octets of length, then the payload. The limit is on what a peer may claim.
    let profile = Profile::u32_be().with_max_body(64 * 1024)?;
    let mut requests = FrameWriter::new(&stream, &profile);
    let mut replies = FrameReader::new(&stream, &profile);
    requests.write_frame(b"Margot")?;
    let reply = replies.read_frame()?.ok_or("the server has closed")?;
    assert_eq!(reply.payload(), b"Margot");
    Ok(())
}

/// Sends back what comes, until the peer closes between two frames. Anything else is an error.
fn echo(stream: &TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let profile = Profile::u32_be();
    let mut requests = FrameReader::new(stream, &profile);
    let mut replies = FrameWriter::new(stream, &profile);
    while let Some(request) = requests.read_frame()? {
        replies.write_frame(request.payload())?;
    }
    Ok(())
}
