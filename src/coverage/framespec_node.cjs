// Counts which ways a program for Node.js takes through its own code, in a file that the fuzzer reads, and notes the words it
// knows. The inspector counts; what it has counted is put into the file whenever the fuzzer asks, by an octet on a connection.
//
// A block is a place of the file. V8 tells of a block only where it ran less or more often than what is around it, so those
// that were ever told of are kept, and each has the count of the narrowest one that is told of now. What Node.js is made of is left out.

"use strict";

const fs = require("fs");
const path = require("path");
const url = require("url");

const FOLDER = __dirname;
const HERE = [__filename, url.pathToFileURL(__filename).href];
const COUNTERS = 1 << 16;

const TEXT = (quote) => new RegExp(`(?<${quote}>["'\`])((?:\\\\.|(?!\\k<${quote}>)[^\\\\\\n])*)\\k<${quote}>`).source;
const NUMBER = /(?<![\w$.])(0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?)(?![\w$.])/.source;

// Comments, names of modules, and what a name or a field is only set to are passed over. Words are texts; fields that something is
// done with, but for calling them, unless an object has them of its own; names taken out of an object; numbers.
const WORDS = new RegExp(
  [
    /\/\/[^\n]*|\/\*[^]*?\*\/|\b(?:from|import|require)\s*\(?\s*["'][^"'\n]*["']/.source,
    `(?:[^=!<>]=|:)\\s*(?:${TEXT("set")}|${NUMBER})`,
    TEXT("text"),
    /(?<!\bthis)\.\s*(?!length\b)([A-Za-z_$][\w$]*)(?=\s*(?:[=!]==?|[<>)\]};,?&|]))/.source,
    /[{,]\s*([A-Za-z_$][\w$]*)(?=[\w$\s,=:]*\}\s*(?:=[^=>]|\)\s*(?:=>|\{)))/.source,
    NUMBER,
  ].join("|"),
  "g",
);

function tell(name, value) {
  fs.appendFileSync(path.join(FOLDER, name), JSON.stringify(value) + "\n");
}

/** What is known of a file with code: the blocks of its functions, its text, and which of it was searched for words. */
class Source {
  constructor(name) {
    this.name = name;
    this.blocks = new Map();
    this.searched = new Set();
    this.text = readText(name);
  }

  /** Notes what a function's blocks have been told of, and counts those that ran. */
  count({ ranges }, counts) {
    const key = `${ranges[0].startOffset}:${ranges[0].endOffset}`;
    const known = this.blocks.get(key) || this.blocks.set(key, new Map()).get(key);
    for (const { startOffset, endOffset } of ranges) {
      const block = `${startOffset}:${endOffset}`;
      if (!known.has(block)) {
        known.set(block, { startOffset, endOffset, place: placeOf(`${this.name}:${block}`) });
      }
    }
    for (const block of known.values()) {
      const times = narrowest(ranges, block).count;
      if (times > 0) {
        counts.set(block.place, (counts.get(block.place) || 0) + times);
      }
    }
  }

  /** The words of a function that has run, without those of functions in it. */
  words({ ranges: [{ startOffset, endOffset }] }, functions) {
    if (this.searched.has(`${startOffset}:${endOffset}`)) {
      return [];
    }
    this.searched.add(`${startOffset}:${endOffset}`);
    const inner = functions.map((one) => one.ranges[0]);
    const within = inner.filter((one) => one.startOffset >= startOffset && one.endOffset <= endOffset);
    let text = this.text.slice(startOffset, endOffset);
    for (const one of within.filter((one) => one.endOffset - one.startOffset < endOffset - startOffset)) {
      const [from, to] = [one.startOffset - startOffset, one.endOffset - startOffset];
      text = text.slice(0, from) + " ".repeat(to - from) + text.slice(to);
    }
    return wordsIn(text);
  }
}

function readText(name) {
  try {
    return fs.readFileSync(name.startsWith("file:") ? url.fileURLToPath(name) : name, "utf8");
  } catch {
    return "";
  }
}

function wordsIn(text) {
  const words = [];
  for (const [, , , , , quoted, field, taken, number] of text.matchAll(WORDS)) {
    const word = number === undefined ? quoted || field || taken : Number(number.replace(/_/g, ""));
    if (typeof word === "number" ? Number.isSafeInteger(word) : /^(?!.*\$\{)[ -[\]-~]{1,40}$/.test(word || "")) {
      words.push(word);
    }
  }
  return words;
}

/** The count of a block is that of the narrowest one around it. These stand in order, what is inside behind what is around it. */
function narrowest(ranges, { startOffset, endOffset }) {
  let found = ranges[0];
  for (const one of ranges) {
    if (one.startOffset <= startOffset && one.endOffset >= endOffset) {
      found = one;
    }
  }
  return found;
}

/** The same number for the same text whenever the program is started. */
function placeOf(text) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & (COUNTERS - 1);
}

class Tracer {
  constructor(session) {
    this.session = session;
    this.sources = new Map();
    this.told = new Set();
    this.map = fs.openSync(path.join(FOLDER, "map"), "r+");
    this.isStarting = true;
  }

  /** Puts what ran since the last time into the file. */
  take() {
    this.session.post("Profiler.takePreciseCoverage", (error, coverage) => {
      if (error) {
        return;
      }
      const counts = new Map();
      coverage.result.filter(isOwn).forEach((script) => this.takeScript(script, counts));
      counts.forEach((times, place) => this.add(place, times));
      this.isStarting = false;
    });
  }

  /** Alone, since others count in the same file. */
  add(place, times) {
    const counter = Buffer.alloc(1);
    fs.readSync(this.map, counter, 0, 1, place);
    counter[0] += times;
    fs.writeSync(this.map, counter, 0, 1, place);
  }

  takeScript({ url: name, functions }, counts) {
    const source = this.sources.get(name) || this.sources.set(name, new Source(name)).get(name);
    for (const one of functions.filter(({ ranges }) => ranges[0].count > 0)) {
      source.count(one, counts);
      if (this.isStarting && one.ranges[0].startOffset > 0) {
        continue; // It says more about options than about clients, unless it runs again.
      }
      const words = source.words(one, functions).filter((word) => !this.told.has(word));
      words.forEach((word) => this.told.has(word) || (this.told.add(word), tell("words", word)));
    }
  }
}

function isOwn({ url: name }) {
  return (name.startsWith("file:") || path.isAbsolute(name)) && !HERE.includes(name);
}

/** Answers each octet with one, once what ran before is in the file. Nothing here keeps the program from ending. */
function serve(tracer) {
  const server = require("net").createServer((socket) => {
    socket.unref().on("error", () => {});
    socket.on("data", (octets) => {
      tracer.take();
      socket.write(octets);
    });
  });
  // A worker of a cluster must not share it with the others.
  server.listen({ host: "127.0.0.1", port: 0, exclusive: true }, () => tell("asked", server.address().port));
  server.unref();
}

function begin() {
  const { Session } = require("inspector");
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const tracer = new Tracer(session);
  serve(tracer);
  process.on("exit", () => tracer.take());
  tell("attached", { how: `blocks, Node.js ${process.versions.node}` });
}

try {
  begin();
} catch (error) {
  // Whatever goes wrong here is no fault of the server.
  try {
    tell("attached", { failed: String(error) });
  } catch {
    // There is nobody to be told.
  }
}
