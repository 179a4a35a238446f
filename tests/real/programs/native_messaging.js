// chrome-native-messaging as a host that echoes on its standard input and output.
const native = require("chrome-native-messaging");

process.stdin
  .pipe(new native.Input())
  .pipe(new native.Transform((message, push, done) => { push(message); done(); }))
  .pipe(new native.Output())
  .pipe(process.stdout);
