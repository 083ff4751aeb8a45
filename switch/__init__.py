"""Telephone switches: one port, a backend per folder."""
