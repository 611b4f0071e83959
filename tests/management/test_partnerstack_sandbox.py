import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command

from django_partnerstack.sandbox import (
    PRODUCTION_KEYS,
    PRODUCTION_TRACKING_TOKEN,
    TEST_KEYS,
    TEST_TRACKING_TOKEN,
)
from django_partnerstack.sandbox.behaviour.switch_texts import switches


def start(*arguments):
    command = [sys.executable, "-m", "django", "partnerstack_sandbox", "--port", "0", *arguments]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def output_of(process):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Press Ctrl-C"):
            break
    return "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_settings_responds_and_stops_with_status_0(number):
    with start("--customers", "3", "--site", "http://localhost:9000/") as process:
        output = output_of(process)
        url = output.split()[3].rstrip(",")
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
            connection.request("GET", "/_control/objects/customers")
            assert connection.getresponse().read().count(b'"customer_key"') == 3
            connection.request("GET", "/l/gstest")
            response = connection.getresponse()
            assert response.headers["Location"].startswith("http://localhost:9000/?pscd=")
            response.read()
            connection.request("GET", "/")
            assert f'PARTNERSTACK_API_URL = "{url}/api/v2"' in unescape(
                connection.getresponse().read().decode()
            )
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    assert f'PARTNERSTACK_API_URL = "{url}/api/v2"' in output
    assert f'PARTNERSTACK_CONVERSION_URL = "{url}/conversion/xid"' in output
    assert f"Link of a partner: {url}/l/gstest\nPartner links lead to http://localhost:9000/" in output
    assert f"Objects, effects, webhooks, faults and switches: {url}/\n" in output


@pytest.mark.parametrize(
    ("mode", "keys", "token"),
    [
        ("test", TEST_KEYS, TEST_TRACKING_TOKEN),
        ("production", PRODUCTION_KEYS, PRODUCTION_TRACKING_TOKEN),
    ],
)
def test_it_prints_one_block_of_settings_for_the_mode(mode, keys, token):
    with start("--mode", mode, "--set", "duplicates=200", "--set", "custom_fields=plan,seats") as process:
        output = output_of(process)
        url = output.split()[3].rstrip(",")
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
            connection.request("GET", "/_control/behaviour")
            behaviour = json.loads(connection.getresponse().read())
        process.terminate()
    assert (behaviour["duplicates"], behaviour["custom_fields"]) == ("200", ["plan", "seats"])
    assert output.count("PARTNERSTACK_MODE") == output.count("PARTNERSTACK_SECRET_KEY") == 1
    assert f'PARTNERSTACK_MODE = "{mode}"' in output
    assert f'PARTNERSTACK_PUBLIC_KEY = "{keys[0]}"' in output
    assert f'PARTNERSTACK_SECRET_KEY = "{keys[1]}"' in output
    assert f'PARTNERSTACK_TRACKING_TOKEN = "{token}"' in output


@pytest.mark.parametrize("where", ["--help", "README.rst"])
def test_every_switch_is_described(where, capsys):
    if where == "--help":
        with pytest.raises(SystemExit):
            call_command("partnerstack_sandbox", "--help")
        text = capsys.readouterr().out
    else:
        text = (Path(__file__).parents[2] / where).read_text()
    flat = " ".join(text.replace("``", "").split())
    for switch in switches():
        described = f"{switch.head} {switch.help}".replace("``", "")
        assert " ".join(described.split()) in flat


def test_a_port_in_use_is_an_error():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            CommandError, match=rf"Cannot listen on 127.0.0.1:{port}: .*Choose another --port"
        ):
            call_command("partnerstack_sandbox", port=port)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"customers": -1}, "customers must be a number from 0 up, not -1"),
        ({"mode": "live"}, "mode must be test or production, not 'live'"),
        ({"switches": ["duplicates=410"]}, "duplicates must be one of 409, 400, 200, accepted, not '410'"),
        ({"switches": ["nothing=1"]}, "There is no behaviour 'nothing'"),
        ({"switches": ["duplicates"]}, "--set takes SWITCH=VALUE, not 'duplicates'"),
        ({"port": 70000}, "port must be 0-65535"),
        ({"site": "shop.example"}, "site must be a URL such as http://127.0.0.1:8000/"),
        ({"sites": ["https://shop.example/"]}, "sites must be hosts such as staging.example"),
    ],
)
def test_a_wrong_option_is_an_error(options, message):
    with pytest.raises(CommandError, match=message):
        call_command("partnerstack_sandbox", **options)


def test_a_host_of_another_machine_is_an_error():
    with pytest.raises(CommandError, match=r"Cannot listen on 192.0.2.1:0"):
        call_command("partnerstack_sandbox", host="192.0.2.1", port=0)


def test_text_instead_of_a_number_is_an_error():
    with pytest.raises(CommandError, match="invalid int value: 'many'"):
        call_command("partnerstack_sandbox", "--customers", "many")
