//! A few lines of good code for each family of faults: how what they get wrong is done.

/// How something is done right, in two languages; names that neither it nor a helper shown with it defines are the
/// reader's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch {
    /// What it is called: lower-case words joined by `-`.
    pub name: &'static str,
    /// In Python.
    pub python: &'static str,
    /// In Rust.
    pub rust: &'static str,
}

impl Sketch {
    /// The languages and the code in each; behind that in Python the functions that it calls.
    #[must_use]
    pub fn codes(&self) -> [(&'static str, String); 2] {
        [
            ("Python", with_helpers(self.python)),
            ("Rust", self.rust.to_owned()),
        ]
    }
}

/// Functions that sketches in Python call by these names, each in front of those that it calls itself.
const HELPERS: [(&str, &str); 5] = [
    (
        "frames_until_the_end",
        "\
def frames_until_the_end(sock):
    while (request := read_frame(sock)) is not None:
        yield request",
    ),
    (
        "read_frame",
        "\
def read_frame(sock):
    try:
        return read_exactly(sock, int.from_bytes(read_exactly(sock, 4), 'big'))
    except EOFError:
        return None",
    ),
    ("read_exactly", READ_EXACTLY.python),
    (
        "whole_frame",
        "\
def whole_frame(buffer):
    end = 4 + int.from_bytes(buffer[:4], 'big')
    return bytes(buffer[4:end]) if 4 <= len(buffer) >= end else None",
    ),
    (
        "frame",
        "\
def frame(payload):
    body = payload + b'\\0' * (-len(payload) % CHUNK)
    return len(body).to_bytes(4, 'big') + body",
    ),
];

/// Code with those of the helpers behind it that it calls, and that they call.
fn with_helpers(code: &str) -> String {
    let mut all = code.to_owned();
    for (name, helper) in HELPERS {
        if calls(&all, name) && !all.contains(&format!("def {name}(")) {
            all.push_str("\n\n");
            all.push_str(helper);
        }
    }
    all
}

fn calls(code: &str, name: &str) -> bool {
    let is_part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let call = format!("{name}(");
    let mut calls = code.match_indices(&call);
    calls.any(|(at, _)| {
        !code
            .get(..at)
            .is_some_and(|before| before.ends_with(is_part_of_a_word))
    })
}

pub(super) const PROLOGUE: Sketch = Sketch {
    name: "read-the-prologue",
    python: "\
def serve(sock):                      # in a thread of its own
    sock.sendall(GREETING)
    if read_exactly(sock, len(HELLO)) != HELLO:
        sock.close()                  # perhaps with a word before
        return
    serve_frames(sock)                # nothing behind HELLO has been read",
    rust: "\
stream.write_all(GREETING)?;
let mut hello = [0; HELLO.len()];
stream.read_exact(&mut hello)?;       // and nothing behind it
if hello != HELLO {
    return Err(NotAClient);           // and the caller closes
}
serve_frames(stream)",
};

pub(super) const ANSWER_REQUESTS: Sketch = Sketch {
    name: "answer-requests-alone",
    python: "\
while (message := read_message(sock)) is not None:
    reply = handle(message)               # each kind does its work
    if message.is_request:                # and one kind is answered
        sock.sendall(frame(reply))",
    rust: "\
while let Some(message) = read_message(&mut stream)? {
    let reply = handle(&message);         // each kind does its work
    if message.is_request() {             // and one kind is answered
        stream.write_all(&frame(&reply))?;
    }
}",
};

pub(super) const LAST_FRAME: Sketch = Sketch {
    name: "end-each-reply",
    python: "\
frames = [frame_of(ROW, row) for row in answer(request)]
frames.append(frame_of(DONE, b''))    # whatever was answered, an error too
sock.sendall(b''.join(frames))        # nothing of another reply among them",
    rust: "\
let mut frames = Vec::new();
for row in answer(&request) {
    put_frame(&mut frames, ROW, &row);
}
put_frame(&mut frames, DONE, b\"\");   // whatever was answered, an error too
stream.write_all(&frames)?;           // nothing of another reply among them",
};

pub(super) const READ_EXACTLY: Sketch = Sketch {
    name: "read-exactly",
    python: "\
def read_exactly(sock, wanted):
    data = bytearray()
    while len(data) < wanted:
        # Python makes room for all that is asked for at once: never ask for much.
        piece = sock.recv(min(65536, wanted - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)",
    rust: "\
let mut header = [0; 4];
stream.read_exact(&mut header)?;
let mut body = vec![0; checked_length(header)?];
stream.read_exact(&mut body)?;",
};

pub(super) const KEEP_THE_REST: Sketch = Sketch {
    name: "keep-the-rest",
    python: "\
buffer = bytearray()                  # lives as long as the connection
while piece := sock.recv(4096):
    buffer += piece
    while (frame := whole_frame(buffer)) is not None:
        del buffer[:4 + len(frame)]
        handle(frame)",
    rust: "\
let mut buffer = BytesMut::new();     // lives as long as the connection
while stream.read_buf(&mut buffer).await? > 0 {
    while let Some(frame) = decoder.decode(&mut buffer)? {
        handle(frame).await?;
    }
}",
};

pub(super) const LENGTH: Sketch = Sketch {
    name: "length",
    python: "length = int.from_bytes(header, 'big')        # unsigned, all four octets",
    rust: "let length = u32::from_be_bytes(header);      // unsigned, all four octets",
};

pub(super) const LIMIT: Sketch = Sketch {
    name: "limit",
    python: "\
length = int.from_bytes(read_exactly(sock, 4), 'big')
if length > MAX_BODY or length % CHUNK:
    sock.close()                      # before any of the body is read
    return",
    rust: "\
let length = u32::from_be_bytes(header);
if length > MAX_BODY || length % CHUNK != 0 {
    return Err(Malformed);            // and the caller closes
}",
};

pub(super) const HEADER: Sketch = Sketch {
    name: "whole-header",
    python: "\
header = read_exactly(sock, HEADER)
for octet, fixed in zip(header, LAYOUT):    # None where anything may be
    if fixed is not None and octet != fixed:
        sock.close()
        return",
    rust: "\
for (octet, fixed) in header.iter().zip(LAYOUT) {  // None where anything may be
    if fixed.is_some_and(|fixed| fixed != *octet) {
        return Err(Malformed);        // and the caller closes
    }
}",
};

pub(super) const DIGITS: Sketch = Sketch {
    name: "digits",
    python: "\
digits = bytearray()
while (octet := read_exactly(sock, 1)) != END:
    digits += octet
    if not octet.isdigit() or len(digits) > MOST or digits[0] == 48 and len(digits) > 1:
        sock.close()
        return
length = int(digits or b'-1')",
    rust: "\
match octet {
    b'0'..=b'9' if digits < MOST => length = length * 10 + u64::from(octet - b'0'),
    END if digits > 0 => return Ok(length),
    _ => return Err(Malformed),       // and the caller closes
}",
};

pub(super) const STRIP: Sketch = Sketch {
    name: "strip",
    python: "\
payload = body.rstrip(b'\\0')          # the octet 0, at the end only
if b'\\0' in payload:
    raise Undecodable",
    rust: "\
let end = body.iter().rposition(|octet| *octet != 0).map_or(0, |at| at + 1);
let payload = &body[..end];",
};

pub(super) const EMPTY: Sketch = Sketch {
    name: "body-of-no-octets",
    python: "\
body = read_exactly(sock, length)     # of no octets, if length is 0
reply = answer(body) if body else {'error': 'empty payload'}",
    rust: "\
let mut body = vec![0; length];       // of no octets, if length is 0
stream.read_exact(&mut body)?;
let reply = if body.is_empty() { complaint() } else { answer(&body) };",
};

pub(super) const END_OF_STREAM: Sketch = Sketch {
    name: "end-of-stream",
    python: "\
piece = sock.recv(min(65536, wanted))
if piece == b'':                      # the other side sends no more
    return                            # drop what is unfinished, and close",
    rust: "\
match stream.read(&mut buffer)? {
    0 => return Ok(()),               // the other side sends no more: close
    taken => handle(&buffer[..taken])?,
}",
};

pub(super) const HALF_CLOSE: Sketch = Sketch {
    name: "replies-then-the-end",
    python: "\
for frame in frames_until_the_end(sock):
    sock.sendall(reply_to(frame))     # replies first,
sock.close()                          # then the end",
    rust: "\
while let Some(frame) = read_frame(&mut stream)? {
    stream.write_all(&reply_to(frame))?;   // replies first,
}
stream.shutdown(Shutdown::Both)?;          // then the end",
};

pub(super) const ALWAYS_CLOSE: Sketch = Sketch {
    name: "always-close",
    python: "\
def serve(sock):
    with sock:                        # closes it, however this ends
        try:
            converse(sock)
        except (OSError, EOFError, ValueError) as error:
            log(error)",
    rust: "\
// A stream that is dropped is closed: let the task own it and end.
thread::spawn(move || {
    if let Err(error) = converse(&mut stream) {
        log(error);
    }
});",
};

pub(super) const ISOLATE: Sketch = Sketch {
    name: "isolate",
    python: "\
def serve(sock):
    try:
        while (frame := read_frame(sock)) is not None:
            with lock:                # not while waiting for a client
                reply = handle(frame)
            sock.sendall(reply)
    except Exception as error:        # concerns this client only
        log(error)
    finally:
        sock.close()",
    rust: "\
tokio::spawn(async move {
    // An error ends this task, and neither the server nor another client.
    if let Err(error) = converse(stream).await {
        log(error);
    }
});",
};

pub(super) const FRAME_DEADLINE: Sketch = Sketch {
    name: "frame-deadline",
    python: "\
sock.settimeout(None)                 # between frames: as long as it takes
frame = sock.recv(1)
deadline = time.monotonic() + 30      # from the first octet to the last
while whole_frame(frame) is None:
    sock.settimeout(max(0.001, deadline - time.monotonic()))
    piece = sock.recv(4096)
    if not piece:
        raise EOFError
    frame += piece",
    rust: "\
let first = stream.read_u8().await?;  // between frames: as long as it takes
let frame = timeout(Duration::from_secs(30), rest_of_frame(&mut stream, first)).await??;",
};

pub(super) const ONE_REPLY: Sketch = Sketch {
    name: "reply-by-reply",
    python: "\
while (request := read_frame(sock)) is not None:  # whole, padding included
    sock.sendall(frame(answer(request)))   # one reply, then the next request",
    rust: "\
while let Some(request) = read_frame(&mut stream)? {
    stream.write_all(&frame(&answer(request)))?;   // one reply, then the next request
}",
};

pub(super) const BACKPRESSURE: Sketch = Sketch {
    name: "backpressure",
    python: "\
# In asyncio: waits while the client leaves its replies where they are.
writer.write(frame(reply))
await writer.drain()",
    rust: "\
// A bounded queue: whoever reads requests waits when it is full.
let (replies, queue) = tokio::sync::mpsc::channel(16);
replies.send(reply).await?;",
};

pub(super) const PERSIST: Sketch = Sketch {
    name: "persist",
    python: "\
sock.settimeout(None)                 # no limit on silence between frames
while (frame := read_frame(sock)) is not None:    # no limit on how many there are
    sock.sendall(reply_to(frame))",
    rust: "\
stream.set_read_timeout(None)?;       // no limit on silence between frames
while let Some(frame) = read_frame(&mut stream)? {
    stream.write_all(&reply_to(frame))?;
}",
};

pub(super) const PER_CLIENT: Sketch = Sketch {
    name: "per-client",
    python: "\
while True:
    sock, _ = listener.accept()       # nothing else happens in this loop
    threading.Thread(target=serve, args=(sock,), daemon=True).start()",
    rust: "\
loop {
    let (stream, _) = listener.accept().await?;   // nothing else happens in this loop
    tokio::spawn(serve(stream));
}",
};

pub(super) const OWN_STATE: Sketch = Sketch {
    name: "own-state",
    python: "\
class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()     # each has its own, and nothing is global",
    rust: "\
async fn serve(mut stream: TcpStream) {
    let mut buffer = BytesMut::new(); // each has its own, and nothing is shared
    // …
}",
};

pub(super) const GROW: Sketch = Sketch {
    name: "grow",
    python: "\
data = bytearray()                    # grows with what arrives
while len(data) < length:
    piece = sock.recv(min(65536, length - len(data)))
    if not piece:
        raise EOFError
    data += piece",
    rust: "\
let mut body = Vec::new();            // grows with what arrives
(&mut stream).take(length.into()).read_to_end(&mut body)?;",
};

pub(super) const WAIT: Sketch = Sketch {
    name: "wait",
    python: "\
sock.setblocking(True)
piece = sock.recv(4096)               # sleeps until something comes, or select() does",
    rust: "let taken = stream.read(&mut buffer).await?;  // sleeps until something comes",
};

pub(super) const DECODE: Sketch = Sketch {
    name: "decode",
    python: "\
payload = body.rstrip(b'\\0')          # octets, until all of it is here
message = json.loads(payload.decode('utf-8'))
# None, 0, '' and [] are messages as well: compare with `is`, if at all.",
    rust: "let message: serde_json::Value = serde_json::from_slice(payload)?;   // all of it, once",
};

pub(super) const COMPLAIN: Sketch = Sketch {
    name: "complain",
    python: "\
try:
    reply = answer(json.loads(payload.decode('utf-8')))
    octets = json.dumps(reply).encode('utf-8')
except (ValueError, RecursionError) as error:    # UnicodeError is a ValueError
    octets = json.dumps({'error': str(error)}).encode('utf-8')
sock.sendall(frame(octets))           # one reply, and on to the next frame",
    rust: "\
let reply = match serde_json::from_slice(payload) {
    Ok(message) => answer(message),
    Err(error) => json!({ \"error\": error.to_string() }),
};
write_frame(&mut stream, &reply)?;    // one reply, and on to the next frame",
};

pub(super) const NESTING: Sketch = Sketch {
    name: "bounded-depth",
    python: "\
try:
    message = json.loads(text)
except RecursionError:                # deeper than the interpreter goes
    raise Undecodable('nested too deeply') from None",
    rust: "\
// serde_json stops at 128 levels with an error; a parser of one's own counts.
let message: Value = serde_json::from_slice(payload)?;",
};

pub(super) const FRAME: Sketch = Sketch {
    name: "frame",
    python: "\
payload = json.dumps(message).encode('utf-8')    # first the octets,
body = payload + b'\\0' * (-len(payload) % CHUNK) # then the padding,
sock.sendall(len(body).to_bytes(4, 'big') + body) # then the length of both",
    rust: "\
let mut body = serde_json::to_vec(&message)?;
body.resize(body.len().next_multiple_of(CHUNK), 0);
stream.write_all(&u32::try_from(body.len())?.to_be_bytes())?;
stream.write_all(&body)?;",
};

pub(super) const SEND_ALL: Sketch = Sketch {
    name: "send-all",
    python: "\
with self.write_lock:                 # if several threads write
    self.sock.sendall(header + body)  # not send(): that takes what fits",
    rust: "\
let mut stream = stream.lock().await; // if several tasks write
stream.write_all(&octets).await?;     // not write(): that takes what fits",
};

pub(super) const REPLY_TEXT: Sketch = Sketch {
    name: "json-library",
    python: "octets = json.dumps(message, allow_nan=False).encode('utf-8')",
    rust: "let octets = serde_json::to_vec(&message)?;",
};

pub(super) const LAST_WORDS: Sketch = Sketch {
    name: "last-words",
    python: "\
sock.shutdown(socket.SHUT_WR)         # says that nothing more will come,
sock.settimeout(1)
while sock.recv(4096):                # takes what still does,
    pass
sock.close()                          # and closes with nothing unread",
    rust: "\
stream.shutdown(Shutdown::Write)?;    // says that nothing more will come,
stream.set_read_timeout(Some(Duration::from_secs(1)))?;
while stream.read(&mut scratch)? > 0 {}   // takes what still does, and is dropped",
};

pub(super) const ID: Sketch = Sketch {
    name: "id",
    python: "\
id, length = struct.unpack('>IH', header)
answer = handle(read_exactly(sock, length))
sock.sendall(struct.pack('>IH', id, len(answer)) + answer)",
    rust: "\
let Request { id, body } = read_request(&mut stream)?;
let reply = Reply { id, body: handle(body) };
queue.send(reply)?;",
};

pub(super) const CHECKSUM: Sketch = Sketch {
    name: "compare-checksums",
    python: "\
body = read_exactly(sock, length)
found, = struct.unpack('<I', read_exactly(sock, 4))
if found != zlib.crc32(header + body):    # all that it covers, and before anything else
    sock.close()
    return",
    rust: "\
let mut digest = CRC.digest();
digest.update(&header);               // all that it covers, and before anything else
digest.update(&body);
if u32::from_le_bytes(found) != digest.finalize() {
    return Err(Malformed);            // and the caller closes
}",
};

pub(super) const DATAGRAM: Sketch = Sketch {
    name: "one-datagram-one-frame",
    python: "\
while True:
    datagram, sender = sock.recvfrom(65535)
    if len(datagram) < 4 or len(datagram) != 4 + int.from_bytes(datagram[:4], 'big'):
        continue                      # no frame: nothing of it is kept
    sock.sendto(reply_to(datagram[4:]), sender)",
    rust: "\
let mut room = [0; 65_535];
loop {
    let (octets, sender) = socket.recv_from(&mut room)?;
    // Nothing of what is no frame is kept.
    if let Some(body) = whole_frame(&room[..octets]) {
        socket.send_to(&reply_to(body), sender)?;
    }
}",
};

pub(super) const INDEX: Sketch = Sketch {
    name: "compare-indexes",
    python: "\
payload = b''
for number in range(FIRST, FIRST + -(-length // CHUNK)):
    index, = struct.unpack('<I', read_exactly(sock, 4))
    if index != number:               # counted anew in each frame
        sock.close()
        return
    payload += read_exactly(sock, CHUNK)
payload = payload[:length]            # the last chunk is padded",
    rust: "\
for (number, chunk) in (FIRST..).zip(body.chunks(4 + CHUNK)) {
    let (index, octets) = chunk.split_first_chunk().ok_or(Malformed)?;
    if u32::from_le_bytes(*index) != number {
        return Err(Malformed);        // and the caller closes
    }
    payload.extend(octets);
}
payload.truncate(length);             // the last chunk is padded",
};

pub(super) const PUT_INDEX: Sketch = Sketch {
    name: "put-indexes",
    python: "\
frame = struct.pack('>I', len(payload))
for number, at in enumerate(range(0, len(payload), CHUNK), FIRST):
    chunk = payload[at:at + CHUNK]
    frame += struct.pack('<I', number) + chunk.ljust(CHUNK, b'\\0')
sock.sendall(frame)",
    rust: "\
let mut frame = u32::try_from(payload.len())?.to_be_bytes().to_vec();
for (number, chunk) in (FIRST..).zip(payload.chunks(CHUNK)) {
    frame.extend(u32::to_le_bytes(number));
    frame.extend(chunk);
    frame.resize(frame.len() + CHUNK - chunk.len(), 0);
}
stream.write_all(&frame)?;",
};
