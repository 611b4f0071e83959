"""Personal data: forgetting a customer, and deleting what is old."""

from .deletion import archive_object, forget_object
from .forget import Erasure, forget, forgotten_keys, is_forgotten

__all__ = ["Erasure", "archive_object", "forget", "forget_object", "forgotten_keys", "is_forgotten"]
