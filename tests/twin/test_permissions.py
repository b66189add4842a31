"""Sessions of roles may do what the role's policies allow; the account itself may do everything."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from hallmark.twin.clients import Clients

Session = Callable[..., Callable[[str], Any]]


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


@pytest.fixture
def session(aws: Clients, emulator: Any, account: str) -> Iterator[Session]:
    """Make a role with these statements and give clients that act as it."""
    made: list[Any] = []

    def make(*statements: dict[str, Any], boundary: str = "") -> Callable[[str], Any]:
        iam, trust = aws("iam"), _document({"Principal": {"AWS": account}, "Action": "sts:AssumeRole"})
        limit = {"PermissionsBoundary": boundary} if boundary else {}
        role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust, **limit)["Role"]["Arn"]
        iam.put_role_policy(RoleName="worker", PolicyName="own", PolicyDocument=_document(*statements))
        given = aws("sts").assume_role(RoleArn=role, RoleSessionName="run")["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

        def client(service: str) -> Any:
            made.append(boto3.client(service, region_name="us-east-1", endpoint_url=emulator.endpoint, **keys))
            return made[-1]

        return client

    yield make
    for each in made:
        each.close()


def test_what_is_allowed_passes_and_the_rest_does_not(session: Session, account: str, refused: Any) -> None:
    """With AWS's words, which name caller, action, resource and reason."""
    act = session({"Action": "ec2:DescribeVolumes", "Resource": "*"})

    assert act("ec2").describe_volumes()["Volumes"] == []
    assert act("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{account}:assumed-role/worker/run"
    words = (
        f"You are not authorized to perform this operation. User: arn:aws:sts::{account}:assumed-role/worker/run is "
        f"not authorized to perform: ec2:CreateVolume on resource: arn:aws:ec2:us-east-1:{account}:volume/* because "
        "no identity-based policy allows the ec2:CreateVolume action"
    )
    with refused("UnauthorizedOperation", words):
        act("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "action"),
    [
        ("autoscaling", "describe_auto_scaling_groups", {}, "AccessDenied", "autoscaling:DescribeAutoScalingGroups"),
        ("elbv2", "describe_load_balancers", {}, "AccessDenied", "elasticloadbalancing:DescribeLoadBalancers"),
        ("wafv2", "list_web_acls", {"Scope": "REGIONAL"}, "AccessDeniedException", "wafv2:ListWebACLs"),
        ("acm", "list_certificates", {}, "AccessDeniedException", "acm:ListCertificates"),
        ("route53", "list_hosted_zones", {}, "AccessDenied", "route53:ListHostedZones"),
        ("logs", "create_log_group", {"logGroupName": "x"}, "AccessDeniedException", "logs:CreateLogGroup"),
        ("kms", "list_keys", {}, "AccessDeniedException", "kms:ListKeys"),
        ("ssm", "get_parameter", {"Name": "x"}, "AccessDeniedException", "ssm:GetParameter"),
        ("secretsmanager", "list_secrets", {}, "AccessDeniedException", "secretsmanager:ListSecrets"),
        ("eks", "describe_cluster", {"name": "x"}, "AccessDeniedException", "eks:DescribeCluster"),
        ("s3", "list_buckets", {}, "AccessDenied", "s3:ListAllMyBuckets"),
        ("iam", "list_roles", {}, "AccessDenied", "iam:ListRoles"),
    ],
)
def test_each_service_refuses_in_its_way(
    *, session: Session, refused: Any, service: str, operation: str, parameters: dict[str, Any], code: str, action: str
) -> None:
    """The code is the service's, the words name the permission."""
    act = session({"Action": "sns:Publish", "Resource": "*"})

    with refused(code, f"is not authorized to perform: {action} on resource: "):
        getattr(act(service), operation)(**parameters)


def test_a_secret_is_refused_by_its_arn_and_by_its_key(session: Session, aws: Clients, refused: Any) -> None:
    """Reading an encrypted secret needs the key as well."""
    key = aws("kms").create_key()["KeyMetadata"]
    mine = aws("secretsmanager").create_secret(Name="lab/mine", SecretString="a", KmsKeyId=key["KeyId"])["ARN"]
    aws("secretsmanager").create_secret(Name="lab/plain", SecretString="b")
    aws("secretsmanager").create_secret(Name="other", SecretString="c")
    pattern = mine.rpartition("mine")[0] + "*"
    act = session({"Action": "secretsmanager:GetSecretValue", "Resource": pattern})("secretsmanager")

    assert act.get_secret_value(SecretId="lab/plain")["SecretString"] == "b"
    with refused("AccessDeniedException", "secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager"):
        act.get_secret_value(SecretId="other")
    with refused("AccessDeniedException", "Access to KMS is not allowed"):
        act.get_secret_value(SecretId="lab/mine")
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    decrypt = {"Action": "kms:Decrypt", "Resource": key["Arn"], "Condition": via}
    aws("iam").put_role_policy(RoleName="worker", PolicyName="key", PolicyDocument=_document(decrypt))
    assert act.get_secret_value(SecretId="lab/mine")["SecretString"] == "a"


def test_objects_are_refused_by_bucket_key_and_encryption(session: Session, aws: Clients, refused: Any) -> None:
    """Another bucket, another action, the bucket's policy, the bucket's key."""
    s3, bucket = aws("s3"), f"traces-{aws.account}"
    s3.create_bucket(Bucket=bucket)
    objects = f"arn:aws:s3:::{bucket}/*"
    act = session({"Action": ["s3:PutObject", "s3:GetObject"], "Resource": objects})("s3")

    act.put_object(Bucket=bucket, Key="ttl_s/a", Body=b"1")
    assert act.get_object(Bucket=bucket, Key="ttl_s/a")["Body"].read() == b"1"
    with refused("AccessDenied", f's3:DeleteObject on resource: "arn:aws:s3:::{bucket}/ttl_s/a"'):
        act.delete_object(Bucket=bucket, Key="ttl_s/a")
    with refused("AccessDenied", f's3:ListBucket on resource: "arn:aws:s3:::{bucket}"'):
        act.list_objects_v2(Bucket=bucket)
    key = aws("kms").create_key()["KeyMetadata"]["Arn"]
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    with refused("AccessDenied", f"kms:GenerateDataKey on resource: {key} because no"):
        act.put_object(Bucket=bucket, Key="ttl_s/b", Body=b"2")
    s3.delete_bucket_encryption(Bucket=bucket)
    role = f"arn:aws:iam::{aws.account}:role/worker"
    listing = {"Principal": {"AWS": role}, "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    s3.put_bucket_policy(Bucket=bucket, Policy=_document(listing))
    assert act.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    s3.put_bucket_policy(Bucket=bucket, Policy=_document(listing, listing | {"Effect": "Deny"}))
    with refused("AccessDenied", "with an explicit deny in a resource-based policy"):
        act.list_objects_v2(Bucket=bucket)


def test_tags_of_the_request_and_of_the_resource_count(session: Session, aws: Clients, refused: Any) -> None:
    """As the policies of EBS CSI driver and autoscaler need it."""
    create = {"StringEquals": {"aws:RequestTag/ebs.csi.aws.com/cluster": "true"}}
    delete = {"StringEquals": {"ec2:ResourceTag/ebs.csi.aws.com/cluster": "true"}}
    act = session(
        {"Action": "ec2:CreateVolume", "Resource": "*", "Condition": create},
        {"Action": "ec2:DeleteVolume", "Resource": "*", "Condition": delete},
    )("ec2")
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "ebs.csi.aws.com/cluster", "Value": "true"}]}]
    size = {"AvailabilityZone": "us-east-1a", "Size": 1}

    made = act.create_volume(**size, TagSpecifications=tags)["VolumeId"]
    with refused("UnauthorizedOperation", "ec2:CreateVolume"):
        act.create_volume(**size)
    other = aws("ec2").create_volume(**size)["VolumeId"]
    with refused("UnauthorizedOperation", f"volume/{other}"):
        act.delete_volume(VolumeId=other)
    act.delete_volume(VolumeId=made)


def test_a_boundary_limits(session: Session, aws: Clients, refused: Any) -> None:
    """And the words name it."""
    limit = aws("iam").create_policy(PolicyName="limit", PolicyDocument=_document({"Action": "s3:*", "Resource": "*"}))[
        "Policy"
    ]["Arn"]
    act = session({"Action": "ec2:*", "Resource": "*"}, boundary=limit)

    with refused("UnauthorizedOperation", "because no permissions boundary allows the ec2:DescribeVolumes action"):
        act("ec2").describe_volumes()


def test_an_unknown_session_is_refused(emulator: Any, refused: Any) -> None:
    """Instead of being answered from an account that is nobody's."""
    keys = {"aws_access_key_id": "ASIAAAAAAAAAAAAAAAAA", "aws_secret_access_key": "x", "aws_session_token": "x"}
    where = {"region_name": "us-east-1", "endpoint_url": emulator.endpoint}

    ec2, secrets = boto3.client("ec2", **where, **keys), boto3.client("secretsmanager", **where, **keys)
    with refused("AuthFailure", "AWS was not able to validate"):
        ec2.describe_volumes()
    with refused("UnrecognizedClientException", "The security token included in the request is invalid."):
        secrets.list_secrets()
    ec2.close()
    secrets.close()
