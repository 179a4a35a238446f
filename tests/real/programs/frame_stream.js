// frame-stream as a server that echoes: `node frame_stream.js PORT`.
const net = require("net");
const frames = require("frame-stream");

net.createServer((socket) => {
  const decoder = frames.decode({ maxSize: 1 << 20 });
  decoder.on("error", () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.pipe(decoder).pipe(frames.encode()).pipe(socket);
}).listen(Number(process.argv[2]), "127.0.0.1");
