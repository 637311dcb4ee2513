"""Prints, as JSON, what boto3 is told of each object in a bucket: python boto3-read.py ENDPOINT BUCKET PREFIX"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket, prefix = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": "path"}))


def asked(request, **arguments):
    """What a server has no answer to is left out."""
    try:
        return request(Bucket=bucket, **arguments)
    except ClientError:
        return {}


def read(key):
    head = s3.head_object(Bucket=bucket, Key=key)
    tagging = asked(s3.get_object_tagging, Key=key)
    acl = asked(s3.get_object_acl, Key=key)
    return {
        "size": head["ContentLength"],
        "etag": head["ETag"],
        "contentType": head.get("ContentType"),
        "cacheControl": head.get("CacheControl"),
        "contentEncoding": head.get("ContentEncoding"),
        "contentDisposition": head.get("ContentDisposition"),
        "metadata": head["Metadata"],
        "tags": {tag["Key"]: tag["Value"] for tag in tagging.get("TagSet", [])},
        "storageClass": head.get("StorageClass"),
        "sse": head.get("ServerSideEncryption"),
        "sseKmsKeyId": head.get("SSEKMSKeyId"),
        "grants": sorted(
            grant["Permission"] + " " + grant["Grantee"].get("URI", "").split("/")[-1]
            for grant in acl.get("Grants", [])
        ),
    }


pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
print(json.dumps({key[len(prefix):]: read(key) for key in keys}))
