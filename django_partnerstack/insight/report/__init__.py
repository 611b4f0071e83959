"""What partners bring and earn in a period, and what each figure means."""

from . import figures
from .partners import Figures, Partner, Report, find_partner, report
from .period import Period

__all__ = ["Figures", "Partner", "Period", "Report", "figures", "find_partner", "report"]
