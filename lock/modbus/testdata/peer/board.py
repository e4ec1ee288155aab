"""A relay board: the Modbus TCP server of pymodbus. What its inputs read and what its outputs move is the test's house, which it asks
over a line of its own, for each request. Arguments: the port to listen on, the house's port. It ends with its standard input."""

import asyncio
import struct
import sys

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteSingleCoilResponse,
)
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

house = None


class House:
    """The line to the house: a question a line, an answer a line, in order."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.turn = reader, writer, asyncio.Lock()

    async def ask(self, question):
        async with self.turn:
            self.writer.write((question + "\n").encode())
            answer = (await self.reader.readline()).decode().split()
        if not answer:
            sys.exit("the house is gone")
        return answer


async def bits(request, response):
    word, *rest = await house.ask(f"read {request.function_code} {request.address} {request.count}")
    if word == "exception":
        return ExceptionResponse(request.function_code, ExcCodes(int(rest[0])))
    if word == "mute":
        return None
    return response(dev_id=request.dev_id, transaction_id=request.transaction_id, bits=[b == "1" for b in rest[0]])


class Coils(ReadCoilsRequest):
    async def datastore_update(self, context, device_id):
        return await bits(self, ReadCoilsResponse)


class Inputs(ReadDiscreteInputsRequest):
    async def datastore_update(self, context, device_id):
        return await bits(self, ReadDiscreteInputsResponse)


class Echo(WriteSingleCoilResponse):
    """Carries any value back: a pulse's length is neither on nor off."""

    value = 0

    def encode(self):
        return struct.pack(">HH", self.address, self.value)


class Write(WriteSingleCoilResponse):
    value = 0

    def decode(self, data):
        self.address, self.value = struct.unpack(">HH", data[:4])

    async def datastore_update(self, context, device_id):
        word, *rest = await house.ask(f"write {self.address} {self.value}")
        if word == "exception":
            return ExceptionResponse(self.function_code, ExcCodes(int(rest[0])))
        if word == "mute":
            return None
        echo = Echo(address=self.address, dev_id=self.dev_id, transaction_id=self.transaction_id)
        echo.value = self.value
        return echo


class Handler(ServerRequestHandler):
    def callback_connected(self):
        super().callback_connected()
        asyncio.ensure_future(self.plant())

    async def plant(self):
        """What a gateway still owes to somebody is given to the newcomer."""
        answer = await house.ask("hello")
        if len(answer) > 1:
            self.send(bytes.fromhex(answer[1]))


class Server(ModbusTcpServer):
    def callback_new_connection(self):
        return Handler(self, self.trace_packet, self.trace_pdu, self.trace_connect)


async def main(port, at):
    global house
    house = House(*await asyncio.open_connection("127.0.0.1", at))
    nothing = SimDevice(id=1, simdata=SimData(0, count=1, datatype=DataType.REGISTERS))
    server = Server(nothing, address=("127.0.0.1", port), custom_pdu=[Coils, Inputs, Write])
    await server.serve_forever(background=True)
    print("listening", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
