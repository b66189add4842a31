"""The LangSmith release: Helm with or without its binary, our offline chart, and which chart is meant."""
