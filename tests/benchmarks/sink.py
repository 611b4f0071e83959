"""
A PartnerStack that accepts everything after a fixed time, so that the server is not what is measured.

Run as a program with the milliseconds: prints its URL, serves until its standard input ends.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            sent = json.loads(await reader.readexactly(length) or b"{}")
            await asyncio.sleep(seconds)
            created = {"key": "cus_1", **sent, "test": True, "updated_at": 1_700_000_000_000}
            body = json.dumps({"data": created, "message": "ok", "status": 200}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(seconds: float) -> None:
    server = await asyncio.start_server(lambda r, w: answer(r, w, seconds), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def sink(milliseconds: int) -> Iterator[str]:
    """The URL of a sink in a process of its own."""
    command = [sys.executable, "-m", __name__, str(milliseconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) / 1000))
