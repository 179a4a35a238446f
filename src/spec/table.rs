//! The table of the clauses. A row is all that there is to say of one.

use super::{Group, Level};

/// Makes the clauses from rows: level, group, name, slug; the sentence; and behind dashes what usually
/// is behind a breach, the most frequent first.
macro_rules! clauses {
    ($($level:ident $group:ident $name:ident $slug:literal $sentence:literal $(- $cause:literal)+)+) => {
        /// One requirement of the protocol. Clauses are ordered as they stand in the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Clause {
            $(#[doc = $sentence] $name,)+
        }

        impl Clause {
            /// Every clause, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => &Row {
                        slug: $slug,
                        level: Level::$level,
                        group: Group::$group,
                        sentence: $sentence,
                        causes: &[$($cause),+],
                    },)+
                }
            }
        }
    };
}

struct Row {
    slug: &'static str,
    level: Level,
    group: Group,
    sentence: &'static str,
    causes: &'static [&'static str],
}

impl Clause {
    /// Its name for people and programs: lower-case words joined by `-`. It never changes.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.row().slug
    }

    /// How binding it is.
    #[must_use]
    pub const fn level(self) -> Level {
        self.row().level
    }

    /// Where it belongs.
    #[must_use]
    pub const fn group(self) -> Group {
        self.row().group
    }

    /// What it says.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// What usually is behind a breach of it, the most frequent first.
    #[must_use]
    pub const fn likely_causes(self) -> &'static [&'static str] {
        self.row().causes
    }
}

clauses! {
    Must Receiving LengthPrefix "length-prefix"
        "The length in a header is read with the width, octet order, sign and unit of the profile."
        - "the length is read in the other octet order"
        - "it is read as a signed number, or only some of its octets are"
        - "it is taken for octets where it counts chunks, or the other way round"

    Must Receiving Reassembly "reassembly"
        "How a stream is cut into segments carries no meaning: a frame that arrives in pieces, or several that arrive at once, are read as if they had come one by one and whole."
        - "one recv() is taken for one header or one frame; it returns whatever has arrived"
        - "octets read beyond the end of a frame are dropped instead of kept for the next"
        - "only the first frame of a read is handled"

    Must Receiving Boundary "boundary"
        "A frame takes up its header and its body and not an octet more; whatever follows begins the next frame."
        - "the body is read in fixed pieces, and the last piece reaches into the next frame"
        - "the length is rounded, clamped or adjusted on one side only"

    Must Receiving Padding "padding"
        "Pad octets at the end of a body are dropped and the payload is otherwise left alone; a body with more padding than it needs SHOULD be taken as well."
        - "padding is removed in the wrong place, or together with data"
        - "the receiver expects padding of a certain size"

    Must Receiving ExactFill "exact-fill"
        "A payload that fills its chunks to the last octet has no padding behind it and is a message like any other."
        - "padding is expected even where the payload fills its last chunk"
        - "the loop that reads chunks runs once too often or too rarely"

    Must Receiving EmptyFrame "empty-frame"
        "A length of zero is a complete frame whose payload is empty and so undecodable; it is neither skipped nor read as the end of the stream."
        - "length 0 is taken for the end of the stream, as recv() returning nothing is"
        - "empty frames are skipped without a reply"

    Must Receiving ChunkMultiple "chunk-multiple"
        "A body length that is no whole number of chunks is malformed: nothing beyond that frame is consumed on its account, and the connection SHOULD be closed."
        - "the body is read in whole chunks, beyond its end"
        - "the length is not checked against the chunk size"

    Must Receiving LengthLimit "length-limit"
        "A header that claims more than the limit gets the connection closed at once, before any of the body has been waited for, read or reserved; a body of exactly the limit is taken."
        - "there is no limit, or it is checked only after the body has been read"
        - "the length is cut to the limit, and what is left is taken for frames"
        - "the limit is off by one, or compared before the length is adjusted"

    Must Receiving Truncation "truncation"
        "A stream that ends before its last frame is complete gets no reply for that frame, and the connection is closed."
        - "recv() returning nothing is not taken for the end of the stream"
        - "what has arrived of a frame is handled as if it were whole"

    Must Receiving Checksum "checksum"
        "A frame whose checksum is not the one of its octets is malformed: nothing in it is taken for a message, and the connection is closed."
        - "the checksum is read and not compared, or only some of it is"
        - "it is reckoned from other octets than the profile says"

    Must Receiving Datagram "datagram"
        "A datagram is one frame: one that is anything else is taken for no message and gets at most one reply, and the next is read as if it had not come."
        - "datagrams are put together as if they were pieces of a stream"
        - "the length in the header is not compared with the octets that have come"
        - "the buffer that datagrams are read into is too small, and what it does not hold is lost"

    Must Receiving ChunkIndex "chunk-index"
        "Each chunk has its index in front of it, which is no part of the payload; a frame in which one is another than it should be is malformed: nothing in it is taken for a message, and the connection is closed."
        - "indexes are read and not compared, or in the other octet order"
        - "they are counted from the wrong number, or go on from one frame to the next"
        - "they are left in the payload, or an index is kept in fewer octets than it has"

    Must Sending ReplyFraming "reply-framing"
        "Replies are frames of the same profile, one directly behind the other."
        - "send() is taken to have sent everything; it may have sent a part"
        - "something is written between frames, such as a newline or a log line"

    Must Sending MinimalPadding "minimal-padding"
        "The padding of a reply consists of pad octets only and is shorter than one chunk."
        - "a whole chunk of padding is added where none is needed"

    Must Sending ReplyText "reply-text"
        "The payload of a reply is one JSON text in UTF-8 without a byte order mark."
        - "the reply is not encoded as JSON, or not in UTF-8"

    Must Messages JsonText "json-text"
        "Each kind of JSON value is a message: object, array, string, number, true, false, null."
        - "the handler expects an object, or treats falsy values as no message"

    Must Messages Fidelity "fidelity"
        "A message means to the server what it meant to the client: all of Unicode, escapes, empty strings and containers, wherever chunks and segments happen to cut them."
        - "octets are decoded chunk by chunk, so that characters on a cut are lost"
        - "characters are counted where octets are meant"
        - "another encoding than UTF-8 is used"

    Must Messages Undecodable "undecodable"
        "A well-framed payload that is not one JSON text in UTF-8 is answered with exactly one reply or with a close; a connection left open is still in step."
        - "an exception of the decoder ends the thread and leaves the socket open"
        - "nothing is sent when a payload cannot be decoded"

    Must Messages Smuggling "smuggling"
        "A payload that goes on after a pad octet is undecodable as a whole; neither its first part nor its second is taken for a message."
        - "the payload is cut at its first NUL, as a C string would be"

    Must Messages Nesting "nesting"
        "A deeply nested message is answered or treated as undecodable; it brings nothing down."
        - "the parser recurses, and its stack overflows or its limit raises an exception"

    Must Exchange OneReply "one-reply"
        "Every frame that carries a message gets exactly one reply."
        - "an exception in the handler ends the thread and leaves the socket open"

    Must Exchange Order "order"
        "Replies come in the order of their requests, unless the profile leaves that open; where requests have an id, each reply has that of its own."
        - "requests of one connection are handled by several workers"

    Must Exchange Pipelining "pipelining"
        "Requests that are sent without waiting for replies are all answered."
        - "whatever is in the buffer is dropped when a reply is sent"

    Must Exchange Unsolicited "unsolicited"
        "A server sends nothing that no request has asked for, and no reply before its request is complete."
        - "a greeting is sent, or a reply before its request is complete"

    Must Exchange Persistence "persistence"
        "A connection stays usable until the client ends it."
        - "the connection is closed after a reply, or after so many"

    Must Connections Prologue "prologue"
        "What a connection begins with is read as the profile has it, however it is cut, and whatever follows it begins the first frame; a connection that begins otherwise, or breaks off, is no session: nothing on it is answered as a request, and it is closed."
        - "one recv() is taken for the whole prologue, or what it brought beyond is dropped"
        - "the prologue is read and not compared, or only some of it is"
        - "it is read in the loop that accepts, so that one client keeps all others waiting"

    Must Connections OrderlyClose "orderly-close"
        "When the client ends its stream between frames, the server closes the connection and sends nothing more."
        - "recv() returning nothing is read as a length of 0 and answered, for ever"
        - "the loop does not end when the client does, and spins or waits"

    Should Connections HalfClose "half-close"
        "A client that ends its stream right behind a complete request still gets the reply."
        - "the end of the stream is noticed before the request in front of it is handled"

    Must Connections Reset "reset"
        "A connection that is reset, at whatever point, harms no other."
        - "the error of a reset connection is not caught"

    Must Connections Patience "patience"
        "A frame may arrive with a pause of 200 ms inside it, and SHOULD be allowed one of 1 s."
        - "a read timeout is shorter than a slow network's pauses"

    Should Connections Deadline "deadline"
        "A frame that is never completed is given up in the end and its connection closed."
        - "nothing ends a connection whose frame never becomes complete"

    Must ManyClients Concurrency "concurrency"
        "At least 16 clients are served at the same time."
        - "clients are served one after the other, or too few at once"

    Must ManyClients Isolation "isolation"
        "A client that stalls inside a frame, never reads, sends garbage or resets neither delays nor breaks another."
        - "one lock, one loop or one thread is held while a client is waited for"
        - "an error on one connection ends the process or the accept loop"

    Must ManyClients Crosstalk "crosstalk"
        "A reply goes to the connection that its request came from, however requests interleave."
        - "state of a connection is kept in a variable that all share"

    Must ManyClients Churn "churn"
        "Clients that come and go leave the server as able as it was."
        - "something is kept of each connection that ended, or the listener is closed"

    Must Resources Memory "memory"
        "A length costs no memory until its octets arrive, replies that nobody reads do not pile up without end, and what a connection took is given back."
        - "a buffer of the claimed length is made when the header arrives"

    Must Resources Cpu "cpu"
        "A connection that is idle, ended or half dead costs no processor time."
        - "a loop calls recv() on a connection that has ended"

    Must Resources Descriptors "descriptors"
        "A connection that has ended gives its descriptors back, and the threads that served it."
        - "sockets are not closed on the path where an error ends a connection"

    Must Clients ClientFraming "client-framing"
        "A client sends frames of the profile, one directly behind the other, with headers that say how long their bodies are."
        - "the length is written in the other octet order, or with another width"
        - "characters are counted where octets are meant"
        - "a line end or a log line is sent between two frames"

    Must Clients ClientPadding "client-padding"
        "The body of a request is padded with pad octets to a whole number of chunks, and with fewer than one chunk of them."
        - "a whole chunk of padding is added where none is needed"
        - "spaces or the digit 0 are used where NUL is meant, or the last chunk is left as it is"

    Must Clients ClientText "client-text"
        "The payload of a request is one JSON text in UTF-8 without a byte order mark, and says what the client's user said."
        - "JSON is put together by hand, so that quotes and backslashes are not escaped"
        - "another encoding than UTF-8 is used, or one that begins with a byte order mark"

    Must Clients ClientReassembly "client-reassembly"
        "How a reply is cut into segments carries no meaning: in whatever pieces it arrives, the client reads the same."
        - "one recv() is taken for one header or one reply; it returns whatever has arrived"
        - "octets are decoded piece by piece, so that characters on a cut are lost"

    Must Clients ClientBoundary "client-boundary"
        "A reply takes up its header and its body and not an octet more; what follows, be it in the same segment, is the next reply."
        - "the body is read in fixed pieces, and the last piece reaches into the next reply"
        - "what was read beyond the first reply is dropped"

    Must Clients ClientPayload "client-payload"
        "Pad octets at the end of a reply are dropped, be there none, few or whole chunks of them, and the payload is otherwise left alone."
        - "padding is expected even where the payload fills its last chunk"
        - "padding is removed at both ends, or everything from the first NUL on is"

    Must Clients ClientUndecodable "client-undecodable"
        "After a well-framed reply whose payload is no message, the client reads the next one or gives the connection up; nothing hangs and nothing is brought down."
        - "an exception of the decoder ends the thread that reads, and nothing else"
        - "an empty frame is taken for nothing at all, and its reply is waited for"

    Must Clients ClientLimit "client-limit"
        "A header that claims more than the limit makes the client give the connection up at once, before it has waited for any of the body or reserved room for it."
        - "there is no limit, or it is checked only after the body has been read"

    Must Clients ClientTruncation "client-truncation"
        "When the stream ends inside a reply, the client takes nothing of it for a message and gives the connection up."
        - "recv() returning nothing is not taken for the end of the stream"
        - "what has arrived of a reply is handled as if it were whole"

    Must Clients ClientClose "client-close"
        "When the server ends its stream between two replies, the client ends the connection too, at the latest when it wants to use it again."
        - "recv() returning nothing is read as a length of 0, for ever"
        - "the thread that reads ends, and its socket stays"

    Must Clients ClientReset "client-reset"
        "A client notices that its connection was reset, at the latest when it wants to use it again, and is not brought down by it."
        - "the error of a reset connection is caught and nothing follows from it"
        - "SIGPIPE is not ignored, and ends the client when it sends"

    Must Clients ClientPatience "client-patience"
        "A reply may come half a second late or with a pause of 200 ms inside it, and SHOULD be allowed a pause of 1 s; waiting for it costs no processor time."
        - "a read timeout is shorter than a slow network's pauses"
        - "the socket is asked again and again instead of waited for"
}
