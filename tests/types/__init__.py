"""
What mypy must accept and refuse of the public names; ``tox run -e lint`` checks it, and nothing here is run.

A line that must be refused ends in ``type: ignore`` with the error's code: if mypy accepts the line, it
reports the comment as unused.
"""
