from hypothesis import settings

# A busy machine is slow, not wrong.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
