"""The shell: the greenlets, timers and effects around the pure parts."""
