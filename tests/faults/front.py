"""What stands in front of a small system, and the role it has: name, certificate, security group, permissions."""

import json
from typing import Any

from hallmark.targets.profile import Profile

ROLE = "app"
CERTIFICATE = "alb.ingress.kubernetes.io/certificate-arn"
INGRESS = "networking.k8s.io/v1/ingresses"
CLIENTS = "203.0.113.0/24"


def build(aws: Any, profile: Profile, balancer: str, vpc: str) -> str:
    """Put it there; return the ARN of the certificate."""
    certificate: str = aws.client("acm").request_certificate(DomainName=profile.host)["CertificateArn"]
    elb = aws.client("elbv2")
    elb.set_security_groups(LoadBalancerArn=balancer, SecurityGroups=[_group(aws.client("ec2"), vpc)])
    answer = {"StatusCode": "200", "ContentType": "text/plain"}
    elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
    )  # fmt: skip
    found = elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    _name(aws.client("route53"), profile, found)
    return certificate


def ingress(certificate: str) -> dict[str, Any]:
    """An Ingress of the release that names the certificate."""
    labels = {"app.kubernetes.io/name": "langsmith", "app.kubernetes.io/instance": "langsmith"}
    annotations = {CERTIFICATE: certificate, "alb.ingress.kubernetes.io/scheme": "internet-facing"}
    backend = {"service": {"name": "langsmith-backend", "port": {"number": 80}}}
    metadata = {"name": "langsmith-ingress", "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "spec": {"defaultBackend": backend}}


def state(aws: Any, stage: Any) -> dict[str, Any]:
    """Everything of it that a fault may touch."""
    iam, dns = aws.client("iam"), aws.client("route53")
    zones = dns.list_hosted_zones()["HostedZones"]
    policies = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    certificates = aws.client("acm").list_certificates()["CertificateSummaryList"]
    return {
        "records": [dns.list_resource_record_sets(HostedZoneId=each["Id"])["ResourceRecordSets"] for each in zones],
        "trust": iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"],
        "policies": {each: iam.get_role_policy(RoleName=ROLE, PolicyName=each)["PolicyDocument"] for each in policies},
        "attached": iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"],
        "certificates": sorted(each["CertificateArn"] for each in certificates),
        "ingress": stage.get(f"{INGRESS}/langsmith-ingress")["metadata"]["annotations"],
    }


def _group(ec2: Any, vpc: str) -> str:
    group: str = ec2.create_security_group(GroupName="lab-alb", Description="lab-alb", VpcId=vpc)["GroupId"]
    for port, note in ((443, "HTTPS"), (9443, "not a listener")):
        peer = {"IpRanges": [{"CidrIp": CLIENTS, "Description": note}]}
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return group


def _name(dns: Any, profile: Profile, balancer: Any) -> None:
    domain = profile.host.partition(".")[2]
    zone = dns.create_hosted_zone(Name=domain, CallerReference=profile.account)["HostedZone"]["Id"]
    alias = {"HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": f"{balancer['DNSName']}.",
             "EvaluateTargetHealth": True}  # fmt: skip
    note = '"heritage=external-dns,external-dns/owner=lab,external-dns/resource=ingress/langsmith/langsmith-ingress"'
    text = {"Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": note}]}
    records = [
        {"Name": f"{profile.host}.", "Type": "A", "AliasTarget": alias},
        {"Name": f"cname-{profile.host}.", **text},
        {"Name": f"cname-other.{domain}.", **text},
    ]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": each} for each in records]}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def role(iam: Any, profile: Profile) -> None:
    """Make the role of the service accounts of one namespace."""
    subjects = [f"system:serviceaccount:{profile.namespace}:langsmith-{each}" for each in ("backend", "queue")]
    provider = "oidc.eks.us-east-1.amazonaws.com/id/LAB"
    trust = {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{profile.account}:oidc-provider/{provider}"},
        "Condition": {"StringEquals": {f"{provider}:sub": subjects, f"{provider}:aud": "sts.amazonaws.com"}},
    }  # fmt: skip
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_document(trust))
    bucket = "arn:aws:s3:::lab-traces"
    objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{bucket}/*"}
    metrics = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket}
    for name, statement in (("objects", objects), ("metrics", metrics)):
        iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=_document(statement))
    made = iam.create_policy(PolicyName="listing", PolicyDocument=_document(listing))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=made)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
