"""Mutants of bucket and secrets."""

import json
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

_OPERATIONS = (
    *("get_bucket_location", "get_bucket_encryption", "get_public_access_block"),
    *("get_bucket_policy", "get_bucket_lifecycle_configuration", "get_bucket_versioning"),
    "get_bucket_tagging",
)


@mutant(breaks=["bucket_exists"])
def bucket_is_gone(edit: Edit) -> None:
    """The bucket was deleted."""
    edit.status("s3", "get_bucket_location", Status.ABSENT, code="NoSuchBucket")


@mutant(breaks=["bucket_exists"])
def bucket_in_another_region(edit: Edit) -> None:
    """The bucket is in another region (SE-46)."""
    for location in edit.answers("s3", "get_bucket_location"):
        location["LocationConstraint"] = "us-west-2"


@mutant(breaks=["bucket_exists", "application_role_limited"])
def target_names_another_bucket(edit: Edit) -> None:
    """The bucket that is meant does not exist, and the role reaches another."""
    edit.scope["bucket"] = "somebody-elses-bucket"
    for operation in _OPERATIONS:
        edit.put(Call.of("s3", operation, Bucket="somebody-elses-bucket"), {})
        edit.status("s3", operation, Status.ABSENT, code="NoSuchBucket", Bucket="somebody-elses-bucket")


@mutant(breaks=["one_account"])
def bucket_of_another_account(edit: Edit) -> None:
    """The bucket is not among those of the account."""
    for answer in edit.answers("s3", "list_buckets"):
        answer["Buckets"] = []


@mutant(breaks=["bucket_lifecycle"])
def no_lifecycle(edit: Edit) -> None:
    """Nothing is ever deleted."""
    edit.status("s3", "get_bucket_lifecycle_configuration", Status.ABSENT, code="NoSuchLifecycleConfiguration")


@mutant(breaks=["bucket_lifecycle"])
def long_lived_go_early(edit: Edit) -> None:
    """Payloads of long-lived traces go a day too early (SE-48)."""
    for rule in _rules(edit, "ttl_l/"):
        rule["Expiration"] = {"Days": 399}


@mutant(breaks=["bucket_lifecycle"])
def short_lived_go_early(edit: Edit) -> None:
    """Payloads of short-lived traces go a day too early."""
    for rule in _rules(edit, "ttl_s/"):
        rule["Expiration"] = {"Days": 13}


@mutant(breaks=["bucket_lifecycle"])
def rule_is_switched_off(edit: Edit) -> None:
    """The rule for short-lived traces is there but off."""
    for rule in _rules(edit, "ttl_s/"):
        rule["Status"] = "Disabled"


@mutant(breaks=["bucket_lifecycle"])
def everything_goes_after_a_month(edit: Edit) -> None:
    """A third rule deletes the whole bucket after 30 days."""
    for answer in edit.answers("s3", "get_bucket_lifecycle_configuration"):
        answer["Rules"].append({"ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 30}})


@mutant(breaks=["bucket_lifecycle"])
def long_lived_are_archived(edit: Edit) -> None:
    """Payloads of long-lived traces move to an archive after 90 days: the trace is there, its payload is not."""
    for rule in _rules(edit, "ttl_l/"):
        rule["Transitions"] = [{"Days": 90, "StorageClass": "DEEP_ARCHIVE"}]


@mutant(breaks=())
def long_lived_move_to_cheaper_storage(edit: Edit) -> None:
    """The same with storage that answers at once."""
    for rule in _rules(edit, "ttl_l/"):
        rule["Transitions"] = [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER_IR"}]


@mutant(breaks=["bucket_lifecycle"])
def deleted_payloads_stay_as_versions(edit: Edit) -> None:
    """Versioning was switched on: what expires is hidden, not gone."""
    for answer in edit.answers("s3", "get_bucket_versioning"):
        answer["Status"] = "Enabled"


@mutant(breaks=())
def earlier_versions_go_too(edit: Edit) -> None:
    """The same, with a rule that deletes what is hidden."""
    deleted_payloads_stay_as_versions.edit(edit)
    for answer in edit.answers("s3", "get_bucket_lifecycle_configuration"):
        clean = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
        answer["Rules"].append({"ID": "versions", "Status": "Enabled", "Filter": {}, **clean})


@mutant(breaks=["bucket_lifecycle"])
def rule_only_for_tagged_objects(edit: Edit) -> None:
    """The rule takes only objects with a tag, which LangSmith never sets."""
    for rule in _rules(edit, "ttl_s/"):
        rule["Filter"] = {"And": {"Prefix": "ttl_s/", "Tags": [{"Key": "old", "Value": "yes"}]}}


@mutant(breaks=())
def objects_stay_longer(edit: Edit) -> None:
    """Objects stay longer than their traces: wasteful, not wrong."""
    for rule in _rules(edit, "ttl_s/"):
        rule["Expiration"] = {"Days": 30}


@mutant(breaks=["bucket_encrypted"])
def bucket_not_encrypted(edit: Edit) -> None:
    """The bucket has no default encryption."""
    edit.status("s3", "get_bucket_encryption", Status.ABSENT, code="ServerSideEncryptionConfigurationNotFoundError")


@mutant(breaks=())
def encrypted_with_keys_of_s3(edit: Edit) -> None:
    """The bucket is encrypted with keys of S3 itself."""
    for rule in edit.each("s3", "get_bucket_encryption", "ServerSideEncryptionConfiguration.Rules"):
        rule["ApplyServerSideEncryptionByDefault"] = {"SSEAlgorithm": "AES256"}


@mutant(breaks=["bucket_blocks_public_access"])
def one_block_is_off(edit: Edit) -> None:
    """Public policies are not blocked."""
    for block in edit.each("s3", "get_public_access_block", "PublicAccessBlockConfiguration"):
        block["BlockPublicPolicy"] = False


@mutant(breaks=["bucket_blocks_public_access"])
def no_block_at_all(edit: Edit) -> None:
    """There is no public access block."""
    edit.status("s3", "get_public_access_block", Status.ABSENT, code="NoSuchPublicAccessBlockConfiguration")


@mutant(breaks=["bucket_refuses_plain_http"])
def bucket_without_policy(edit: Edit) -> None:
    """The bucket has no policy."""
    edit.status("s3", "get_bucket_policy", Status.ABSENT, code="NoSuchBucketPolicy")


@mutant(breaks=["bucket_refuses_plain_http"])
def policy_denies_one_role_only(edit: Edit) -> None:
    """The policy refuses plain HTTP to one role, not to everybody."""
    _policy(edit, Principal={"AWS": "arn:aws:iam::111122223333:role/somebody"})


@mutant(breaks=["bucket_refuses_plain_http"])
def policy_denies_only_writes(edit: Edit) -> None:
    """Reading without TLS is not denied."""
    _policy(edit, Action="s3:PutObject")


@mutant(breaks=["service_accounts_reach_bucket"])
def policy_denies_the_application(edit: Edit) -> None:
    """The bucket's policy denies writing to everybody."""
    for answer in edit.answers("s3", "get_bucket_policy"):
        policy = json.loads(answer["Policy"])
        own = policy["Statement"][0]["Resource"]
        policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": own})
        answer["Policy"] = json.dumps(policy)


@mutant(breaks=())
def policy_limits_to_the_endpoint(edit: Edit) -> None:
    """The bucket's policy denies what does not come through the VPC's S3 endpoint."""
    endpoints = edit.each("ec2", "describe_vpc_endpoints", "VpcEndpoints")
    own = [endpoint["VpcEndpointId"] for endpoint in endpoints if endpoint["ServiceName"].endswith(".s3")]
    for answer in edit.answers("s3", "get_bucket_policy"):
        policy = json.loads(answer["Policy"])
        elsewhere = {"StringNotEquals": {"aws:SourceVpce": own}}
        resource = policy["Statement"][0]["Resource"]
        policy["Statement"].append(
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*Object", "Resource": resource, "Condition": elsewhere}
        )
        answer["Policy"] = json.dumps(policy)


@mutant(breaks=["service_accounts_reach_bucket", "s3_stays_inside"])
def policy_limits_to_a_vpc_that_s3_does_not_see(edit: Edit) -> None:
    """The bucket's policy asks for the VPC, and no endpoint tells S3 of it: pods come by the NAT gateway."""
    for answer in edit.answers("ec2", "describe_vpc_endpoints"):
        answer["VpcEndpoints"] = []
    for answer in edit.answers("s3", "get_bucket_policy"):
        policy = json.loads(answer["Policy"])
        own = next(edit.each("ec2", "describe_vpcs", "Vpcs"))["VpcId"]
        shut = {"Condition": {"StringNotEquals": {"aws:SourceVpc": own}}, "Effect": "Deny", "Principal": "*"}
        policy["Statement"].append(shut | {"Action": "s3:*Object", "Resource": policy["Statement"][0]["Resource"]})
        answer["Policy"] = json.dumps(policy)


@mutant(breaks=["service_accounts_reach_bucket"])
def endpoint_passes_other_buckets_only(edit: Edit) -> None:
    """The endpoint's policy allows the buckets of the container images and forgets LangSmith's."""
    images = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    images["Resource"] = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
    for endpoint in edit.each("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        endpoint["PolicyDocument"] = json.dumps({"Statement": [images]})


@mutant(breaks=["secrets_found"])
def no_secrets(edit: Edit) -> None:
    """There is no secret at all."""
    for answer in edit.answers("secretsmanager", "list_secrets"):
        answer["SecretList"] = []


@mutant(breaks=["secrets_in_secrets_manager"])
def parameters_instead_of_secrets(edit: Edit) -> None:
    """The secrets are SecureString parameters in SSM, as the official Terraform keeps them: accepted, not preferred."""
    for answer in edit.answers("secretsmanager", "list_secrets"):
        names = [secret["Name"] for secret in answer["SecretList"]]
        answer["SecretList"] = []
    for answer in edit.answers("ssm", "describe_parameters"):
        answer["Parameters"] = [{"Name": f"/{name}", "Type": "SecureString"} for name in names]
    for statement in edit.each("iam", "get_role_policy", "PolicyDocument.Statement"):
        if "secretsmanager:GetSecretValue" in statement["Action"]:
            region, account = edit.scope["region"], str(statement["Resource"]).split(":")[4]
            prefix = names[0].partition("/")[0]
            statement["Action"] = ["ssm:GetParameter", "ssm:GetParametersByPath"]
            statement["Resource"] = f"arn:aws:ssm:{region}:{account}:parameter/{prefix}/*"


def _rules(edit: Edit, prefix: str) -> list[dict[str, Any]]:
    rules = edit.each("s3", "get_bucket_lifecycle_configuration", "Rules")
    return [rule for rule in rules if rule.get("Filter", {}).get("Prefix") == prefix]


def _policy(edit: Edit, **changes: Any) -> None:
    for answer in edit.answers("s3", "get_bucket_policy"):
        policy = json.loads(answer["Policy"])
        for statement in policy["Statement"]:
            statement.update(changes)
        answer["Policy"] = json.dumps(policy)
