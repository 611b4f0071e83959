"""A separate PostgreSQL server, which a test can stop as if the power failed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl; None if they are not installed."""
    config = shutil.which("pg_config")
    found = []
    if config:
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(said.stdout.strip()))
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def cut(connection: Any) -> None:
    """End the backend of a connection from another connection."""
    with connection.Database.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A server in ``folder`` that runs for the block."""
    found = binaries()
    assert found
    server = Cluster(found, folder)
    server.make()
    try:
        yield server
    finally:
        server.stop()


class Cluster:
    """A server. For root it runs as the user that PostgreSQL's package creates, because root is refused."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.port = _free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}"

    def renew(self, database: str) -> None:
        """Create an empty database with this name."""
        self._connected("dropdb", "--if-exists", "--force", database)
        self._connected("createdb", database)

    def make(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--locale=C", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", "--wait", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """Stop at once, as if the power failed."""
        self._run("pg_ctl", "stop", "--wait", "-m", "immediate")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """No process of the server does anything, and the connections stay open, for the block."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        pids = [main, *map(int, children)]
        self._send(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            self._send(pids, signal.SIGCONT)

    def _send(self, pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _run(self, program: str, *arguments: str) -> None:
        self._call(program, "-D", str(self.folder / "data"), *arguments)

    def _connected(self, program: str, *arguments: str) -> None:
        self._call(program, "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", *arguments)

    def _call(self, program: str, *arguments: str) -> None:
        as_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        command = [*as_user, str(self.programs / program), *arguments]
        # Not a pipe, which the server would keep open.
        output = self.folder / "programs"
        with output.open("ab") as file:
            subprocess.run(command, check=True, cwd="/", stdout=file, stderr=file, timeout=60)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
