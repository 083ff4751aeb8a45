"""Our own tables: agents, mailboxes, messages and the calls' interactions; and the way to any database."""
