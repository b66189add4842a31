"""What brings the cluster towards what is wanted: Kubernetes' own controllers, and those of EKS and its add-ons."""
