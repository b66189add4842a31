"""What a request asks permission for: one question for each resource it names.

Source: Service authorization reference, the table of actions of each service.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.utils import get_service_model
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.secretsmanager.models import secretsmanager_backends

from hallmark.twin.aws.extension.permissions.encryption import decryption, object_key, policies
from hallmark.twin.aws.extension.permissions.refusals import Question

SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
READING = re.compile(r"(Describe|List)[A-Z]")
EC2_KINDS = {"i": "instance", "vol": "volume", "sg": "security-group", "subnet": "subnet", "vpc": "vpc"}
OBJECT_ACTIONS = {"GetObject", "PutObject", "DeleteObject"}
Parameters = Mapping[str, Any]
Finder = Callable[[Any, str, Parameters], Iterator[Question]]


def service_of(request: Any) -> str:
    """The service a request was signed for, which is the prefix of its permissions."""
    signed = SCOPE.search(request.headers.get("Authorization", ""))
    return signed["service"] if signed else ""


def of(request: Any, service: str, action: str) -> list[Question]:
    """Give what a call of any service but S3 needs.

    Args:
        request: moto's request.
        service: Prefix of the permission.
        action: The permission.
    """
    finder = FINDERS.get(service)
    parameters = _parameters(request)
    found = list(finder(request, action, parameters)) if finder else []
    return found or [Question(action, request_tags=_request_tags(parameters))]


def of_s3(request: Any, bucket: str | None, key: str | None) -> list[Question]:
    """Give what a call of S3 needs; an encrypted bucket needs its key too."""
    name = str(request.data.get("Action", ""))
    name = "ListBucket" if name == "HeadBucket" else name
    if name == "ListAllMyBuckets" or not bucket:
        return [Question(f"s3:{name}")]
    inside = key or ("*" if name in OBJECT_ACTIONS else "")
    resource = f"arn:{request.partition}:s3:::{bucket}" + (f"/{inside}" if inside else "")
    kept = request.backend.buckets.get(bucket)
    documents = policies(kept.policy) if kept and kept.policy else ()
    return [Question(f"s3:{name}", resource, documents=documents), *object_key(request, kept, name)]


def _secret(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    if not parameters.get("SecretId"):
        return
    name = str(parameters["SecretId"])
    secrets = secretsmanager_backends[request.current_account][request.region].secrets
    secret = secrets.get(name)
    arn = secret.arn if secret else name if name.startswith("arn:") else _arn(request, f"secret:{name}-*")
    yield Question(action, arn)
    key = getattr(secret, "kms_key_id", None)  # a replica has none
    if key and action == "secretsmanager:GetSecretValue":
        yield decryption(request, key, "secretsmanager", "Access to KMS is not allowed")


def _parameter(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    names = [parameters.get("Name"), parameters.get("Path"), *(parameters.get("Names") or [])]
    for name in filter(None, names):
        arn = name if name.startswith("arn:") else _arn(request, f"parameter/{name.lstrip('/')}", "ssm")
        yield Question(action, arn)


def _zone(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    zone = parameters.get("Id") or parameters.get("HostedZoneId") or parameters.get("ResourceId")
    if zone:
        yield Question(action, f"arn:{request.partition}:route53:::hostedzone/{str(zone).rpartition('/')[2]}")


def _log_group(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    if parameters.get("logGroupName") and not READING.search(action):
        stream = f"log-stream:{parameters.get('logStreamName')}" if action == "logs:PutLogEvents" else "*"
        yield Question(action, _arn(request, f"log-group:{parameters['logGroupName']}:{stream}", "logs"))


def _key(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    if parameters.get("KeyId"):
        yield decryption(request, parameters["KeyId"], "", "", action)


def _scaling_group(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    groups = autoscaling_backends[request.current_account][request.region].autoscaling_groups
    wanted = (parameters.get("AutoScalingGroupName"), parameters.get("InstanceId"))
    if READING.search(action) or not any(wanted):
        return
    for group in groups.values():
        members = {state.instance.id for state in group.instance_states}
        if group.name == wanted[0] or wanted[1] in members:
            yield Question(action, group.arn, resource_tags={one["Key"]: one["Value"] for one in group.tags})


def _balancing(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    if READING.search(action):
        return
    tags, name = _request_tags(parameters), parameters.get("Name")
    if action.endswith(":CreateLoadBalancer"):
        kind = {"network": "net", "gateway": "gwy"}.get(str(parameters.get("Type")), "app")
        yield Question(
            action, _arn(request, f"loadbalancer/{kind}/{name}/*", "elasticloadbalancing"), request_tags=tags
        )
    elif action.endswith(":CreateTargetGroup"):
        yield Question(action, _arn(request, f"targetgroup/{name}/*", "elasticloadbalancing"), request_tags=tags)
    known = elbv2_backends[request.current_account][request.region].tagging_service
    single = ("LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn")
    for arn in [*filter(None, (parameters.get(one) for one in single)), *(parameters.get("ResourceArns") or [])]:
        # Whether listeners and rules carry tags depends on who made them: theirs are left open.
        has = known.get_tag_dict_for_resource(arn) if "/listener" not in arn and ":listener" not in arn else None
        yield Question(action, arn, request_tags=tags, resource_tags=has)


def _firewall(_: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    if action == "wafv2:AssociateWebACL":
        yield from (Question(action, parameters[name]) for name in ("WebACLArn", "ResourceArn") if name in parameters)
    elif action == "wafv2:DisassociateWebACL" and "ResourceArn" in parameters:
        yield Question(action, parameters["ResourceArn"])


def _machine(request: Any, action: str, parameters: Parameters) -> Iterator[Question]:
    if READING.search(action):
        return
    tags = _request_tags(parameters)
    fixed = {"ec2:CreateVolume": "volume/*", "ec2:CreateSecurityGroup": "security-group/*"}
    if action in fixed:
        yield Question(action, _arn(request, fixed[action], "ec2"), request_tags=tags)
    single = ("VolumeId", "InstanceId", "GroupId", "VpcId")
    names = [*(parameters.get(one) for one in single), *(parameters.get("Resources") or [])]
    for name in filter(None, names):
        kind = EC2_KINDS.get(str(name).partition("-")[0])
        if kind:
            has = dict(ec2_backends[request.current_account][request.region].tags.get(name, {}))
            yield Question(action, _arn(request, f"{kind}/{name}", "ec2"), request_tags=tags, resource_tags=has)


FINDERS: Mapping[str, Finder] = {
    "autoscaling": _scaling_group,
    "ec2": _machine,
    "elasticloadbalancing": _balancing,
    "kms": _key,
    "logs": _log_group,
    "route53": _zone,
    "secretsmanager": _secret,
    "ssm": _parameter,
    "wafv2": _firewall,
}


def _arn(request: Any, resource: str, service: str = "secretsmanager") -> str:
    return f"arn:{request.partition}:{service}:{request.region}:{request.current_account}:{resource}"


def _parameters(request: Any) -> dict[str, Any]:
    """The request's parameters as the SDK was given them, by the service's own description."""
    if request.automated_parameter_parsing:
        return dict(request.params)
    model = get_service_model(request.boto3_service_name)
    http = request.normalized_request
    parser = PROTOCOL_PARSERS[determine_request_protocol(model, http.content_type)](
        model.operation_model(request._get_action()),  # noqa: SLF001  (moto's own dispatch calls it)
        map_type=dict,
    )
    return dict(
        parser.parse(
            {
                "method": http.method,
                "values": http.values,
                "headers": http.headers,
                "body": http.data,
                "url_path": http.path,
                "url_params": request.uri_match,
            }
        )
    )


def _request_tags(parameters: Parameters) -> dict[str, str] | None:
    listed = parameters.get("Tags") or [
        tag for one in parameters.get("TagSpecifications") or [] for tag in one.get("Tags") or []
    ]
    if isinstance(listed, Mapping):
        return {str(key): str(value) for key, value in listed.items()}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in listed if "Key" in tag}
