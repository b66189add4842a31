"""What can be wrong with Secrets, and what only looks wrong."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call

LEAK = {"value": "<redacted 0>", "leak": "literal value of PASSWORD"}
CSI = "secrets-store.csi.x-k8s.io/v1"


def _secret(edit: Edit, name: str) -> dict[str, Any]:
    return next(one for one in edit.each("kubernetes", "secrets", "items") if one["metadata"]["name"] == name)


def _external(edit: Edit, secret: str) -> dict[str, Any]:
    found = edit.objects("externalsecrets")
    return next(one for one in found if one["spec"].get("target", {}).get("name", one["metadata"]["name"]) == secret)


def _stores(edit: Edit) -> Iterator[dict[str, Any]]:
    """The stores that feed the application, of whichever of the two kinds."""
    kind = edit.answers("kubernetes", "list", resource="clustersecretstores")[0]["items"]
    resource = "clustersecretstores" if kind else "secretstores"
    return (one["spec"]["provider"]["aws"] for one in edit.objects(resource))


def _environment(edit: Edit, workload: str) -> list[dict[str, Any]]:
    deployment = next(edit.objects("deployments", workload))
    variables: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return variables


@mutant(breaks=["secrets_complete"])
def a_secret_is_missing(edit: Edit) -> None:
    """One parameter that the store lacks keeps the whole Secret away."""
    for answer in edit.answers("kubernetes", "secrets"):
        answer["items"] = [one for one in answer["items"] if one["metadata"]["name"] != "langsmith-config"]


@mutant(breaks=["secrets_complete"])
def a_key_is_missing(edit: Edit) -> None:
    """The Secret was made before single sign-on keys were asked for."""
    _secret(edit, "langsmith-config")["keys"].pop("jwt_secret")


@mutant(breaks=["secrets_complete"])
def a_key_is_empty(edit: Edit) -> None:
    """The license key has not been entered yet."""
    _secret(edit, "langsmith-config")["keys"]["langsmith_license_key"]["empty"] = True


@mutant(breaks=["secrets_complete"])
def a_product_is_on_without_its_key(edit: Edit) -> None:
    """The product insights is on by default, and its key is demanded although nobody uses it."""
    reference = {"secretKeyRef": {"name": "langsmith-config", "key": "insights_encryption_key", "optional": False}}
    _environment(edit, "langsmith-backend").append({"name": "CLIO_ENCRYPTION_KEY", "valueFrom": reference})


@mutant(breaks=["secrets_complete"])
def a_needed_key_is_called_optional(edit: Edit) -> None:
    """With disableSecretCreation pods start without the license, and the application refuses to."""
    _secret(edit, "langsmith-config")["keys"].pop("langsmith_license_key")
    for name in ("langsmith-backend", "langsmith-platform-backend", "langsmith-queue", "langsmith-ingest-queue"):
        for variable in _environment(edit, name):
            if "secretKeyRef" in variable.get("valueFrom", {}):
                variable["valueFrom"]["secretKeyRef"]["optional"] = True


@mutant(breaks=[])
def every_reference_is_optional(edit: Edit) -> None:
    """With disableSecretCreation the chart calls every reference optional; all of them are there."""
    for name in ("langsmith-backend", "langsmith-platform-backend", "langsmith-queue", "langsmith-ingest-queue"):
        for variable in _environment(edit, name):
            if "secretKeyRef" in variable.get("valueFrom", {}):
                variable["valueFrom"]["secretKeyRef"]["optional"] = True


@mutant(breaks=["secrets_injected"])
def a_secret_is_made_by_hand(edit: Edit) -> None:
    """Made with kubectl create secret."""
    name = _external(edit, "langsmith-config")["metadata"]["name"]
    edit.remove("externalsecrets", name)
    _secret(edit, "langsmith-config")["metadata"].pop("ownerReferences")


@mutant(breaks=["secrets_injected"])
def a_secret_no_longer_syncs(edit: Edit) -> None:
    """The operator may not read the store any more: the Secret lives on until the next pod starts."""
    for one in _external(edit, "langsmith-postgres")["status"]["conditions"]:
        one |= {"status": "False", "reason": "SecretSyncedError"}


@mutant(breaks=["secrets_injected"])
def the_operator_is_gone(edit: Edit) -> None:
    """External Secrets was removed a day ago; what it made is still there and says that it is ready."""
    status = _external(edit, "langsmith-postgres")["status"]
    status["refreshTime"] = (datetime.fromisoformat(status["refreshTime"]) - timedelta(days=1)).isoformat()


@mutant(breaks=["secrets_injected"])
def an_external_secret_beside_the_hand_made_one(edit: Edit) -> None:
    """An ExternalSecret of that name exists, and does not own the Secret."""
    _secret(edit, "langsmith-redis")["metadata"]["ownerReferences"] = []


@mutant(breaks=["secrets_injected"])
def a_class_nobody_mounts(edit: Edit) -> None:
    """A SecretProviderClass syncs its Secret only while a pod has it mounted."""
    _csi(edit, mounted=False)


@mutant(breaks=[])
def the_csi_driver_instead(edit: Edit) -> None:
    """The Secrets Store CSI driver syncs the application's Secret."""
    _csi(edit, mounted=True)


@mutant(breaks=["secrets_current"])
def pods_are_older_than_their_secret(edit: Edit) -> None:
    """Rotated, and not restarted."""
    newest = max(pod["metadata"]["creationTimestamp"] for pod in edit.objects("pods"))
    _secret(edit, "langsmith-postgres")["changed"] = newest.replace("Z", ".5Z")


@mutant(breaks=[])
def a_secret_nobody_reads_has_changed(edit: Edit) -> None:
    """It is none of the application's."""
    newest = max(pod["metadata"]["creationTimestamp"] for pod in edit.objects("pods"))
    for answer in edit.answers("kubernetes", "secrets"):
        metadata = {"name": "other", "namespace": "langsmith"}
        other = {"metadata": metadata, "type": "Opaque", "keys": {}, "changed": newest.replace("Z", ".5Z")}
        answer["items"].append(other)


@mutant(breaks=["secrets_manager"])
def store_is_another_provider(edit: Edit) -> None:
    """A store, and not one of AWS."""
    for provider in _stores(edit):
        provider.clear()


@mutant(breaks=["secrets_manager"])
def one_entry_has_another_store(edit: Edit) -> None:
    """The store of all is one of AWS; a key comes from somewhere else."""
    one = _external(edit, "langsmith-config")["spec"]["data"][1]
    one["sourceRef"] = {"storeRef": {"kind": "SecretStore", "name": "vault"}}


@mutant(breaks=["secrets_manager"])
def the_csi_driver_reads_another_provider(edit: Edit) -> None:
    """Mounted and synced, from a store that is none of AWS."""
    _csi(edit, mounted=True)
    next(edit.objects("secretproviderclasses"))["spec"]["provider"] = "vault"


@mutant(breaks=["secrets_manager"])
def a_name_the_store_does_not_hold(edit: Edit) -> None:
    """After renaming, the prefix leads to nothing; what was synced before lives on."""
    for one in _external(edit, "langsmith-config")["spec"]["data"]:
        one["remoteRef"]["key"] = "renamed/langsmith"


@mutant(breaks=[])
def each_entry_names_its_store(edit: Edit) -> None:
    """Beside every key instead of once for all."""
    spec = _external(edit, "langsmith-config")["spec"]
    store = spec.pop("secretStoreRef")
    for one in spec["data"]:
        one["sourceRef"] = {"storeRef": store}


@mutant(breaks=[])
def store_is_parameter_store(edit: Edit) -> None:
    """SSM instead of Secrets Manager: a remark."""
    for provider in _stores(edit):
        provider["service"] = "ParameterStore"
    secrets = edit.answers("secretsmanager", "list_secrets")[0]["SecretList"]
    edit.put(Call.of("ssm", "describe_parameters"), {"Parameters": [{"Name": one["Name"]} for one in secrets]})


@mutant(breaks=["no_plaintext_secrets"])
def secret_in_the_values(edit: Edit) -> None:
    """The salt as a value: everybody who may read releases has it."""
    next(edit.each("kubernetes", "release"))["leaks"]["config.apiKeySalt"] = "literal value of apiKeySalt"


@mutant(breaks=["no_plaintext_secrets"])
def secret_in_a_config_map(edit: Edit) -> None:
    """A connection URL with its password in the common settings."""
    config = next(one for one in edit.objects("configmaps") if "AUTH_TYPE" in one.get("data", {}))
    config["data"]["DATABASE_URL"] = {"value": "<redacted 0>", "leak": "URL with a password"}


@mutant(breaks=["no_plaintext_secrets"])
def secret_in_a_pod(edit: Edit) -> None:
    """A password as a literal."""
    _environment(edit, "langsmith-queue").append({"name": "PASSWORD", **LEAK})


@mutant(breaks=["no_plaintext_secrets"])
def secret_in_an_init_container(edit: Edit) -> None:
    """Where nobody looks."""
    pod = next(edit.objects("deployments", "langsmith-frontend"))["spec"]["template"]["spec"]
    pod["initContainers"] = [{"name": "prepare", "image": "x", "env": [{"name": "PASSWORD", **LEAK}]}]


@mutant(breaks=["no_plaintext_secrets"])
def secret_in_an_argument(edit: Edit) -> None:
    """A password on the command line: who may list processes or pods has it."""
    pod = next(edit.objects("deployments", "langsmith-queue"))["spec"]["template"]["spec"]
    pod["containers"][0] |= {"args": ["--password=<redacted 0>"], "leaks": ["literal value of password"]}


@mutant(breaks=["no_plaintext_secrets"])
def secret_in_clickhouse(edit: Edit) -> None:
    """ClickHouse's own environment counts, too."""
    stateful = next(edit.objects("statefulsets", "langsmith-clickhouse"))
    container = stateful["spec"]["template"]["spec"]["containers"][0]
    container.setdefault("env", []).append({"name": "PASSWORD", **LEAK})


def _csi(edit: Edit, *, mounted: bool) -> None:
    """Let the CSI driver feed the application's Secret instead of External Secrets."""
    edit.remove("externalsecrets", _external(edit, "langsmith-config")["metadata"]["name"])
    _secret(edit, "langsmith-config")["metadata"].pop("ownerReferences")
    served = next(edit.each("kubernetes", "discovery"))["resources"]
    served[CSI] = ["secretproviderclasses", "secretproviderclasspodstatuses"]
    spec = {"provider": "aws", "secretObjects": [{"secretName": "langsmith-config", "type": "Opaque"}]}
    status = {"podName": "p", "secretProviderClassName": "app", "mounted": mounted}
    _list(edit, "secretproviderclasses", {"metadata": {"name": "app", "namespace": "langsmith"}, "spec": spec})
    _list(
        edit, "secretproviderclasspodstatuses", {"metadata": {"name": "p", "namespace": "langsmith"}, "status": status}
    )


def _list(edit: Edit, resource: str, value: dict[str, Any]) -> None:
    group, _, version = CSI.partition("/")
    place = {"group": group, "version": version, "resource": resource, "namespace": "langsmith"}
    edit.put(Call.of("kubernetes", "list", **place), {"items": [value]})
