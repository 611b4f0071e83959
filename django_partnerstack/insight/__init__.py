"""Why a sign-up is attributed to a partner, or to none: in sentences, for the admin and for a command."""

from .customers import find
from .sentences import explain

__all__ = ["explain", "find"]
