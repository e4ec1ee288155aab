// Preloaded into both programs of the peer. They speak to nobody but this machine: service discovery by mDNS, which the virtual
// stick cannot be told to leave out, is replaced by nothing. They end when their standard input does, with the test that started
// them, however it ended.
'use strict';
const Module = require('node:module');
const load = Module._load;
const nobody = { advertise: async () => {}, end: async () => {}, destroy: async () => {}, on: () => {} };
const responder = { createService: () => nobody, shutdown: async () => {} };
Module._load = function (name, ...rest) {
  if (name === '@homebridge/ciao') return { getResponder: () => responder };
  return load.call(this, name, ...rest);
};
process.stdin.on('end', () => process.exit(0)).resume();
