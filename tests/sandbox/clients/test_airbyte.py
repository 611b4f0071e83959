"""
Airbyte's own PartnerStack source, unchanged, reads everything that the sandbox holds.

It runs where it is installed: ``tox run -e airbyte``.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from django_partnerstack.sandbox import TEST_KEYS, Sandbox

pytestmark = pytest.mark.skipif(find_spec("source_partnerstack") is None, reason="needs tox run -e airbyte")

STREAMS = ("customers", "deals", "groups", "leads", "partnerships", "rewards", "transactions")
COUNTS = dict.fromkeys(STREAMS, 521) | {"groups": 3}
START = "2022-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def sandbox():
    sandbox = Sandbox(**COUNTS)
    sandbox.behaviour.scheduled_rewards_listed = True
    return sandbox


def read(directory: Path, sandbox: Sandbox, state: list | None = None) -> list[dict]:
    """The messages of a full read of all streams. Only the address of the API is replaced."""
    config = {"public_key": TEST_KEYS[0], "private_key": TEST_KEYS[1], "start_date": START}
    catalog = {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": "full_refresh" if name in ("rewards", "transactions") else "incremental",
                "destination_sync_mode": "overwrite",
            }
            for name in STREAMS
        ]
    }
    files = {"config": config, "catalog": catalog} | ({"state": state} if state else {})
    for name, content in files.items():
        (directory / f"{name}.json").write_text(json.dumps(content))
    options = [part for name in files for part in (f"--{name}", str(directory / f"{name}.json"))]
    with sandbox.serve() as server:
        command = [sys.executable, str(Path(__file__).with_name("run_airbyte.py")), server.url]
        done = subprocess.run([*command, "read", *options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def records(messages: list[dict], stream: str) -> list[dict]:
    found = (message["record"] for message in messages if message["type"] == "RECORD")
    return [record["data"] for record in found if record["stream"] == stream]


def keys(rows) -> list[str]:
    return sorted(row["key"] for row in rows)


@pytest.fixture(scope="module")
def messages(sandbox, tmp_path_factory):
    return read(tmp_path_factory.mktemp("airbyte"), sandbox)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_read_completely_and_each_object_once(sandbox, messages, stream):
    expected = sandbox.objects(stream)
    assert len(expected) >= COUNTS[stream]
    assert keys(records(messages, stream)) == keys(expected)


def test_the_next_run_reads_what_changed_since(sandbox, messages, tmp_path):
    """An incremental run sends ``min_updated``, from the state that the run before left."""
    states = {
        state["state"]["stream"]["stream_descriptor"]["name"]: state["state"]
        for state in messages
        if state["type"] == "STATE"
    }
    changed = sandbox.change("customers", "customer-7", name="Grace")
    again = records(read(tmp_path, sandbox, list(states.values())), "customers")
    assert changed["key"] in keys(again)
    assert len(again) < COUNTS["customers"]
