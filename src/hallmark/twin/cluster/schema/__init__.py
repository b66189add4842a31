"""The Kubernetes API's rules as pure functions over dictionaries, driven by the published schemas."""
