"""Planning the work: how many agents, and what would happen if. Made of the ACD's own engine and figures."""
