//! The floor: one thread, one epoll, and no more per frame than reading its length.

pub(crate) use rustix::event::epoll::create;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;

/// A socket and what of an unfinished frame has come.
struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// Echoes whole frames of the tutorial's format for ever.
pub(crate) fn serve(listener: &TcpListener) {
    let poll = create(CreateFlags::CLOEXEC).unwrap();
    let mut clients: Vec<Option<Client>> = Vec::new();
    add(&poll, listener, u64::MAX);
    listener.set_nonblocking(true).unwrap();
    let mut events = Vec::with_capacity(256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        wait(&poll, &mut events);
        for event in events.drain(..) {
            let token = event.data.u64();
            if token == u64::MAX {
                while let Ok((stream, _)) = listener.accept() {
                    prepare(&stream);
                    add(&poll, &stream, clients.len() as u64);
                    let rest = Vec::new();
                    clients.push(Some(Client { stream, rest }));
                }
                continue;
            }
            let slot = &mut clients[token as usize];
            if slot
                .as_mut()
                .is_some_and(|client| !echo(client, &mut buffer))
            {
                *slot = None;
            }
        }
    }
}

/// Answers what one read brings; false once the client has gone.
fn echo(client: &mut Client, buffer: &mut [u8]) -> bool {
    let kept = client.rest.len();
    buffer[..kept].copy_from_slice(&client.rest);
    let read = match client.stream.read(&mut buffer[kept..]) {
        Ok(0) => return false,
        Ok(read) => read,
        Err(error) => return error.kind() == ErrorKind::WouldBlock,
    };
    let came = &buffer[..kept + read];
    let mut whole = 0;
    while let Some(header) = came.get(whole..whole + 4) {
        let body = u32::from_be_bytes(header.try_into().unwrap()) as usize;
        if came.len() < whole + 4 + body {
            break;
        }
        whole += 4 + body;
    }
    client.rest.clear();
    client.rest.extend_from_slice(&came[whole..]);
    write_all(&client.stream, &came[..whole]).is_ok()
}

/// Writes all of it, and waits where there is no room.
pub(crate) fn write_all(mut stream: &TcpStream, mut octets: &[u8]) -> io::Result<()> {
    while !octets.is_empty() {
        match stream.write(octets) {
            Ok(written) => octets = &octets[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(stream, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn prepare(stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    stream.set_nodelay(true).unwrap();
}

pub(crate) fn add(poll: &OwnedFd, source: impl std::os::fd::AsFd, token: u64) {
    epoll::add(poll, source, EventData::new_u64(token), EventFlags::IN).unwrap();
}

pub(crate) fn wait(poll: &OwnedFd, events: &mut Vec<Event>) {
    events.clear();
    epoll::wait(poll, rustix::buffer::spare_capacity(events), None).unwrap();
}
