from .customers import Customers
from .partnerships import Partnerships

__all__ = ["Customers", "Partnerships"]
