"""A client in another language: sends each argument after the address, prints what comes back, then how it ended."""

import asyncio
import sys

import websockets


async def main(address, *messages):
    try:
        async with websockets.connect(address) as socket:
            for message in messages:
                await socket.send(message)
                print(await socket.recv(), flush=True)
    except websockets.ConnectionClosed as closed:
        print(closed.rcvd.code, closed.rcvd.reason, flush=True)


asyncio.run(main(*sys.argv[1:]))
