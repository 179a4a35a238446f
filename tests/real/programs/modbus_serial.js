// A device of modbus-serial: `node modbus_serial.js PORT`.
const { ServerTCP } = require("modbus-serial");

const vector = { getHoldingRegister: (address) => address };
const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(process.argv[2]), unitID: 1 });
server.on("socketError", () => {});
server.on("serverError", () => {});
server.on("error", () => {});
