"""Hallmark: labs, graders and certificates for operating LangSmith Self-Hosted on AWS."""
