"""Regions of services, found without their descriptions, are those that botocore finds with them."""

import json
import subprocess
import sys

SERVICES = ("ec2", "iam", "rds", "s3", "sts", "eks", "elbv2", "elasticache", "wafv2", "logs", "acm", "eks-auth", "none")
ASK = f"""
import boto3, json
ask = boto3.session.Session().get_available_regions
answers = [ask(s, p, n) for s in {SERVICES} for p in ("aws", "aws-cn", "aws-us-gov") for n in (True, False)]
print(json.dumps(answers))
"""


def test_the_server_knows_the_regions_that_botocore_does() -> None:
    """In processes of their own, because it is changed for a whole process; a service that is none has no region."""
    said = [
        json.loads(subprocess.run([sys.executable, "-c", each], capture_output=True, text=True, check=True).stdout)
        for each in (ASK, f"from hallmark.twin.aws import regions; regions.apply(){ASK}")
    ]

    assert sum(map(len, said[0])) > 100
    assert said[0] == said[1]
