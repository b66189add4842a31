"""Accounts: an access key of 12 digits is the account it belongs to, as in LocalStack.

So every learner, and every test, has an account of its own in one server. AWS's managed policies exist in each.
"""

import os
import re
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.iam import models as iam

from hallmark.twin.aws.extension.patching import Function, around

CREDENTIAL = re.compile(r"Credential=(\d{12})/")


def install() -> None:
    """Read the account from the credential; load AWS's managed policies."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # moto reads it when an account is first used
    around(BaseResponse, "get_access_key")(_access_key)
    around(iam, "get_account_id_from")(_account)


def _access_key(original: Function, response: BaseResponse) -> Any:
    credential = CREDENTIAL.search(response.headers.get("Authorization", ""))
    return credential[1] if credential else original(response)


def _account(_original: Function, access_key: str) -> str:
    # moto would make an IAM of every partition, in every account, to find a key.
    if re.fullmatch(r"\d{12}", access_key):
        return access_key
    for account, partitions in list(iam.iam_backends.items()):
        if "aws" in dict.keys(partitions) and access_key in partitions["aws"].access_keys:
            return account
    return DEFAULT_ACCOUNT_ID
