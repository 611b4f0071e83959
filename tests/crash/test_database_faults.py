"""The database fails: one connection at a time, or the whole server."""

from __future__ import annotations

import signal
import tempfile
from collections import Counter
from pathlib import Path

import environ
import pytest
from django.core.management import call_command
from django.db import connection

from .cluster import binaries, cluster
from .history import History, effects
from .host import write
from .processes import Family, until
from .witness import judge
from .worker import command, command_line, service, work, work_and_be_cut_off

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Only with the tests on PostgreSQL."),
    pytest.mark.skipif(binaries() is None, reason="initdb and pg_ctl of PostgreSQL were not found."),
]

SEED, EVENTS = 3, 150
#: Seconds after which workers must be delivering again, or have ended.
AT_MOST = 5


@pytest.fixture(scope="module")
def postgresql():
    # Not in pytest's folder, which other users cannot enter.
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as server:
        yield server


@pytest.fixture
def site(postgresql, server, witness, tmp_path):
    """A site on that server, with many messages."""
    postgresql.renew("site")
    database = environ.Env.db_url_config(f"{postgresql.url}/site")
    family = Family(tmp_path, database, PARTNERSTACK_API_URL=f"{server.url}/api/v2")
    try:
        assert family.start(make_tables).wait(60) == 0
        assert family.start(write_all).wait(60) == 0
        witness.behaviour.duplicates = "accepted"
        witness.faults.add("latency", seconds=0.05)
        yield family
    finally:
        family.end()


def make_tables():
    call_command("migrate", run_syncdb=True, verbosity=0)


def write_all():
    for event in History(SEED, EVENTS):
        write(event)


def delivered(witness):
    verdict = judge(witness, effects(list(History(SEED, EVENTS))))
    return verdict if not verdict.lost else None


def test_workers_survive_a_crash_of_the_database_and_soon_deliver_again(site, postgresql, witness, show):
    workers = [site.start(work), site.start(work)]
    seconds = []
    for _ in range(2):
        began = len(witness.writes)
        until(lambda began=began: len(witness.writes) > began + 20, seconds=20, what="some deliveries")
        postgresql.stop()
        postgresql.start()
        back, began = witness.clock(), len(witness.writes)
        until(lambda began=began: len(witness.writes) > began, seconds=20, what="a delivery")
        seconds.append(witness.clock() - back)
    witness.faults.clear()
    verdict = until(lambda: delivered(witness), seconds=60, what="everything is delivered")
    show(f"database crashed twice: delivering again after {max(seconds):.2f} s at most; {verdict}")
    assert [worker.code for worker in workers] == [None, None]
    assert max(seconds) < AT_MOST
    assert verdict.is_good


def test_a_service_survives_a_crash_of_the_database_with_all_its_jobs(site, postgresql, witness, show):
    # So slow that messages are left after the second crash.
    witness.faults.add("latency", seconds=0.4)
    site.settings["PARTNERSTACK_SYNC_EVERY"] = 1
    running, seconds = site.start(service), Counter()
    for _ in range(2):
        wait_for_jobs(witness, ("delivery", "sync"))
        postgresql.stop()
        postgresql.start()
        back = witness.clock()
        for job, at in wait_for_jobs(witness, ("delivery", "sync")).items():
            seconds[job] = max(seconds[job], at - back)
    worst = ", ".join(f"{job} {number:.2f} s" for job, number in seconds.items())
    show(f"database crashed twice under partnerstack_worker: at work again after {worst} at most")
    assert running.code is None
    assert seconds["delivery"] < AT_MOST
    # A sync begins again five seconds after its error.
    assert seconds["sync"] < 2 * AT_MOST


def wait_for_jobs(witness, jobs):
    """Wait until each job has sent a new request. Returns when."""
    began = len(witness.arrivals)

    def first(job):
        new = list(witness.arrivals)[began:]
        return next((each.at for each in new if (each.method == "GET") == (job == "sync")), None)

    return {job: until(lambda job=job: first(job), seconds=30, what=job) for job in jobs}


@pytest.mark.parametrize("job", [service, command])
def test_a_service_ends_although_the_database_does_not_answer(site, postgresql, witness, show, job):
    running = site.start(job)
    until(lambda: len(witness.writes) > 5, seconds=20, what="some deliveries")
    with postgresql.frozen():
        signalled = witness.clock()
        running.send(signal.SIGTERM)
        assert running.wait(30) == 0, running.said
        seconds = witness.clock() - signalled
    show(f"SIGTERM while the database hangs: exit status 0 after {seconds:.2f} s")
    assert seconds < 2 * AT_MOST
    assert "Traceback" not in running.said


@pytest.mark.parametrize(("job", "code"), [(service, 0), (command, 0), (command_line, 1)])
def test_a_stopping_worker_does_not_wait_for_a_missing_database(site, postgresql, witness, show, job, code):
    worker = site.start(job)
    until(lambda: len(witness.writes) > 5, seconds=20, what="some deliveries")
    postgresql.stop()
    signalled = witness.clock()
    worker.send(signal.SIGTERM)
    try:
        assert worker.wait(20) == code, worker.said
    finally:
        postgresql.start()
    seconds = witness.clock() - signalled
    show(f"SIGTERM while the database is down: exit status {code} after {seconds:.2f} s")
    assert seconds < AT_MOST
    assert "Traceback" not in worker.said


@pytest.mark.parametrize(("point", "every"), [("the claim's", 8), ("the result's", 8), ("the throttle's", 2)])
def test_workers_survive_connections_that_are_cut_at_a_commit(site, witness, show, point, every):
    witness.faults.add("status", method="POST", status=503, rate=0.1, after_effect=True, retry_after=0)
    workers = [site.start(work_and_be_cut_off, 4, f"before {point} commit", every) for _ in range(2)]
    verdict = until(lambda: delivered(witness), seconds=45, what="everything is delivered")
    cuts = sum(worker.said.count("trap:") for worker in workers)
    show(f"{cuts} connections cut at {point} commit: {verdict}")
    assert [worker.code for worker in workers] == [None, None]
    assert cuts > 1
    assert verdict.is_good
