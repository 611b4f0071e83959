"""
A list of customers with prepared responses, so that the server is not what is measured.

Run as a program with a number of customers: prints its URL, serves until its standard input ends.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PAGE = 250
FIRST = 1_700_000_000_000


def customer(number: int) -> dict:
    """A customer with the fields that PartnerStack returns."""
    return {
        "key": f"cus_{number:014d}",
        "customer_key": f"account-{number}",
        "email": f"owner{number}@example.com",
        "name": f"Customer {number}",
        "partner_key": f"partner{number % 500}",
        "partnership_key": f"part_{number % 500:014d}",
        "provider_key": f"cus_stripe{number}",
        "source_type": "link",
        "source_key": f"link{number % 900}",
        "test": True,
        "meta": {},
        "mdata": {"plan": "team", "seats": number % 40},
        "field_data": {"plan": "team", "seats": number % 40},
        "fields": [{"label": "Plan", "name": "plan", "value": "team"}],
        "created_at": FIRST + number * 1000,
        "updated_at": FIRST + number * 1000 + 250,
    }


def pages(count: int) -> dict[bytes, bytes]:
    """The whole responses by cursor, newest object first."""
    answers = {}
    cursor = b""
    for first in range(0, count, PAGE):
        items = [customer(count - number) for number in range(first, min(first + PAGE, count))]
        data = {"has_more": first + PAGE < count, "items": items}
        body = json.dumps({"data": data, "message": "Retrieved customers successfully", "status": 200})
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        answers[cursor] = head.encode() + body.encode()
        cursor = items[-1]["key"].encode()
    return answers


async def serve(count: int) -> None:
    answers = pages(count)

    class Connection(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, request: bytes) -> None:
            # A request without a body is small enough to arrive in one piece.
            cursor = request.split(b" ", 2)[1].partition(b"starting_after=")[2].partition(b"&")[0]
            self.transport.write(answers[cursor])

    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def server(count: int) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-m", __name__, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
