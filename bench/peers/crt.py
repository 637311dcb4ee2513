"""Uploads a folder with s3transfer's CRT manager: what `aws s3 cp` uses with preferred_transfer_client = crt."""
import os
import sys

import boto3
import botocore.session
from s3transfer.crt import BotocoreCRTCredentialsWrapper, BotocoreCRTRequestSerializer, CRTTransferManager, create_s3_crt_client

folder, endpoint, bucket, prefix, ca = sys.argv[1:6]
secure = endpoint.startswith("https:")
session = botocore.session.get_session()
credentials = BotocoreCRTCredentialsWrapper(session.get_credentials()).to_crt_credentials_provider()
client = create_s3_crt_client("us-east-1", crt_credentials_provider=credentials, use_ssl=secure, verify=ca if secure else None)
serializer = BotocoreCRTRequestSerializer(session, {"endpoint_url": endpoint, "region_name": "us-east-1", "use_ssl": secure})
with CRTTransferManager(client, serializer) as manager:
    futures = []
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            futures.append(manager.upload(path, bucket, prefix + os.path.relpath(path, folder)))
    for future in futures:
        future.result()
