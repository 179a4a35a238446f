#!/usr/bin/env node
// A correct server for Node.js, all clients in one event loop: it answers every message with itself.
//
// It keeps what docs/PROTOCOL.md requires, like correct.py, in a runtime that reads, writes and collects its garbage in
// another way. Node.js 18.3 or newer is enough; there is nothing to install. It takes what the other peers take but --narrow:
// Node.js has no way to make a socket's buffers small before clients come.

import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

// How long a frame may take from its first octet to its last, and a reply to be taken, in milliseconds.
const PATIENCE = 30_000;

// How long a client that has been given up may go on sending before the socket is let go, in milliseconds.
const FAREWELL = 2_000;

// The two wire formats of docs/PROTOCOL.md: a chunk in octets, and the header both ways.
const PROFILES = {
  tutorial: {
    chunk: 60,
    bodyLength: (header) => header.readUInt32BE(),
    header: (length) => uint32((header) => header.writeUInt32BE(length)),
  },
  "chunk-count": {
    chunk: 4,
    bodyLength: (header) => header.readUInt32LE() * 4,
    header: (length) => uint32((header) => header.writeUInt32LE(length / 4)),
  },
};

/** A header that no frame can have. */
class Malformed extends Error {}

/** The client sends no more: between frames, or in the middle of one. */
export class EndOfStream extends Error {}

/** What a client sends, taken by numbers of octets instead of by pieces as they come. */
class Octets {
  constructor(socket) {
    // The replies still have to leave when the client has ended its stream.
    this.pieces = socket.iterator({ destroyOnReturn: false });
    this.piece = Buffer.alloc(0);
  }

  async exactly(length) {
    const taken = [];
    for (let missing = length; missing > 0; ) {
      const octets = await this.some(missing);
      taken.push(octets);
      missing -= octets.length;
    }
    return Buffer.concat(taken);
  }

  /** At least one octet, and no more than so many. */
  async some(most) {
    while (this.piece.length === 0) {
      this.piece = await this.next();
    }
    const octets = this.piece.subarray(0, most);
    this.piece = this.piece.subarray(octets.length);
    return octets;
  }

  async next() {
    const { value, done } = await this.pieces.next();
    if (done) {
      throw new EndOfStream();
    }
    return value;
  }

  /** Reads off whatever still comes. */
  async drain() {
    for (;;) {
      await this.next();
    }
  }
}

export class Client {
  constructor(socket, profile, maxBody) {
    this.socket = socket;
    this.octets = new Octets(socket);
    this.profile = profile;
    this.maxBody = maxBody;
  }

  async serve() {
    try {
      for (;;) {
        await this.send(this.answer(await this.nextPayload()));
      }
    } catch (error) {
      await this.end(error);
    } finally {
      this.socket.destroy();
    }
  }

  answer(payload) {
    try {
      return Buffer.from(JSON.stringify(decode(payload)));
    } catch (error) {
      return Buffer.from(JSON.stringify({ error: `undecodable payload (${error.name})` }));
    }
  }

  async end(error) {
    if (error instanceof EndOfStream) {
      await this.within(FAREWELL, () => this.finish());
    } else if (error instanceof Malformed) {
      await this.within(FAREWELL, () => this.farewell());
    }
    // Else it was reset, or out of patience: nobody is left to tell.
  }

  /** Ends the stream, and is done when all of it has left. */
  async finish() {
    this.socket.end();
    await once(this.socket, "finish");
  }

  /** Ends the stream at once, then reads off what is under way, so that FIN is not overtaken by RST. */
  async farewell() {
    this.socket.end();
    await this.octets.drain();
  }

  async nextPayload() {
    const first = await this.octets.exactly(1);
    return this.within(PATIENCE, async () => this.restOfFrame(first));
  }

  async restOfFrame(first) {
    const header = Buffer.concat([first, await this.octets.exactly(3)]);
    const length = this.profile.bodyLength(header);
    if (length > this.maxBody || length % this.profile.chunk !== 0) {
      throw new Malformed();
    }
    return withoutPadding(await this.octets.exactly(length));
  }

  async send(payload) {
    if (!this.socket.write(framed(payload, this.profile))) {
      await this.within(PATIENCE, () => once(this.socket, "drain"));
    }
  }

  /** Waits for something, and gives the connection up when it takes longer than so many milliseconds. */
  async within(time, something) {
    const timer = setTimeout(() => this.socket.destroy(new Error("out of patience")), time);
    try {
      return await something();
    } finally {
      clearTimeout(timer);
    }
  }
}

function framed(payload, profile) {
  const body = Math.ceil(payload.length / profile.chunk) * profile.chunk;
  return Buffer.concat([profile.header(body), payload], 4 + body);
}

function withoutPadding(body) {
  let end = body.length;
  while (end > 0 && body[end - 1] === 0) {
    end -= 1;
  }
  return body.subarray(0, end);
}

function uint32(write) {
  const header = Buffer.alloc(4);
  write(header);
  return header;
}

/** The value of a payload, as strictly as RFC 8259 reads: a byte order mark is no JSON. */
export function decode(payload) {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload));
}

function serverOf(profile, maxBody, Kind) {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => {}); // Whoever waits for the socket is told, and ends it.
    new Kind(socket, profile, maxBody).serve().catch(() => {});
  });
}

/** Listens, and says where on the first line of standard output. */
function begin(server, host, port) {
  server.listen({ host, port, backlog: 1024 }, () => {
    const { address, family, port } = server.address();
    console.log(family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`);
  });
}

function options() {
  const { values } = parseArgs({
    options: {
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "0" },
      profile: { type: "string", default: "tutorial" },
      "max-body": { type: "string", default: String(1 << 20) },
      "until-eof": { type: "boolean", default: false },
    },
  });
  return values;
}

export function main(Kind = Client) {
  const { host, port, profile, "max-body": maxBody, "until-eof": untilEof } = options();
  if (untilEof) {
    process.stdin.on("end", () => process.exit()).resume();
  }
  begin(serverOf(PROFILES[profile], Number(maxBody), Kind), host, Number(port));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main();
}
