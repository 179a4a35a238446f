// netstring as a server that echoes: `node netstring.js PORT`.
const net = require("net");
const { Stream, nsWrite, nsWriteLength } = require("netstring");

function written(payload) {
  const netstring = Buffer.alloc(nsWriteLength(payload.length));
  nsWrite(payload, 0, payload.length, netstring, 0);
  return netstring;
}

net.createServer((socket) => {
  const netstrings = new Stream(socket);
  netstrings.on("data", (payload) => socket.write(written(payload)));
  netstrings.on("error", () => socket.destroy());
  socket.on("error", () => socket.destroy());
}).listen(Number(process.argv[2]), "127.0.0.1");
