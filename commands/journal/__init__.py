"""The record of all that happened: check it."""
