// A house for the Matter server: one node of matter.js with a lock (endpoint 1), a contact on its door (2) and a smoke and CO alarm
// (3). The bolt's truth is apart from what is said of it. Hands on it: HTTP on the Unix socket HOUSE_SOCKET, see `hands`.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { createRequire } = require('node:module');
const need = createRequire(path.join(process.env.HOUSE_MODULES, 'house.cjs'));
const { Endpoint, Logger, ServerNode, VendorId } = need('@matter/main');
const { DoorLockDevice } = need('@matter/main/devices/door-lock');
const { ContactSensorDevice } = need('@matter/main/devices/contact-sensor');
const { SmokeCoAlarmDevice } = need('@matter/main/devices/smoke-co-alarm');
const { DoorLockServer } = need('@matter/main/behaviors/door-lock');
const { PowerSourceServer } = need('@matter/main/behaviors/power-source');
const { SmokeCoAlarmServer } = need('@matter/main/behaviors/smoke-co-alarm');
const { DoorLock } = need('@matter/main/clusters/door-lock');
const { PowerSource } = need('@matter/main/clusters/power-source');
const { Status, StatusResponseError } = need('@matter/main/types');
const { ChangeNotificationService } = need('@matter/node');
const { InteractionServerMessenger } = need('@matter/protocol');

Logger.level = process.env.HOUSE_LOG || 'warn';
const STATE = { thrown: 1, drawn: 2, jammed: 0, moving: null };
const LOCK = 0, UNLOCK = 1, MANUAL = 1, REMOTE = 7, JAMMED = 0;
const travel = +(process.env.HOUSE_TRAVEL || 200);
const pin = process.env.HOUSE_PIN || '';
const now = () => performance.timeOrigin + performance.now();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const fresh = () => ({ bolt: 'thrown', open: false, lie: 'honest', lateBy: 0, battery: 88, wire: [], run: 0 });
let house = Object.assign(fresh(), { bolt: process.env.HOUSE_BOLT || 'thrown' });
let lock, contact, smoke;
let mute = false; // what changes now is told nobody who does not ask

// settle says where the bolt is now: to whoever asks, and, if it is not silent, to whoever listens.
async function settle(silent, by, jammed) {
  if (!silent && by !== undefined && house.bolt !== 'jammed')
    await happen('lockOperation', { lockOperationType: house.bolt === 'thrown' ? LOCK : UNLOCK, operationSource: by, userIndex: null, fabricIndex: null, sourceNode: null, credentials: null });
  if (!silent && jammed) await happen('doorLockAlarm', { alarmCode: JAMMED });
  mute = silent;
  try {
    await lock.set({ doorLock: { lockState: STATE[house.bolt] } });
  } finally {
    mute = false;
  }
}

const happen = (name, data) => lock.act((agent) => agent.get(Lock).events[name].emit(data, agent.context));

// drive runs the motor; a newer movement overtakes an older one.
async function drive(to, { silent = false, by, stick = false } = {}) {
  const run = ++house.run;
  house.bolt = 'moving';
  await sleep(travel);
  if (house.run !== run) return;
  house.bolt = stick ? 'jammed' : to;
  await settle(silent, by, stick);
}

const start = (to, how) => void drive(to, how).catch((e) => console.log('house:', e));

async function command(unlock, request) {
  house.wire.push({ at: now(), unlock });
  if (pin && Buffer.from(request.pinCode ?? []).toString() !== pin) throw new StatusResponseError('wrong PIN', Status.Failure);
  const to = unlock ? 'drawn' : 'thrown';
  const { lie, lateBy } = house;
  switch (lie) {
    case 'acked-not-done':
      return;
    case 'done-not-acked':
      start(to, { silent: true });
      return;
    case 'late':
      setTimeout(() => start(to, { by: REMOTE }), lateBy);
      return;
    case 'twice':
      start(to, { by: REMOTE });
      setTimeout(() => start(to, { by: REMOTE }), lateBy);
      return;
    case 'failed':
      throw new StatusResponseError('refused', Status.Failure);
    case 'jammed':
      start(to, { by: REMOTE, stick: !unlock });
      return;
  }
  start(to, { by: REMOTE });
}

const features = ['DoorPositionSensor', ...(pin ? ['PinCredential', 'CredentialOverTheAirAccess'] : [])];
class Lock extends DoorLockServer.with(...features) {
  lockDoor(request) { return command(false, request); }
  unlockDoor(request) { return command(true, request); }
}

// An acknowledgement that is lost.
const { sendInvokeResponse } = InteractionServerMessenger.prototype;
InteractionServerMessenger.prototype.sendInvokeResponse = async function (response) {
  if (house.lie !== 'done-not-acked') await sendInvokeResponse.call(this, response);
};

const hands = {
  '/truth': () => ({ bolt: house.bolt, door: house.open ? 'open' : 'closed' }),
  '/wire': () => house.wire,
  '/lie': ({ kind, late }) => { house.lie = kind; house.lateBy = +late; },
  async '/reset'() {
    house = Object.assign(fresh(), { run: house.run + 1 });
    await settle(false);
    await hands['/door']({ open: '0' });
    await hands['/battery']({ percent: '88' });
    await hands['/smoke']({ smoke: '0', co: '0' });
  },
  async '/hand'({ to }) {
    house.run++;
    house.bolt = to;
    await settle(false, MANUAL);
  },
  async '/door'({ open }) {
    house.open = open === '1';
    await lock.set({ doorLock: { doorState: house.open ? 0 : 1 } });
    await contact.set({ booleanState: { stateValue: !house.open } });
  },
  async '/battery'({ percent }) { await lock.set({ powerSource: { batPercentRemaining: percent * 2 } }); },
  async '/smoke'({ smoke: s, co }) { await smoke.set({ smokeCoAlarm: { smokeState: +s, coState: +co } }); },
  async '/event'({ name, data }) { await happen(name, JSON.parse(data)); },
  // said is told to those who listen, as if it were so; then silence, and the truth to whoever asks.
  async '/said'({ bolt }) { await lock.set({ doorLock: { lockState: STATE[bolt] } }); },
  async '/hush'() { await settle(true); },
};

async function main() {
  const node = await ServerNode.create({
    id: 'house', network: { port: 5540 }, commissioning: { passcode: 20202021, discriminator: 3840 },
    productDescription: { name: 'House', deviceType: DoorLockDevice.deviceType },
    basicInformation: { vendorName: 'ACME', vendorId: VendorId(0xfff1), nodeLabel: 'Front lock', productName: 'Lock', productLabel: 'Lock', productId: 0x8001, serialNumber: 'L1', uniqueId: 'U1' },
  });
  const tell = node.env.get(ChangeNotificationService);
  const loud = tell.broadcastUpdate.bind(tell);
  tell.broadcastUpdate = (...what) => { if (!mute) loud(...what); };
  lock = new Endpoint(DoorLockDevice.with(Lock, PowerSourceServer.with('Battery')), {
    id: 'lock',
    doorLock: {
      lockState: STATE[house.bolt], lockType: DoorLock.LockType.DeadBolt, actuatorEnabled: true, doorState: DoorLock.DoorState.DoorClosed, operatingMode: DoorLock.OperatingMode.Normal,
      ...(pin ? { requirePinForRemoteOperation: true, numberOfPinUsersSupported: 5, maxPinCodeLength: 8, minPinCodeLength: 4, wrongCodeEntryLimit: 5, userCodeTemporaryDisableTime: 5 } : {}),
    },
    powerSource: {
      status: PowerSource.PowerSourceStatus.Active, order: 1, description: 'Battery', batPercentRemaining: 176, batChargeLevel: PowerSource.BatChargeLevel.Ok,
      batReplacementNeeded: false, batReplaceability: PowerSource.BatReplaceability.UserReplaceable,
    },
  });
  contact = new Endpoint(ContactSensorDevice, { id: 'contact', booleanState: { stateValue: true } });
  smoke = new Endpoint(SmokeCoAlarmDevice.with(SmokeCoAlarmServer.with('SmokeAlarm', 'CoAlarm')), { id: 'smoke', smokeCoAlarm: { expiryDate: 2_000_000_000 } });
  for (const e of [lock, contact, smoke]) await node.add(e);
  await lock.set({ doorLock: { lockState: STATE[house.bolt] } }); // what was stored is not where the bolt is
  await node.start();
  const socket = process.env.HOUSE_SOCKET;
  fs.rmSync(socket, { force: true });
  http.createServer(async (q, r) => {
    const u = new URL(q.url, 'http://house');
    try {
      const does = hands[u.pathname];
      if (!does) throw new Error('no such hand: ' + u.pathname);
      r.end(JSON.stringify((await does(Object.fromEntries(u.searchParams))) ?? {}) + '\n');
    } catch (e) {
      r.statusCode = 500;
      r.end(String(e.stack));
    }
  }).listen(socket, () => console.log('house is open', node.state.commissioning.pairingCodes.qrPairingCode));
}

process.stdin.on('end', () => process.exit()).resume(); // it ends when its test does
main().catch((e) => { console.log(e); process.exit(1); });
