"""
What the test kit costs: 200 tests of a site with it, and the same tests without it, in one run of pytest.

Each test opens a page and signs up, on SQLite. Those with the kit come by a partner's link, deliver and
compare.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.etree import ElementTree

from tests.testing.runs import run_pytest

NUMBER = 200
#: Seconds that the kit may add to a test.
ALLOWED = 0.1
TESTS = f"""
    import pytest

    SIGN_UP = {{"name": "Ada Ltd", "email": "ada@example.com", "password": "correct horse 9"}}

    @pytest.fixture(autouse=True)
    def quick_passwords(settings):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    @pytest.mark.parametrize("number", range({NUMBER}))
    @pytest.mark.django_db
    def test_without(number, client):
        client.get("/")
        assert client.post("/sign-up/", SIGN_UP).status_code == 302

    @pytest.mark.parametrize("number", range({NUMBER}))
    def test_with(number, client, partnerstack):
        partnerstack.click("ada", client)
        assert client.post("/sign-up/", SIGN_UP).status_code == 302
        partnerstack.deliver()
        assert partnerstack.customers == [{{"email": "ada@example.com", "partner_key": "ada"}}]
"""


def seconds(report: Path, test: str) -> float:
    """For one test, with its set-up. The first test, which creates the database, is left out."""
    cases = ElementTree.parse(report).iter("testcase")
    times = [float(case.attrib["time"]) for case in cases if case.attrib["name"].startswith(f"{test}[")]
    assert len(times) == NUMBER
    return sum(times[1:]) / (NUMBER - 1)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        status, output = run_pytest(Path(folder), TESTS, f"--junit-xml={report}")
        if status:
            raise SystemExit(output)
        without, with_kit = seconds(report, "test_without"), seconds(report, "test_with")
    print(f"{NUMBER} tests without the kit: {without * 1000:.1f} ms each")
    print(f"{NUMBER} tests with the kit:    {with_kit * 1000:.1f} ms each")
    if with_kit - without > ALLOWED:
        raise SystemExit(f"The kit adds {(with_kit - without) * 1000:.1f} ms.")


if __name__ == "__main__":
    main()
