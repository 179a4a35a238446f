//! What has arrived at the other side's socket and has not been read there.
//!
//! Where both sides are on one machine and its system tells, this makes the cuts between segments real: the
//! next one is sent when the one before has been read. It is evidence of nothing.

use crate::transport::Stream;
use std::net::SocketAddr;

/// How many octets the other side of a connection has still to read. `None` if that cannot be told, as when it is
/// on another machine, or gone.
pub(crate) fn unread(stream: &Stream) -> Option<u32> {
    match stream.ends() {
        Some((here, there)) => unread_between(here, there),
        None => stream.unread_in_pipe(),
    }
}

#[cfg(not(target_os = "linux"))]
fn unread_between(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

#[cfg(target_os = "linux")]
use linux::unread_between;

#[cfg(target_os = "linux")]
mod linux {
    use super::SocketAddr;
    use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
    use netlink_packet_sock_diag::SockDiagMessage;
    use netlink_packet_sock_diag::constants::{
        AF_INET, AF_INET6, IPPROTO_TCP, TCP_CLOSE_WAIT, TCP_ESTABLISHED,
    };
    use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
    use netlink_sys::Socket;
    use netlink_sys::protocols::NETLINK_SOCK_DIAG;
    use std::cell::RefCell;

    /// The system itself, as an address.
    const SYSTEM: (u32, u32) = (0, 0);

    /// Says that a socket is looked for by its addresses alone.
    const NO_COOKIE: [u8; 8] = [0xff; 8];

    /// More than one answer takes.
    const ROOM: usize = 1 << 10;

    /// Asks for the one socket whose own address is `there`.
    ///
    /// `/proc/net/tcp` says the same, and `procfs` is there to read it; but the system goes through its whole
    /// table of sockets for that. A question took 12 µs here with 10 sockets on the machine and with 2,000; over
    /// `/proc` it took 5 ms and 31 ms. The list is also another one for IPv6, in which a client by IPv4 of a
    /// server on `[::]` has to be looked for as a mapped address.
    pub(super) fn unread_between(here: SocketAddr, there: SocketAddr) -> Option<u32> {
        SOCKET.with_borrow_mut(|kept| {
            let socket = kept.take().or_else(asking)?;
            let found = asked(&socket, here, there)?;
            *kept = Some(socket);
            found
        })
    }

    thread_local! {
        /// What is asked with, one for each thread: to make it and close it took as long as to ask. It is not kept
        /// after a question that went wrong, whose answer may still be to come.
        static SOCKET: RefCell<Option<Socket>> = const { RefCell::new(None) };
    }

    fn asking() -> Option<Socket> {
        let socket = Socket::new(NETLINK_SOCK_DIAG).ok()?;
        socket.set_non_blocking(true).ok()?;
        Some(socket)
    }

    /// What the system says: `None` if nothing, `Some(None)` if there is no such connection.
    fn asked(socket: &Socket, here: SocketAddr, there: SocketAddr) -> Option<Option<u32>> {
        let system = netlink_sys::SocketAddr::new(SYSTEM.0, SYSTEM.1);
        socket.send_to(&question(here, there), &system, 0).ok()?;
        // The answer is there when the question has been taken.
        let mut answer = Vec::with_capacity(ROOM);
        socket.recv(&mut answer, 0).ok()?;
        let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer).ok()?;
        let NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) = answer.payload
        else {
            return Some(None);
        };
        // Where there is no such connection, the system tells of the listener.
        let is_connected = [TCP_ESTABLISHED, TCP_CLOSE_WAIT].contains(&found.header.state);
        Some(is_connected.then_some(found.header.recv_queue))
    }

    fn question(here: SocketAddr, there: SocketAddr) -> Vec<u8> {
        let family = if there.is_ipv4() { AF_INET } else { AF_INET6 };
        let request = InetRequest {
            family,
            protocol: IPPROTO_TCP,
            extensions: ExtensionFlags::empty(),
            states: StateFlags::all(),
            socket_id: SocketId {
                source_port: there.port(),
                destination_port: here.port(),
                source_address: there.ip(),
                destination_address: here.ip(),
                interface_id: 0,
                cookie: NO_COOKIE,
            },
        };
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        octets
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net;

    fn connected(address: &str) -> (net::TcpStream, net::TcpStream) {
        let listener = net::TcpListener::bind(address).unwrap();
        let here = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (here, listener.accept().unwrap().0)
    }

    fn unread(here: &net::TcpStream) -> Option<u32> {
        unread_between(here.local_addr().unwrap(), here.peer_addr().unwrap())
    }

    #[test]
    fn what_arrived_is_unread_until_it_is_read() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (mut here, mut there) = connected(address);
            if unread(&here).is_none() {
                println!("skipped: this system does not tell");
                return;
            }
            assert_eq!(unread(&here), Some(0));
            here.write_all(b"seven..").unwrap();
            while there.peek(&mut [0; 8]).unwrap() < 7 {}
            assert_eq!(unread(&here), Some(7));
            there.read_exact(&mut [0; 3]).unwrap();
            assert_eq!(unread(&here), Some(4));
            there.read_exact(&mut [0; 4]).unwrap();
            assert_eq!(unread(&here), Some(0));
        }
    }

    #[test]
    fn a_server_for_both_families_is_found_by_the_address_that_its_client_knows() {
        let Ok(listener) = net::TcpListener::bind("[::]:0") else {
            println!("skipped: this system has no IPv6");
            return;
        };
        let port = listener.local_addr().unwrap().port();
        let mut here = net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let there = listener.accept().unwrap().0;
        if unread(&here).is_none() {
            println!("skipped: this system does not tell");
            return;
        }
        here.write_all(b"seven..").unwrap();
        while there.peek(&mut [0; 8]).unwrap() < 7 {}
        assert_eq!(unread(&here), Some(7));
    }

    #[test]
    fn of_a_connection_that_was_never_taken_up_nothing_is_told() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let nobody = net::SocketAddr::from(([127, 0, 0, 1], 1));
        assert_eq!(unread_between(nobody, there), None);
    }
}
