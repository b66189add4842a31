"""Stand-ins for the workloads of LangSmith: their ports, probes, settings and the connections they need."""
