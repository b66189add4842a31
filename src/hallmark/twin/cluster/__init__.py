"""A Kubernetes API server on loopback: it stores, checks and serves objects, and knows nothing of who uses it.

What a real server does and this one does not: authorization (whoever is authenticated may do everything) and
impersonation; quotas, limit ranges, validating webhooks and policies, webhooks on updates; CEL rules and conversion
webhooks of custom resources; answers in protobuf and CBOR; exec over SPDY (clients use WebSockets first).
Controllers and kubelets are processes of their own and plain clients.
"""
