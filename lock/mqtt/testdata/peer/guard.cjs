// Preloaded into Zigbee2MQTT: it speaks to nobody but this machine, and ends when its standard input does, with the test that
// started it, however that ended.
'use strict';
const net = require('node:net');
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = options && typeof options === 'object' ? options.host : args[1];
  if (host && host !== '127.0.0.1' && host !== 'localhost') throw new Error(`guard: no connection to ${host}`);
  return connect.apply(this, args);
};
process.stdin.on('end', () => process.exit(0)).resume();
