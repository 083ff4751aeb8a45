"""The files that people write: text with positions in, checked models or diagnostics out."""
