"""Properties that are watched in every run, at every instant."""

from streamlet_lab.checks.properties import Check, CheckResult, Status, make_checks

__all__ = ["Check", "CheckResult", "Status", "make_checks"]
