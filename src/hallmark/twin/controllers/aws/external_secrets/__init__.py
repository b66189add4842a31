"""External Secrets: values from Secrets Manager and Parameter Store become Kubernetes Secrets, all of them or none.

Kept of the real operator: SecretStore and ClusterSecretStore of the AWS provider (its own role, or that of a service
account), `data` with properties and versions, `dataFrom.extract`, templates of simple fields, the creation policies
Owner, Orphan, Merge and None, refresh, the `force-sync` annotation, owner reverts edits, conditions and events.
Left out: other providers, generators, PushSecret, `find`, rewrites, decoding strategies, webhooks.
"""
