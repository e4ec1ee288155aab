// A house for zwave-js's virtual stick: node 2 is a lock, node 3 a contact on the door, node 4 a smoke and CO sensor. The lock has
// a bolt whose truth is apart from what it says. Hands on it: HTTP on 127.0.0.1, port HOUSE_PORT, see `hands`.
'use strict';
const http = require('node:http');
const path = require('node:path');
const { createRequire } = require('node:module');
const need = createRequire(path.join(process.env.HOUSE_MODULES, 'house.cjs'));
const { CommandClasses, Duration } = need('@zwave-js/core');
const CC = need('@zwave-js/cc');
const { FunctionType, Message, MessageType } = need('@zwave-js/serial');
const { Bytes } = need('@zwave-js/shared');
const { createMockZWaveRequestFrame, ccCaps, getDefaultMockControllerCapabilities, getDefaultSupportedFunctionTypes } = need('@zwave-js/testing');

const LOCK = 2, CONTACT = 3, SMOKE = 4;
const ACCESS = 6, MANUAL_LOCK = 1, MANUAL_UNLOCK = 2, RF_LOCK = 3, RF_UNLOCK = 4, JAMMED = 11, OPEN = 22, CLOSED = 23;
const MODE = { thrown: 255, drawn: 0, jammed: 254, moving: 254 };
const travel = +(process.env.HOUSE_TRAVEL || 200);
const now = () => performance.timeOrigin + performance.now();

const fresh = () => ({ bolt: 'thrown', from: 'thrown', target: 'thrown', open: false, lie: 'honest', lateBy: 0, mute: false, battery: 88, wire: [], gets: 0, run: 0 });
let house = fresh();
let stick, nodes;

// A server that is killed resets its cable, of which the virtual stick would die.
process.on('uncaughtException', (e) => {
  console.log('stick: ' + e.stack);
  if (e.code !== 'ECONNRESET' && e.code !== 'EPIPE') process.exit(1);
});

// The stick's TCP stream comes in pieces of any size; the virtual controller wants one frame at a time.
let waiting = Buffer.alloc(0);
const reframe = {
  onHostData(controller, data) {
    waiting = Buffer.concat([waiting, Buffer.from(data)]);
    for (;;) {
      if (!waiting.length) break;
      const head = waiting[0];
      if (head === 0x06 || head === 0x15 || head === 0x18) {
        waiting = waiting.subarray(1);
        void controller.serialOnData(head);
        continue;
      }
      if (head !== 0x01) { waiting = waiting.subarray(1); continue; }
      if (waiting.length < 2 || waiting.length < waiting[1] + 2) break;
      const frame = waiting.subarray(0, waiting[1] + 2);
      waiting = waiting.subarray(waiting[1] + 2);
      void controller.serialOnData(new Uint8Array(frame));
    }
    return true;
  },
};

// Every real stick answers whether it calls a node failed; the virtual one does not know the question.
const failedNodes = {
  async onHostMessage(controller, message) {
    if (message.functionType !== FunctionType.IsFailedNode) return false;
    await controller.sendMessageToHost(new Message({ type: MessageType.Response, functionType: FunctionType.IsFailedNode, payload: Bytes.from([0]) }));
    return true;
  },
};

const node = (id) => nodes.find((n) => n.id === id);
const say = (id, cc) => node(id).sendToController(createMockZWaveRequestFrame(cc, { ackRequested: false }));
const notify = (id, type, event, parameters) =>
  say(id, new CC.NotificationCCReport({ nodeId: 1, notificationType: type, notificationEvent: event, eventParameters: parameters }));

const operation = (bolt, target) => new CC.DoorLockCCOperationReport({
  nodeId: 1,
  currentMode: MODE[bolt],
  targetMode: MODE[target],
  duration: new Duration(0, 'seconds'),
  outsideHandlesCanOpenDoor: [true, false, false, false],
  insideHandlesCanOpenDoor: [true, false, false, false],
  boltStatus: bolt === 'thrown' ? 'locked' : 'unlocked',
  latchStatus: 'closed',
  doorStatus: house.open ? 'open' : 'closed',
});
const report = () => operation(house.bolt === 'moving' ? house.from : house.bolt, house.target);

// drive runs the motor; a newer movement overtakes an older one.
function drive(to, lie, after) {
  const mine = ++house.run, its = house;
  setTimeout(() => {
    if (its !== house || mine !== house.run) return;
    if (house.bolt !== 'moving') house.from = house.bolt;
    house.bolt = 'moving';
    house.target = to;
    setTimeout(() => {
      if (its !== house || mine !== house.run) return;
      house.bolt = to === 'thrown' && lie === 'jammed' ? 'jammed' : to;
      if (lie === 'done-not-acked') return;
      void say(LOCK, report());
      void notify(LOCK, ACCESS, house.bolt === 'jammed' ? JAMMED : to === 'thrown' ? RF_LOCK : RF_UNLOCK);
    }, travel);
  }, after);
}

function command(mode) {
  const to = mode === MODE.thrown ? 'thrown' : 'drawn', lie = house.lie;
  house.wire.push({ at: now(), unlock: to === 'drawn' });
  switch (lie) {
    case 'failed': return { action: 'fail' };
    case 'acked-not-done': break;
    case 'late': drive(to, lie, house.lateBy); break;
    case 'twice': {
      drive(to, lie, 0);
      const its = house;
      setTimeout(() => { if (its === house) drive(to, lie, 0); }, house.lateBy);
      break;
    }
    default: drive(to, lie, 0);
  }
  return lie === 'done-not-acked' ? { action: 'stop' } : { action: 'ok' };
}

const lock = {
  handleCC(controller, self, cc) {
    if (house.deaf) return { action: 'stop' };
    if (cc instanceof CC.DoorLockCCOperationSet) return command(cc.mode);
    if (cc instanceof CC.DoorLockCCOperationGet) {
      house.gets++;
      if (house.mute || house.lie === 'done-not-acked') return { action: 'stop' };
      return { action: 'sendCC', cc: report() };
    }
    if (cc instanceof CC.BatteryCCGet) {
      return { action: 'sendCC', cc: new CC.BatteryCCReport({ nodeId: controller.ownNodeId, level: house.battery, isLow: house.battery < 20 }) };
    }
  },
};

const hands = {
  '/reset': () => { house = fresh(); node(LOCK).autoAckControllerFrames = true; },
  // A server that was killed left things half said on the stick's cable; the next one finds it clean, as USB leaves it.
  '/cable': () => {
    waiting = Buffer.alloc(0);
    for (const e of stick.expectedHostACKs.splice(0)) e.resolve();
  },
  '/truth': () => ({ bolt: house.bolt, door: house.open ? 'open' : 'closed', gets: house.gets }),
  '/wire': () => house.wire,
  // A hand at the knob inside.
  '/hand': async ({ to }) => {
    house.run++;
    house.bolt = house.target = to;
    await notify(LOCK, ACCESS, to === 'thrown' ? MANUAL_LOCK : MANUAL_UNLOCK);
    await say(LOCK, report());
  },
  '/door': async ({ open }) => {
    house.open = open === '1';
    await notify(CONTACT, ACCESS, house.open ? OPEN : CLOSED);
  },
  '/battery': async ({ percent }) => {
    house.battery = +percent;
    await say(LOCK, new CC.BatteryCCReport({ nodeId: 1, level: +percent, isLow: +percent < 20 }));
  },
  '/lie': ({ kind, late }) => { house.lie = kind; house.lateBy = +late || 0; },
  // What the lock says, true or not: it stays in the server's memory.
  '/plant': async ({ bolt }) => { await say(LOCK, operation(bolt, bolt)); },
  '/notify': async ({ node: id, type, event, user }) => {
    await notify(+id, +type, +event, user ? Buffer.from([+user]) : undefined);
  },
  // A lock out of reach: nothing is acknowledged, nothing done. With on=next it goes out of reach just before its next command.
  '/deaf': ({ on }) => {
    house.deafen = on === 'next';
    house.deaf = on === '1';
    node(LOCK).autoAckControllerFrames = !house.deaf;
  },
  // A lock that hears and does not answer questions.
  '/mute': ({ on }) => { house.mute = on === '1'; },
};

const notification = (types) => ccCaps({ ccId: CommandClasses.Notification, version: 8, isSupported: true, supportsV1Alarm: false, notificationTypesAndEvents: types });
const plain = [CommandClasses.Version, CommandClasses['Manufacturer Specific']];

exports.default = {
  controller: {
    behaviors: [reframe, failedNodes],
    capabilities: { ...getDefaultMockControllerCapabilities(), supportedFunctionTypes: [...getDefaultSupportedFunctionTypes(), FunctionType.IsFailedNode] },
  },
  nodes: [
    {
      id: LOCK,
      capabilities: {
        genericDeviceClass: 0x40, specificDeviceClass: 0x03,
        commandClasses: [
          ...plain,
          ccCaps({ ccId: CommandClasses['Door Lock'], version: 4, isSupported: true, supportedOperationTypes: [1], supportedDoorLockModes: [0, 255], latchSupported: false }),
          { ccId: CommandClasses.Supervision, version: 1, isSupported: true },
          { ccId: CommandClasses.Battery, version: 1, isSupported: true },
          notification({ [ACCESS]: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11] }),
        ],
      },
      behaviors: [lock],
    },
    { id: CONTACT, capabilities: { genericDeviceClass: 0x07, specificDeviceClass: 0x01, commandClasses: [...plain, notification({ [ACCESS]: [OPEN, CLOSED] })] } },
    { id: SMOKE, capabilities: { genericDeviceClass: 0x07, specificDeviceClass: 0x01, commandClasses: [...plain, notification({ 1: [1, 2], 2: [1, 2] })] } },
  ],
  onInit(controller, all) {
    stick = controller;
    nodes = all;
    // The virtual stick is stuck for good when the server's machine is too busy to acknowledge a frame within a second. A real one goes on.
    const acknowledged = controller.expectHostACK.bind(controller);
    controller.expectHostACK = (_, message) => acknowledged(3000, message).catch((e) => console.log('stick: ' + e.message));
    const hear = node(LOCK).onControllerFrame.bind(node(LOCK));
    node(LOCK).onControllerFrame = (frame) => {
      const cc = frame.payload && frame.payload.encapsulated || frame.payload;
      if (house.deafen && cc instanceof CC.DoorLockCCOperationSet) {
        house.deafen = false;
        house.deaf = true;
        node(LOCK).autoAckControllerFrames = false;
      }
      return hear(frame);
    };
    http.createServer(async (request, response) => {
      const url = new URL(request.url, 'http://house');
      const hand = hands[url.pathname];
      try {
        if (!hand) { response.statusCode = 404; response.end(); return; }
        const said = await hand(Object.fromEntries(url.searchParams));
        response.end(JSON.stringify(said ?? {}));
      } catch (e) {
        response.statusCode = 500;
        response.end(String(e.stack));
      }
    }).listen(+process.env.HOUSE_PORT, '127.0.0.1', () => console.log('house is open'));
  },
};
