from tests.admin.conftest import browser, staff

__all__ = ["browser", "staff"]
