// A device of jsmodbus: `node jsmodbus.js PORT`.
const net = require("net");
const { server } = require("jsmodbus");

const listener = new net.Server();
new server.TCP(listener, { holding: Buffer.alloc(1000) });
listener.on("connection", (socket) => socket.on("error", () => socket.destroy()));
listener.listen(Number(process.argv[2]), "127.0.0.1");
