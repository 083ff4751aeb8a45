"""The call flow language: from an administrator's YAML to a caller's conversation."""
