"""One change at a time to Secrets that were given back to the operator and to a password that was rotated."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call

OWN, OTHER = "langsmith-postgres", "langsmith-config"
LATER = ["secrets_follow_store", "pods_follow_secrets"]
ROTATED = ["password_rotated", "salt_kept", *LATER]
HELD = ["store_holds_all", *ROTATED]
ALL = ["secrets_supplied", *HELD, "keys_complete", "nothing_in_plain_text"]
LEAK = {"value": "<redacted 0>", "leak": "literal value of PASSWORD"}
PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
CSI = "secrets-store.csi.x-k8s.io/v1"


def external(edit: Edit, name: str = OWN) -> dict[str, Any]:
    """Return one ExternalSecret."""
    return next(edit.objects("externalsecrets", name))


def secret(edit: Edit, name: str = OWN) -> dict[str, Any]:
    """Return the facts of one Secret."""
    return next(one for one in edit.each("kubernetes", "secrets", "items") if one["metadata"]["name"] == name)


def held(edit: Edit, ending: str) -> dict[str, Any]:
    """Return one secret of the store."""
    found = edit.each("secretsmanager", "list_secrets", "SecretList")
    return next(one for one in found if one["Name"].endswith(ending))


def environment(edit: Edit, workload: str) -> list[dict[str, Any]]:
    """Return the variables of a Deployment."""
    deployment = next(edit.objects("deployments", workload))
    variables: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return variables


@mutant(breaks=ALL)
def the_policy_is_none(edit: Edit) -> None:
    """The ExternalSecret is green, and makes nothing."""
    external(edit)["spec"]["target"]["creationPolicy"] = "None"
    secret(edit)["metadata"].pop("ownerReferences")


@mutant(breaks=ALL)
def the_external_secret_is_gone(edit: Edit) -> None:
    """The Secret was kept, what made it was not."""
    edit.remove("externalsecrets", OWN)
    secret(edit)["metadata"].pop("ownerReferences")


@mutant(breaks=ALL)
def another_one_lost_its_owner(edit: Edit) -> None:
    """One was given back, another taken away."""
    edit.remove("externalsecrets", "langsmith-redis")
    secret(edit, "langsmith-redis")["metadata"]["ownerReferences"] = []


@mutant(breaks=ALL)
def it_does_not_sync(edit: Edit) -> None:
    """The operator owns it and cannot read the store."""
    for one in external(edit)["status"]["conditions"]:
        one |= {"status": "False", "reason": "SecretSyncedError"}


@mutant(breaks=ALL)
def it_looks_once(edit: Edit) -> None:
    """An interval of zero: what is rotated tomorrow stays where it is."""
    external(edit)["spec"]["refreshInterval"] = "0s"


@mutant(breaks=ALL)
def it_looks_when_it_is_edited(edit: Edit) -> None:
    """A refresh policy that asks for a person."""
    external(edit)["spec"]["refreshPolicy"] = "OnChange"


@mutant(breaks=ALL)
def nothing_reads_a_secret(edit: Edit) -> None:
    """An application without a single reference."""
    for kind in ("deployments", "statefulsets"):
        for one in edit.objects(kind):
            for container in one["spec"]["template"]["spec"]["containers"]:
                container["env"] = [each for each in container.get("env", []) if "valueFrom" not in each]


@mutant(breaks=HELD)
def a_name_is_not_in_the_store(edit: Edit) -> None:
    """The connection URL was renamed in the store; what was synced before lives on."""
    external(edit)["spec"]["data"][0]["remoteRef"]["key"] += "-old"


@mutant(breaks=HELD)
def the_store_is_another_provider(edit: Edit) -> None:
    """A store, and not one of AWS."""
    for one in edit.objects("secretstores"):
        one["spec"]["provider"]["aws"].clear()


@mutant(breaks=HELD)
def the_csi_driver_reads_another_provider(edit: Edit) -> None:
    """Mounted and synced, from a store that is none of AWS."""
    _csi(edit)
    next(edit.objects("secretproviderclasses"))["spec"]["provider"] = "vault"


@mutant(breaks=HELD)
def nothing_is_asked_for(edit: Edit) -> None:
    """An ExternalSecret without a name in it."""
    external(edit)["spec"]["data"].clear()


@mutant(breaks=ROTATED)
def the_password_is_the_old_one(edit: Edit) -> None:
    """The Secret has an owner again, and the password is what it was."""
    one = held(edit, "postgres-connection-url")
    one |= {"LastChangedDate": PAST, "CreatedDate": PAST, "SecretVersionsToStages": {"first": ["AWSCURRENT"]}}


@mutant(breaks=ROTATED)
def the_password_only_got_a_tag(edit: Edit) -> None:
    """It was changed, but its value was not."""
    held(edit, "postgres-connection-url")["SecretVersionsToStages"] = {"first": ["AWSCURRENT"]}


@mutant(breaks=ROTATED)
def it_was_rotated_before_the_release(edit: Edit) -> None:
    """There is a previous value, and it is older than what was seen."""
    held(edit, "postgres-connection-url")["LastChangedDate"] = PAST


@mutant(breaks=ROTATED)
def the_parts_read_from_two_places(edit: Edit) -> None:
    """One part of the application was led to another key."""
    for one in environment(edit, "langsmith-queue"):
        if one["name"] == "POSTGRES_DATABASE_URI":
            one["valueFrom"]["secretKeyRef"]["key"] = "other"
    secret(edit)["keys"]["other"] = dict(secret(edit)["keys"]["connection_url"])


@mutant(breaks=["salt_kept"])
def the_salt_was_rotated_too(edit: Edit) -> None:
    """Everything under the prefix got a new value."""
    one = held(edit, "api-key-salt")
    one["LastChangedDate"] = secret(edit, OTHER)["changed"] = held(edit, "postgres-connection-url")["LastChangedDate"]
    one["SecretVersionsToStages"]["second"] = ["AWSPREVIOUS"]


@mutant(breaks=LATER)
def the_cluster_did_not_sync(edit: Edit) -> None:
    """The next sync is an hour away."""
    secret(edit)["changed"] = PAST


@mutant(breaks=["pods_follow_secrets"])
def the_pods_are_the_old_ones(edit: Edit) -> None:
    """Rotated, synced, and not restarted."""
    newest = max(pod["metadata"]["creationTimestamp"] for pod in edit.objects("pods"))
    secret(edit)["changed"] = newest.replace("Z", ".5Z")


@mutant(breaks=["pods_follow_secrets"])
def one_workload_was_forgotten(edit: Edit) -> None:
    """The worker nobody thinks of."""
    for pod in edit.objects("pods"):
        if pod["metadata"]["name"].startswith("langsmith-ingest-queue-"):
            pod["metadata"]["creationTimestamp"] = PAST


@mutant(breaks=["pods_follow_secrets"])
def the_new_pods_do_not_start(edit: Edit) -> None:
    """The store has a password that the database does not know."""
    next(edit.objects("deployments", "langsmith-backend"))["status"] |= {"readyReplicas": 2, "updatedReplicas": 1}


@mutant(breaks=["pods_follow_secrets"])
def nothing_runs_any_more(edit: Edit) -> None:
    """No pod is older than its Secret, for there is none."""
    one = next(edit.objects("deployments", "langsmith-queue"))
    one["spec"]["replicas"] = 0
    one["status"] |= {"readyReplicas": 0, "updatedReplicas": 0, "replicas": 0}


@mutant(breaks=["keys_complete"])
def a_key_is_missing(edit: Edit) -> None:
    """The ExternalSecret was written anew, with one entry less."""
    secret(edit, OTHER)["keys"].pop("jwt_secret")


@mutant(breaks=["keys_complete"])
def a_key_is_empty(edit: Edit) -> None:
    """The name was made in a hurry, with nothing behind it."""
    secret(edit, OTHER)["keys"]["langsmith_license_key"]["empty"] = True


@mutant(breaks=["nothing_in_plain_text"])
def the_url_is_in_the_values(edit: Edit) -> None:
    """The connection URL as a value: everybody who may read releases has it."""
    next(edit.each("kubernetes", "release"))["leaks"]["postgres.external.connectionUrl"] = "URL with a password"


@mutant(breaks=["nothing_in_plain_text"])
def the_url_is_in_a_config_map(edit: Edit) -> None:
    """A note to oneself."""
    config = next(one for one in edit.objects("configmaps") if "AUTH_TYPE" in one.get("data", {}))
    config["data"]["DATABASE"] = {"value": "<redacted 0>", "leak": "URL with a password"}


@mutant(breaks=["nothing_in_plain_text"])
def a_password_is_in_a_pod(edit: Edit) -> None:
    """A password as a literal."""
    environment(edit, "langsmith-queue").append({"name": "PASSWORD", **LEAK})


@mutant(breaks=["nothing_in_plain_text"])
def a_password_is_in_an_argument(edit: Edit) -> None:
    """A password on the command line."""
    pod = next(edit.objects("deployments", "langsmith-queue"))["spec"]["template"]["spec"]
    pod["containers"][0] |= {"args": ["--password=<redacted 0>"], "leaks": ["literal value of password"]}


@mutant(breaks=["nothing_in_plain_text"])
def a_static_key_is_in_a_pod(edit: Edit) -> None:
    """A key that works from everywhere."""
    environment(edit, "langsmith-queue").append({"name": "AWS_ACCESS_KEY_ID", "value": "<redacted 0>"})


@mutant(breaks=["nothing_in_plain_text"])
def a_static_key_is_in_a_secret(edit: Edit) -> None:
    """A key in a Secret is still a key."""
    reference = {"secretKeyRef": {"name": OTHER, "key": "api_key_salt"}}
    environment(edit, "langsmith-queue").append({"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": reference})


@mutant(breaks=())
def the_url_is_made_of_a_password(edit: Edit) -> None:
    """The template writes the URL, and the store holds the password alone."""
    external(edit)["spec"]["data"] = [{"secretKey": "password", "remoteRef": {"key": "x/password"}}]
    edit.answers("secretsmanager", "list_secrets")[0]["SecretList"].append(
        {**held(edit, "postgres-connection-url"), "Name": "x/password"}
    )


@mutant(breaks=())
def the_password_has_a_new_name(edit: Edit) -> None:
    """A secret of its own, made for the new value."""
    one = held(edit, "postgres-connection-url")
    one |= {"CreatedDate": one["LastChangedDate"], "SecretVersionsToStages": {"first": ["AWSCURRENT"]}}


@mutant(breaks=())
def the_store_is_parameter_store(edit: Edit) -> None:
    """SSM instead of Secrets Manager: a remark."""
    for one in edit.objects("secretstores"):
        one["spec"]["provider"]["aws"]["service"] = "ParameterStore"
    listed = edit.answers("secretsmanager", "list_secrets")[0]["SecretList"]
    parameters = [
        {
            "Name": one["Name"],
            "LastModifiedDate": one["LastChangedDate"],
            "Version": len(one["SecretVersionsToStages"]),
        }
        for one in listed
    ]
    edit.put(Call.of("ssm", "describe_parameters"), {"Parameters": parameters})


@mutant(breaks=())
def the_csi_driver_syncs_it(edit: Edit) -> None:
    """The Secrets Store CSI driver keeps up the Secret, and somebody rotated."""
    _csi(edit)


@mutant(breaks=ROTATED)
def the_csi_driver_syncs_the_old_one(edit: Edit) -> None:
    """It has written nothing since the release was installed."""
    _csi(edit)
    secret(edit)["changed"] = PAST


@mutant(breaks=())
def everything_runs_twice(edit: Edit) -> None:
    """A workload has more pods than before."""
    one = next(edit.objects("deployments", "langsmith-frontend"))
    one["spec"]["replicas"] = 2
    one["status"] |= {"readyReplicas": 2, "updatedReplicas": 2, "replicas": 2}


def _csi(edit: Edit) -> None:
    edit.remove("externalsecrets", OWN)
    secret(edit)["metadata"].pop("ownerReferences")
    served = next(edit.each("kubernetes", "discovery"))["resources"]
    served[CSI] = ["secretproviderclasses", "secretproviderclasspodstatuses"]
    spec = {"provider": "aws", "secretObjects": [{"secretName": OWN, "type": "Opaque"}]}
    status = {"podName": "p", "secretProviderClassName": "app", "mounted": True}
    _list(edit, "secretproviderclasses", {"metadata": {"name": "app", "namespace": "langsmith"}, "spec": spec})
    mounted = {"metadata": {"name": "p", "namespace": "langsmith"}, "status": status}
    _list(edit, "secretproviderclasspodstatuses", mounted)


def _list(edit: Edit, resource: str, value: dict[str, Any]) -> None:
    group, _, version = CSI.partition("/")
    place = {"group": group, "version": version, "resource": resource, "namespace": "langsmith"}
    edit.put(Call.of("kubernetes", "list", **place), {"items": [value]})
