//! One client and the server, whatever carries what they say.

use super::{tcp, udp};
use crate::event::Side;
use std::net::SocketAddr;

/// Makes the packets of one connection, or of one socket for datagrams.
#[derive(Debug)]
pub(super) enum Talk {
    Stream(tcp::Conversation),
    Datagrams {
        client: SocketAddr,
        server: SocketAddr,
    },
}

impl Talk {
    pub(super) fn open(&mut self) -> Vec<Vec<u8>> {
        self.of_stream(tcp::Conversation::open)
    }

    pub(super) fn data(&mut self, from: Side, octets: &[u8]) -> Vec<Vec<u8>> {
        match (self, from) {
            (Self::Stream(stream), _) => stream.data(from, octets),
            (Self::Datagrams { client, server }, Side::Client) => {
                vec![udp::packet(*client, *server, octets)]
            }
            (Self::Datagrams { client, server }, Side::Server) => {
                vec![udp::packet(*server, *client, octets)]
            }
        }
    }

    pub(super) fn fin(&mut self, from: Side) -> Vec<Vec<u8>> {
        self.of_stream(|stream| stream.fin(from))
    }

    pub(super) fn rst(&mut self, from: Side) -> Vec<Vec<u8>> {
        self.of_stream(|stream| stream.rst(from))
    }

    /// What only a stream has: datagrams have neither beginning nor end.
    fn of_stream(
        &mut self,
        done: impl FnOnce(&mut tcp::Conversation) -> Vec<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        match self {
            Self::Stream(stream) => done(stream),
            Self::Datagrams { .. } => Vec::new(),
        }
    }
}
