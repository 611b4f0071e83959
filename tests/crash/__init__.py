"""
Workers as real processes, killed, stopped and cut off, against a sandbox over HTTP.

The small run is part of every test run. ``tox run -e crash`` runs it at full length on each database.
"""
