"""What this site's database says about its customers and its deliveries. Nothing here writes to it."""

from .customers import find
from .explain import explain

__all__ = ["explain", "find"]
