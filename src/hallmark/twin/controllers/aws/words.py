"""How programs written in Go word an error of AWS: what is found in events and logs of the real controllers.

Source: aws-sdk-go-v2, `smithy.OperationError` and `awshttp.ResponseError`; the request id is left out.
"""

from botocore.exceptions import ClientError

CREDENTIALS = {
    "GetMetadata": "",
    "AssumeRoleWithWebIdentity": "failed to retrieve credentials, operation error STS: ",
    "AssumeRoleForPodIdentity": "failed to load credentials, operation error EKS Auth: ",
}
"""Operations that a client makes before its own, to get credentials, and what introduces their failure."""


def of(error: ClientError, service: str, operation: str) -> str:
    """Word an error.

    Args:
        error: What AWS said, to the call itself or on the way to the credentials for it.
        service: Of the call, for example ``EC2``.
        operation: Of the call, for example ``CreateVolume``.
    """
    said = error.response["Error"]
    failed = f"operation error {service}: {operation}, "
    if error.operation_name not in CREDENTIALS:
        return failed + _answer(error)
    cause = "get identity: get credentials: failed to refresh cached credentials, "
    if error.operation_name == "GetMetadata":
        return f"{failed}{cause}{said['Message']}"
    return f"{failed}{cause}{CREDENTIALS[error.operation_name]}{error.operation_name}, {_answer(error)}"


def _answer(error: ClientError) -> str:
    said = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return f"https response error StatusCode: {status}, api error {said['Code']}: {said['Message']}"
