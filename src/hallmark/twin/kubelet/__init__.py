"""The kubelet of the twin's nodes: pods as local processes of programs of ours, seen through the Kubernetes API."""
