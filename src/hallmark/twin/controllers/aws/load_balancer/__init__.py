"""AWS Load Balancer Controller: Ingresses become Application Load Balancers.

Kept of the real controller: groups, names, tags, subnets by discovery or annotation, security groups given or made,
listeners, redirects, certificates, rules by host and path, target groups of ready pods, health checks, attributes,
web ACL, the finalizer, and its events. Left out: weighted and authenticating actions, certificate discovery,
IngressClassParams, Gateway API, Shield.
"""
