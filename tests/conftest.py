"""What all tests share."""

from hypothesis import settings

# Timing is nobody's business here, and a red run must be red again.
settings.register_profile("lab", deadline=None, derandomize=True)
settings.load_profile("lab")
