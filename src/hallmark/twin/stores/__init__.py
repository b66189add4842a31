"""The data stores themselves: real servers behind the endpoints that the emulated AWS and the pods show.

Everything listens on loopback only and dies with the process that started it, but for servers that a person gives by
URL: those are never started or stopped.
"""
