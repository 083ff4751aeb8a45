"""The flow language: YAML text -> Flow, or every Diagnostic at once."""
