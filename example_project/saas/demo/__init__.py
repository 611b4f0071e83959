"""
What ``manage.py demo`` shows, step by step.

The demo's own process plays PartnerStack. ``manage.py demo_steps``, in another, is the site: it gets its
settings from the environment, as any site does, and has a database of its own, so that nothing of yours is
touched.
"""
