"""What controllers and the kubelet share: a plain client of the Kubernetes API, caches, reconcile loops, events."""
