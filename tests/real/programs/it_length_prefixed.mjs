// it-length-prefixed as a server that echoes: `node it_length_prefixed.mjs PORT`.
import net from "node:net";
import { pipeline } from "node:stream/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// An import finds packages beside this file only; a require finds them where NODE_PATH says.
const found = createRequire(import.meta.url).resolve("it-length-prefixed");
const { decode, encode } = await import(pathToFileURL(found));

net.createServer((socket) => {
  const echoed = async function* (source) {
    for await (const frame of encode(decode(source, { maxDataLength: 1 << 20 }))) yield frame.subarray();
  };
  pipeline(socket, echoed, socket).catch(() => socket.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
