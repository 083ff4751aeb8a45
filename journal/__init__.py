"""The append-only record of all that happened, written before the effect."""
