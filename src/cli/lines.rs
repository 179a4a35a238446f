//! Lines from the standard input, none of them longer than it may be.

use std::io::{self, BufRead, Read as _};
use std::thread;
use tokio::sync::mpsc;

/// What there is to say about a line that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("line {0} is longer than {1} octets")]
    TooLong(u64, usize),
    #[error("line {0} is not UTF-8")]
    NotUtf8(u64),
    #[error("cannot read the standard input: {0}")]
    Io(String),
}

/// A line and its number, counted from 1.
pub(crate) type InputLine = Result<(u64, String), LineError>;

/// Lines of the standard input, read by a thread of its own: a read there cannot be cancelled, and
/// must not keep the program from ending.
pub(crate) fn stdin(longest: usize) -> mpsc::Receiver<InputLine> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        for line in lines(io::stdin().lock(), longest) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Lines without their ends. What is too long is dropped up to the end of its line; nothing follows an
/// input that cannot be read.
fn lines(mut input: impl BufRead, longest: usize) -> impl Iterator<Item = InputLine> {
    let mut number = 0_u64;
    let mut broken = false;
    std::iter::from_fn(move || {
        number = number.saturating_add(1);
        if broken {
            return None;
        }
        match next_line(&mut input, longest) {
            Ok(None) => None,
            Ok(Some(line)) if line.len() > longest => {
                Some(Err(LineError::TooLong(number, longest)))
            }
            Ok(Some(line)) => Some(match String::from_utf8(line) {
                Ok(line) => Ok((number, line)),
                Err(_) => Err(LineError::NotUtf8(number)),
            }),
            Err(error) => {
                broken = true;
                Some(Err(LineError::Io(error.to_string())))
            }
        }
    })
}

/// The next line; of one that is too long, just more than it may have.
fn next_line(input: &mut impl BufRead, longest: usize) -> io::Result<Option<Vec<u8>>> {
    const LINE_END: usize = "\r\n".len();
    let most = longest.saturating_add(LINE_END);
    let mut line = Vec::new();
    input
        .by_ref()
        .take(most as u64)
        .read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop_if(|octet| *octet == b'\n').is_some() {
        line.pop_if(|octet| *octet == b'\r');
    } else if line.len() == most {
        input.skip_until(b'\n')?;
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], longest: usize) -> Vec<InputLine> {
        lines(input, longest).collect()
    }

    #[test]
    fn lines_come_without_their_ends() {
        let line = |number, text: &str| Ok((number, text.to_owned()));
        assert_eq!(read(b"", 9), []);
        assert_eq!(
            read(b"a\n\r\nb\r\nc", 9),
            [line(1, "a"), line(2, ""), line(3, "b"), line(4, "c")]
        );
    }

    #[test]
    fn a_bad_line_costs_only_itself() {
        let input = b"1234\n12345\n12345\r\n123456\n1234567\n12345678\n\xff\nok";
        let too_long = |number| Err(LineError::TooLong(number, 5));
        assert_eq!(
            read(input, 5),
            [
                Ok((1, "1234".into())),
                Ok((2, "12345".into())),
                Ok((3, "12345".into())),
                too_long(4),
                too_long(5),
                too_long(6),
                Err(LineError::NotUtf8(7)),
                Ok((8, "ok".into())),
            ]
        );
        assert_eq!(read(&[b'x'; 100], 5), [too_long(1)]);
    }
}
