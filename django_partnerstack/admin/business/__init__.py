"""Pages about the partner programme: one for each mirror, and who referred which customer."""

from . import attributions, mirror, reported

__all__ = ["attributions", "mirror", "reported"]

mirror.register_mirrors()
