"""ClickHouse's engine behind the part of its HTTP interface that clients use.

The engine is the real one (chdb), so tables, merges, formats and errors are; users and the limit of concurrent queries
are ours, as the engine has none. There is no native protocol and no query log, and ``currentUser()`` is ``default``.
"""
