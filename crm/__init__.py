"""The host that holds the business's data: named queries over a database that is often somebody else's."""
