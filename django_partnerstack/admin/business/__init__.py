"""Pages about the partner programme: one for each mirror, and who referred which customer."""

from . import attributions, mirror, reconciliations, reported

__all__ = ["attributions", "mirror", "reconciliations", "reported"]

mirror.register_mirrors()
