"""Importing this package registers all scenarios, the slowest first so that they start first."""

# isort: off
from interop.scenarios import durability  # noqa: F401
from interop.scenarios import activities, timeouts  # noqa: F401
from interop.scenarios import children, lifecycle, messages, updates  # noqa: F401
