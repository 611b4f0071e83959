"""
From a change at PartnerStack to the mirror: ``python -m tests.benchmarks.latency [CHANGES]``.

Two sites change nothing themselves: one receives webhooks, the other only syncs every ``EVERY`` seconds. Both
use the same sandbox, in the same run. The sandbox, the web server and the workers are processes of their own.
Takes a minute with 200 changes, and ends with status 1 if the webhooks are slower than the targets.
"""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"

import django
import requests

django.setup()

from example_project.saas.demo import serving  # noqa: E402
from example_project.saas.demo.control import Control  # noqa: E402
from example_project.saas.demo.site import environment, running  # noqa: E402

#: Seconds between two changes, and between two syncs of the site without webhooks. The default is 300 s.
PAUSE, EVERY = 0.2, 30
#: Seconds to wait for the last changes, and for the start of a process.
PATIENCE = 90
MEDIAN, P99 = 2.0, 5.0


class Site:
    """A site with its own database. ``missing``: when each change that it does not know was made."""

    def __init__(self, sandbox_url: str, folder: Path, **settings: str) -> None:
        folder.mkdir()
        self.env = {**environment(sandbox_url, str(folder)), **settings}
        serving.manage(self.env, "migrate")
        self.database = sqlite3.connect(folder / "demo.sqlite3", timeout=20)
        self.missing: dict[str, float] = {}
        self.seconds: list[float] = []

    @property
    def is_synced(self) -> bool:
        query = "SELECT count(*) FROM partnerstack_syncstate WHERE completed_at IS NOT NULL"
        return self.database.execute(query).fetchone()[0] >= 8

    def look(self) -> None:
        now = time.monotonic()
        query = "SELECT first_name FROM partnerstack_partnership WHERE first_name LIKE 'latency-%'"
        for name in {name for (name,) in self.database.execute(query)} & self.missing.keys():
            self.seconds.append(now - self.missing.pop(name))

    def line(self, name: str) -> str:
        p99 = quantiles(self.seconds, n=100, method="inclusive")[98]
        most = max(self.seconds)
        return f"  {name:24} median {median(self.seconds):6.2f} s   p99 {p99:6.2f} s   at most {most:6.2f} s"


def wait(condition, seconds: float, otherwise: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"{otherwise} within {seconds} s.")
        time.sleep(0.02)


def responds(url: str) -> bool:
    try:
        return requests.get(f"{url}/_control/effects", timeout=1).ok
    except requests.ConnectionError:
        return False


def main(changes: int) -> int:
    with TemporaryDirectory(prefix="partnerstack-latency-") as folder, ExitStack() as stack:
        port = serving.free_port()
        url = f"http://127.0.0.1:{port}"
        options = ("--partnerships", str(changes), "--customers", "1000", "--transactions", "1000")
        command = ("partnerstack_sandbox", "--port", str(port), *options)
        stack.enter_context(running(*command, env=environment(url, folder), stdout=subprocess.DEVNULL))
        wait(lambda: responds(url), PATIENCE, "The sandbox did not start")
        partnerstack = Control(url)
        every = {"PARTNERSTACK_SYNC_EVERY": str(EVERY), "PARTNERSTACK_FULL_SYNC_AT": ""}
        polling = Site(url, Path(folder, "polling"), **every, PARTNERSTACK_WEBHOOK_SECRETS="")
        hooked = Site(url, Path(folder, "hooked"), PARTNERSTACK_FULL_SYNC_AT="")
        port = serving.free_port()
        stack.enter_context(serving.web_server(hooked.env, port))
        for site in (polling, hooked):
            stack.enter_context(running("partnerstack_worker", env=site.env, stdout=subprocess.DEVNULL))
        wait(lambda: polling.is_synced and hooked.is_synced, PATIENCE, "The first sync did not end")
        serving.manage(hooked.env, "partnerstack_webhooks", "register", f"http://127.0.0.1:{port}")
        partners = [partner["key"] for partner in partnerstack.objects("partnerships")][:changes]
        for number, key in enumerate(partners):
            partnerstack.change("partnerships", key, first_name=f"latency-{number}")
            for site in (polling, hooked):
                site.missing[f"latency-{number}"] = time.monotonic()
            until = time.monotonic() + PAUSE
            while time.monotonic() < until:
                look(polling, hooked)
        wait(lambda: not look(polling, hooked), PATIENCE, "Not every change arrived")
        print(f"{len(partners)} changes at PartnerStack, every {PAUSE} s, until the mirror has them (SQLite)")
        print(hooked.line("with webhooks"))
        print(polling.line(f"syncs every {EVERY} s alone"))
        print(f"  wanted of webhooks: median below {MEDIAN:.0f} s, p99 below {P99:.0f} s")
        p99 = quantiles(hooked.seconds, n=100, method="inclusive")[98]
        return 0 if median(hooked.seconds) < MEDIAN and p99 < P99 else 1


def look(*sites: Site) -> int:
    """Let each site look for the changes. Returns how many are missing."""
    for site in sites:
        site.look()
    time.sleep(0.01)
    return sum(len(site.missing) for site in sites)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
