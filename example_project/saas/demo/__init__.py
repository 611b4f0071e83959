"""
The steps of ``manage.py demo``.

The demo's own process runs the sandbox, which simulates PartnerStack. ``manage.py demo_steps`` is the site,
in another process: it reads its settings from the environment, as any site does, and has its own database, so
that your data are not touched.
"""
