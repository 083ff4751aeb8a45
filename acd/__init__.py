"""Automatic call distribution: pure decisions about who talks to whom. Events and a time in, decisions out."""
