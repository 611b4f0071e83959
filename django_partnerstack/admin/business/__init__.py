"""Pages about the partner programme: one for each mirror, and who referred which customer."""

from . import attributions, forgotten, mirror, reconciliations, reported

__all__ = ["attributions", "forgotten", "mirror", "reconciliations", "reported"]

mirror.register_mirrors()
