//! What a connection begins with, said and read on a stream.

use super::Stream;
use crate::wire::{Prologue, PrologueStep};
use std::io;

impl Stream {
    /// Goes through the prologue of a connection. Nothing is read of what follows it.
    ///
    /// # Errors
    /// If the connection breaks or ends meanwhile, or something else comes than the prologue has.
    pub async fn begin(&self, mut prologue: Prologue) -> io::Result<()> {
        loop {
            match prologue.step() {
                PrologueStep::Done => return Ok(()),
                PrologueStep::Send(octets) => self.write_whole(&octets).await?,
                PrologueStep::Read(most) => {
                    let mut octets = vec![0; most];
                    let taken = self.read(&mut octets).await?;
                    octets.truncate(taken);
                    take(&mut prologue, &octets)?;
                }
            }
        }
    }

    async fn write_whole(&self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let taken = self.write(octets).await?;
            octets = octets.get(taken..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Tells a prologue what came: nothing at the end of the stream.
///
/// # Errors
/// If that is not what is to come.
pub fn take(prologue: &mut Prologue, octets: &[u8]) -> io::Result<()> {
    if octets.is_empty() {
        let wrong = prologue.wrong();
        let kind = io::ErrorKind::UnexpectedEof;
        return Err(io::Error::new(
            kind,
            format!("{wrong}, then the end of the stream"),
        ));
    }
    let taken = prologue.handle_read(octets);
    taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
