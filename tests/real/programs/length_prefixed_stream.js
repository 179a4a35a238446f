// length-prefixed-stream as a server that echoes: `node length_prefixed_stream.js PORT`.
const net = require("net");
const frames = require("length-prefixed-stream");

net.createServer((socket) => {
  const decoder = frames.decode();
  decoder.on("error", () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.pipe(decoder).pipe(frames.encode()).pipe(socket);
}).listen(Number(process.argv[2]), "127.0.0.1");
