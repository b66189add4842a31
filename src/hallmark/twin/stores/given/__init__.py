"""Servers that the person runs and names by URL, instead of ones of ours: nothing is started, nothing else is touched.

What is on them is ours only where it is marked as such. While a store rests, its data is in its folder as with any
other store, see :mod:`hallmark.twin.stores.held`: so snapshots hold it, and it goes from any server to any other.
"""
