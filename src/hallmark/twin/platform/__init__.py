"""The stand-in of LangSmith that keeps data: its API and workers over real PostgreSQL, Redis, ClickHouse and S3.

It has the product's routes, roles, settings and ways to fail, as far as an operator meets them. Tables, queue entries
and bodies of errors are its own, and it says so.
"""
