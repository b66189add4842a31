"""What Kubernetes 1.35 publishes about itself, as data: definitions, protobuf messages, discovery. See README.md."""
