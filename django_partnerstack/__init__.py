"""A Django reusable app that makes a site a reliable PartnerStack vendor."""

__version__ = "0.1.0"
