"""What the lab adds to moto's S3."""

from __future__ import annotations

from .desk import Desk
from .requested import Requested
from .wire import RawAnswer


def hide_missing_object(desk: Desk, answer: RawAnswer) -> RawAnswer:
    """Whether an object exists is told only to those who may list the bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    bucket = str(desk.parameters.get("Bucket"))
    owner = desk.store.bucket_owner(bucket)
    if answer.status == 404 and owner is not None:
        desk.require(Requested("s3:ListBucket", f"arn:aws:s3:::{bucket}", owner))
    return answer


AFTER = {
    f"s3:{operation}": hide_missing_object
    for operation in ("GetObject", "HeadObject", "GetObjectTagging", "GetObjectAcl", "GetObjectAttributes")
}
