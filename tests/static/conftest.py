from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import django_partnerstack

STATIC = Path(django_partnerstack.__file__).parent / "static" / "partnerstack"
PAGE = Path(__file__).with_name("page.js")

Opened = dict[str, Any]


@pytest.fixture
def open_pages() -> Callable[..., list[Opened]]:
    """Opens pages with a script of this app. Returns the cookies they set and the scripts they load."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")

    def open_pages(script: str, *pages: dict[str, Any]) -> list[Opened]:
        page_input = json.dumps({"script": str(STATIC / script), "pages": pages})
        ran = subprocess.run([node, str(PAGE)], input=page_input, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return open_pages
