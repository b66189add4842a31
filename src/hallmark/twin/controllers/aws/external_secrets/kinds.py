"""The operator's own kinds."""

from hallmark.twin.kube.kinds import Kind

GROUP = "external-secrets.io"
OBJECTS = Kind(GROUP, "v1", "externalsecrets", "ExternalSecret")
STORES = Kind(GROUP, "v1", "secretstores", "SecretStore")
CLUSTER_STORES = Kind(GROUP, "v1", "clustersecretstores", "ClusterSecretStore", namespaced=False)
DATA_HASH = "reconcile.external-secrets.io/data-hash"
MANAGED = "reconcile.external-secrets.io/managed"
FORCE = "force-sync"
