"""What can be wrong with blob storage and the pods' roles, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

USING = ("langsmith-backend", "langsmith-platform-backend", "langsmith-queue", "langsmith-ingest-queue")
ROLE = "eks.amazonaws.com/role-arn"
IRSA = frozenset({"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"})


def _environment(edit: Edit, workload: str) -> list[dict[str, Any]]:
    deployment = next(edit.objects("deployments", workload))
    variables: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return variables


def _set(edit: Edit, name: str, value: str, workloads: tuple[str, ...] = USING) -> None:
    for workload in workloads:
        for variable in _environment(edit, workload):
            if variable["name"] == name:
                variable["value"] = value


def _account(edit: Edit, workload: str) -> dict[str, Any]:
    deployment = next(edit.objects("deployments", workload))
    return next(edit.objects("serviceaccounts", deployment["spec"]["template"]["spec"]["serviceAccountName"]))


def _pods(edit: Edit, workload: str) -> Iterator[dict[str, Any]]:
    selector = next(edit.objects("deployments", workload))["spec"]["selector"]["matchLabels"]
    return (pod for pod in edit.objects("pods") if selector.items() <= pod["metadata"].get("labels", {}).items())


def _without_irsa(pod: dict[str, Any]) -> None:
    for container in pod["spec"]["containers"]:
        container["env"] = [one for one in container.get("env", []) if one["name"] not in IRSA]


@mutant(breaks=["blob_storage_on"])
def blob_storage_is_off(edit: Edit) -> None:
    """Everything lands in the databases."""
    _set(edit, "FF_BLOB_STORAGE_ENABLED", "false")


@mutant(breaks=["blob_storage_on"])
def one_worker_does_not_know_the_bucket(edit: Edit) -> None:
    """The ingestion workers write payloads, and were forgotten."""
    variables = _environment(edit, "langsmith-ingest-queue")
    variables[:] = [one for one in variables if "BLOB" not in one["name"] and not one["name"].startswith("S3_")]


@mutant(breaks=["blob_storage_on"])
def bucket_has_no_name(edit: Edit) -> None:
    """Switched on and left empty."""
    _set(edit, "S3_BUCKET_NAME", "")


@mutant(breaks=["blob_storage_on"])
def bucket_does_not_exist(edit: Edit) -> None:
    """A name with a typing error in it."""
    for operation in ("location", "encryption", "policy", "lifecycle_configuration", "tagging"):
        edit.status("s3", f"get_bucket_{operation}", Status.ABSENT, "NoSuchBucket")
    edit.status("s3", "get_public_access_block", Status.ABSENT, "NoSuchBucket")


@mutant(breaks=["blob_storage_on"])
def bucket_is_somebody_elses(edit: Edit) -> None:
    """It exists in another account, which now has your traces."""
    for answer in edit.answers("s3", "list_buckets"):
        answer["Buckets"] = []


@mutant(breaks=["blob_region"])
def address_is_of_another_region(edit: Edit) -> None:
    """The chart's default."""
    _set(edit, "S3_API_URL", "https://s3.us-west-2.amazonaws.com")


@mutant(breaks=["blob_region"])
def address_was_misspelt(edit: Edit) -> None:
    """The example's apiUrl is a key the chart does not know."""
    next(edit.each("kubernetes", "release"))["values"]["config"]["blobStorage"] = {"apiUrl": "x"}
    _set(edit, "S3_API_URL", "https://s3.us-west-2.amazonaws.com")


@mutant(breaks=[])
def address_of_the_endpoint(edit: Edit) -> None:
    """An interface endpoint, or the dual-stack name, is in the region, too."""
    _set(edit, "S3_API_URL", "https://s3.dualstack.us-east-1.amazonaws.com:443/")


@mutant(breaks=["blob_threshold"])
def threshold_is_high(edit: Edit) -> None:
    """Payloads up to a megabyte stay in ClickHouse."""
    _set(edit, "MIN_BLOB_STORAGE_SIZE_KB", "1024")


@mutant(breaks=[])
def everything_goes_to_the_bucket(edit: Edit) -> None:
    """No threshold at all."""
    _set(edit, "MIN_BLOB_STORAGE_SIZE_KB", "0")


@mutant(breaks=["accounts_have_role"])
def one_account_has_no_role(edit: Edit) -> None:
    """The documentation lists three service accounts; there are four."""
    _account(edit, "langsmith-ingest-queue")["metadata"]["annotations"].pop(ROLE)


@mutant(breaks=["accounts_have_role"])
def role_is_another(edit: Edit) -> None:
    """The annotation names a role that does not trust the account."""
    annotations = _account(edit, "langsmith-queue")["metadata"]["annotations"]
    annotations[ROLE] = "arn:aws:iam::111122223333:role/somebody-elses"


@mutant(breaks=["accounts_have_role"])
def role_trusts_another_namespace(edit: Edit) -> None:
    """The trust policy still names the namespace of the old installation."""
    role = _account(edit, "langsmith-backend")["metadata"]["annotations"][ROLE].rpartition("/")[2]
    for got in _described(edit, role):
        for condition in got["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].values():
            for key, value in condition.items():
                if key.endswith(":sub"):
                    condition[key] = _elsewhere(value)


@mutant(breaks=["pods_carry_role"])
def pods_are_older_than_the_annotation(edit: Edit) -> None:
    """Annotated, and not restarted."""
    for pod in _pods(edit, "langsmith-platform-backend"):
        _without_irsa(pod)


@mutant(breaks=["pods_carry_role"])
def one_pod_is_older_than_the_annotation(edit: Edit) -> None:
    """One of two."""
    _without_irsa(next(_pods(edit, "langsmith-backend")))


@mutant(breaks=["pods_carry_role"])
def pods_have_the_role_of_before(edit: Edit) -> None:
    """The annotation names another role by now, and nobody restarted what runs with the old one."""
    for pod in _pods(edit, "langsmith-queue"):
        for variable in pod["spec"]["containers"][0]["env"]:
            if variable["name"] == "AWS_ROLE_ARN":
                variable["value"] = "arn:aws:iam::111122223333:role/before"


@mutant(breaks=[])
def pod_identity_instead(edit: Edit) -> None:
    """An association instead of an annotation; the agent's address in the pods."""
    role = _account(edit, "langsmith-backend")["metadata"]["annotations"][ROLE]
    cluster = edit.scope["cluster"]
    listed = []
    for rank, workload in enumerate(USING):
        account = _account(edit, workload)
        account["metadata"]["annotations"].pop(ROLE)
        bound = {"namespace": "langsmith", "serviceAccount": account["metadata"]["name"], "roleArn": role}
        listed.append({"associationId": f"a-{rank}", **bound})
        call = Call.of("eks", "describe_pod_identity_association", clusterName=cluster, associationId=f"a-{rank}")
        edit.put(call, {"association": {"associationId": f"a-{rank}", **bound}})
        for pod in _pods(edit, workload):
            _without_irsa(pod)
            address = {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"}
            pod["spec"]["containers"][0]["env"].append(address)
    for answer in edit.answers("eks", "list_pod_identity_associations"):
        answer["associations"] = listed
    agent = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}}
    statement = agent | {"Action": ["sts:AssumeRole", "sts:TagSession"]}
    for got in _described(edit, role.rpartition("/")[2]):
        got["AssumeRolePolicyDocument"]["Statement"] = [statement]


@mutant(breaks=["node_without_s3"])
def node_reads_the_bucket(edit: Edit) -> None:
    """Somebody gave the nodes what the pods were missing."""
    _grant(edit, "AmazonEKSWorkerNodePolicy", ["s3:GetObject"])


@mutant(breaks=["no_static_keys", "no_plaintext_secrets"])
def keys_in_the_values(edit: Edit) -> None:
    """As in the chart's example."""
    release = next(edit.each("kubernetes", "release"))
    release["values"].setdefault("config", {})["blobStorage"] = {"accessKey": "<redacted 0>"}
    release["leaks"]["config.blobStorage.accessKey"] = "AWS access key id"


@mutant(breaks=["no_static_keys"])
def keys_in_the_secret(edit: Edit) -> None:
    """The optional keys of the application's Secret are filled."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        if "api_key_salt" in secret["keys"]:
            secret["keys"]["blob_storage_access_key"] = {"empty": False, "digest": "<redacted 0>"}
            secret["keys"]["blob_storage_access_key_secret"] = {"empty": False, "digest": "<redacted 0>"}


@mutant(breaks=["no_static_keys"])
def keys_for_the_sdk(edit: Edit) -> None:
    """Static credentials of the AWS SDK, by reference."""
    reference = {"secretKeyRef": {"name": "langsmith-config", "key": "jwt_secret"}}
    _environment(edit, "langsmith-queue").append({"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": reference})


@mutant(breaks=["no_static_keys", "no_plaintext_secrets"])
def keys_in_a_literal(edit: Edit) -> None:
    """Static credentials in the pod's environment."""
    leak = {"value": "<redacted 0>", "leak": "AWS access key id"}
    _environment(edit, "langsmith-backend").append({"name": "AWS_ACCESS_KEY_ID", **leak})


def _described(edit: Edit, role: str) -> Iterator[dict[str, Any]]:
    """The role as itself and in the list of all: AWS says the same of it in both."""
    yield from edit.each("iam", "get_role", "Role", RoleName=role)
    yield from (one for one in edit.each("iam", "list_roles", "Roles") if one["RoleName"] == role)


def _elsewhere(value: Any) -> Any:
    if isinstance(value, list):
        return [_elsewhere(each) for each in value]
    return value.replace("serviceaccount:langsmith:", "serviceaccount:previous:")


def _grant(edit: Edit, policy: str, actions: list[str]) -> None:
    for version in edit.each(
        "iam", "get_policy_version", "PolicyVersion", PolicyArn=f"arn:aws:iam::aws:policy/{policy}"
    ):
        version["Document"]["Statement"].append({"Effect": "Allow", "Action": actions, "Resource": "*"})
