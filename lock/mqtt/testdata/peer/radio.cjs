// A radio for Zigbee2MQTT whose air is a TCP connection to the test (127.0.0.1, port AIR_PORT), one JSON object a line. Preloaded
// into Zigbee2MQTT, it takes the place of its USB stick's driver; all above it is Zigbee2MQTT's own: interview, binding, converters.
//
// To the air: {id, to, cluster, command, attributes}: a device is to hear this. From the air: {id, heard, values}: it did, or not;
// or by itself {from, report: {cluster, attribute, type, value}}, {from, operation: {code, source, user}}, {from, zone}, {join: true}.
// What only belongs to a device's description is answered here, of a device that hears.
'use strict';
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const herdsman = path.join(process.env.PEER_MODULES, 'zigbee-herdsman/dist');
const { Adapter } = require(path.join(herdsman, 'adapter/adapter.js'));
const Zcl = require(path.join(herdsman, 'zspec/zcl/index.js'));
const Zdo = require(path.join(herdsman, 'zspec/zdo/index.js'));

const BASIC = 0, POWER = 1, ZONE = 1280, LOCK = 257;
const { CHAR_STR, ENUM8, ENUM16, UINT8, BITMAP16, IEEE_ADDR } = Zcl.DataType;
const COORDINATOR = '0x00124b0000000001';
const text = (make, model) => ({ [`${BASIC}/4`]: [CHAR_STR, make], [`${BASIC}/5`]: [CHAR_STR, model], [`${BASIC}/7`]: [ENUM8, 3], [`${BASIC}/0`]: [UINT8, 3], [`${POWER}/33`]: [UINT8, 180] });
const zone = (type) => ({ [`${ZONE}/0`]: [ENUM8, 0], [`${ZONE}/1`]: [ENUM16, type], [`${ZONE}/2`]: [BITMAP16, 0], [`${ZONE}/16`]: [IEEE_ADDR, COORDINATOR] });

// A Danalock V3, a SONOFF SNZB-04 on the door, a HEIMAN smoke sensor.
const devices = [
  { nwk: 0x1001, ieee: '0x000b57fffe100001', router: true, maker: 4660, id: 10, clusters: [BASIC, POWER, 3, LOCK], values: { ...text('danalock', 'V3-BTZB'), [`${LOCK}/0`]: [ENUM8, 1] } },
  { nwk: 0x1002, ieee: '0x00124b0023000002', maker: 4742, id: 1026, clusters: [BASIC, POWER, 3, ZONE], values: { ...text('eWeLink', 'DS01'), ...zone(21) } },
  { nwk: 0x1003, ieee: '0x00124b0023000003', maker: 4619, id: 1026, clusters: [BASIC, POWER, 3, ZONE], values: { ...text('HEIMAN', 'SmokeSensor-EM'), ...zone(40) } },
];

const air = net.connect(+process.env.AIR_PORT, '127.0.0.1');
air.on('close', () => process.exit(1));
air.on('error', () => process.exit(1));
const waiting = new Map();
let radio, ids = 0, sequence = 0;
const ask = (to, cluster, command, attributes) => new Promise((resolve) => {
  waiting.set(++ids, resolve);
  air.write(JSON.stringify({ id: ids, to, cluster, command, attributes }) + '\n');
});
readline.createInterface({ input: air }).on('line', (line) => {
  const m = JSON.parse(line);
  if (m.id) { waiting.get(m.id)(m); waiting.delete(m.id); return; }
  if (!radio) return;
  if (m.join) { for (const d of devices) radio.emit('deviceJoined', { networkAddress: d.nwk, ieeeAddr: d.ieee }); return; }
  const d = devices.find((x) => x.ieee === m.from);
  sequence = sequence % 250 + 1;
  const up = (type, command, cluster, payload) => radio.emit('zclPayload', radio.wrap(d, Zcl.Frame.create(type, 1, true, undefined, sequence, command, cluster, payload, {}, 0)));
  if (m.report) up(0, 'report', m.report.cluster, [{ attrId: m.report.attribute, dataType: { enum8: ENUM8, uint8: UINT8 }[m.report.type], attrData: m.report.value }]);
  if (m.operation) up(1, 'operationEventNotification', 'closuresDoorLock', { opereventcode: m.operation.code, opereventsrc: m.operation.source, userid: m.operation.user, pin: '', zigbeelocaltime: 0, data: '' });
  if (m.zone !== undefined) up(1, 'statusChangeNotification', 'ssIasZone', { zonestatus: m.zone, extendedstatus: 0, zoneID: 0, delay: 0 });
});

// What a stick's driver says when a device did not acknowledge.
const unheard = () => new Error("Data request failed with error: 'MAC no ack' (0xe9)");

class Radio extends Adapter {
  constructor(...args) { super(...args); this.hasZdoMessageOverhead = false; radio = this; }
  async start() { return 'resumed'; }
  async stop() {}
  async reset() {}
  async supportsBackup() { return false; }
  async backup() { throw new Error('none'); }
  async addInstallCode() {}
  async permitJoin() {}
  async getCoordinatorIEEE() { return COORDINATOR; }
  async getCoordinatorVersion() { return { type: 'virtual', meta: { revision: '1' } }; }
  async getNetworkParameters() {
    const n = this.networkOptions;
    return { panID: n.panID, extendedPanID: '0x' + Buffer.from(n.extendedPanID).toString('hex'), channel: n.channelList[0], nwkUpdateID: 0 };
  }
  // Nobody is waited for: all that is asked is answered by what sendZclFrameToEndpoint returns.
  waitFor() { return { promise: new Promise(() => {}), cancel() {} }; }
  async sendZdo(ieee, nwk, cluster) {
    const C = Zdo.ClusterId;
    if (nwk === 0) {
      switch (cluster) {
        case C.ACTIVE_ENDPOINTS_REQUEST: return [0, { nwkAddress: 0, endpointList: [1] }];
        case C.SIMPLE_DESCRIPTOR_REQUEST: return [0, { nwkAddress: 0, length: 8, endpoint: 1, profileId: 260, deviceId: 5, deviceVersion: 0, inClusterList: [0, 3, 6, 10, 25, 1281], outClusterList: [1, 32, ZONE, 1282, LOCK] }];
        case C.NODE_DESCRIPTOR_REQUEST: return [0, { nwkAddress: 0, logicalType: 0, manufacturerCode: 4151, capabilities: {}, serverMask: {} }];
        default: return [0, undefined];
      }
    }
    const d = devices.find((x) => x.nwk === nwk);
    if (!d || !(await ask(d.ieee, 0, 'describe')).heard) throw new Error(`ZDO ${C[cluster]} to ${nwk}: delivery failed`);
    switch (cluster) {
      case C.NODE_DESCRIPTOR_REQUEST: return [0, {
        nwkAddress: nwk, logicalType: d.router ? 1 : 2, fragmentationSupported: false, apsFlags: 0, frequencyBand: 8, manufacturerCode: d.maker, maxBufSize: 82, maxIncTxSize: 82, maxOutTxSize: 82, deprecated1: 0, tlvs: [],
        capabilities: { alternatePANCoordinator: 0, deviceType: d.router ? 1 : 0, powerSource: 0, rxOnWhenIdle: d.router ? 1 : 0, reserved1: 0, reserved2: 0, securityCapability: 0, allocateAddress: 1 },
        serverMask: { primaryTrustCenter: 0, stackComplianceRevision: 22 },
      }];
      case C.ACTIVE_ENDPOINTS_REQUEST: return [0, { nwkAddress: nwk, endpointList: [1] }];
      case C.SIMPLE_DESCRIPTOR_REQUEST: return [0, { nwkAddress: nwk, length: 20, endpoint: 1, profileId: 260, deviceId: d.id, deviceVersion: 1, inClusterList: d.clusters, outClusterList: [3, 25] }];
      default: return [0, { nwkAddress: nwk }];
    }
  }
  wrap(d, frame) {
    return { clusterID: frame.cluster.ID, address: d.nwk, header: frame.header, data: frame.toBuffer(), endpoint: 1, linkquality: 120, groupID: 0, wasBroadcast: false, destinationEndpoint: 1 };
  }
  async sendZclFrameToEndpoint(ieee, nwk, endpoint, frame, timeout, quiet) {
    const d = devices.find((x) => x.nwk === nwk);
    if (!d) throw unheard();
    const { cluster, command, payload } = frame;
    const said = await ask(d.ieee, cluster.ID, command.name, command.name === 'read' ? payload.map((a) => a.attrId) : undefined);
    if (!said.heard) throw unheard();
    const answer = (type, name, body) => Zcl.Frame.create(type, 1, true, undefined, frame.header.transactionSequenceNumber, name, cluster.name, body, {}, 0);
    let reply;
    if (command.name === 'read') {
      reply = answer(0, 'readRsp', payload.map(({ attrId }) => {
        const v = d.values[`${cluster.ID}/${attrId}`];
        return v ? { attrId, status: 0, dataType: v[0], attrData: said.values?.[attrId] ?? v[1] } : { attrId, status: 134 };
      }));
    } else if (command.name === 'configReport') reply = answer(0, 'configReportRsp', [{ status: 0 }]);
    else if (command.name === 'write') reply = answer(0, 'writeRsp', [{ status: 0 }]);
    else if (command.name === 'lockDoor' || command.name === 'unlockDoor') reply = answer(1, command.name + 'Rsp', { status: 0 });
    else if (!quiet) reply = answer(0, 'defaultRsp', { cmdId: command.ID, statusCode: 0 });
    if (command.name === 'enrollRsp') d.values[`${ZONE}/0`][1] = 1;
    if (!reply) return undefined;
    const wrapped = this.wrap(d, reply);
    setImmediate(() => this.emit('zclPayload', wrapped));
    return wrapped;
  }
  async sendZclFrameToGroup() {}
  async sendZclFrameToAll() {}
  async setChannelInterPAN() {}
  async sendZclFrameInterPANToIeeeAddr() {}
  async sendZclFrameInterPANBroadcast() { throw new Error('none'); }
  async restoreChannelInterPAN() {}
}
Adapter.create = async (...args) => new Radio(...args);
