"""Measurements: one subject per file, each with ``measure() -> dict``. Ratios within one run, not absolute promises."""
