"""A store that speaks S3, with one user, one key and one bucket, and signatures that count.

Arguments: the port, the bucket. When everything is there, the file `key` in the working folder holds the key's id and
its secret, a line each.
"""

import json
import os
import sys
import time
from urllib.parse import parse_qsl, quote, urlencode

port, bucket = int(sys.argv[1]), sys.argv[2]
# So many requests are answered before a signature is asked for: the four below. Read when the module is loaded.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3
from moto.iam.access_control import IAMRequestBase
from moto.server import ThreadedMotoServer

as_moto_makes_it = IAMRequestBase._create_aws_request


def as_it_was_signed(self):
    """Moto compares the signature of a decoded query; the client signed the encoded one, as S3 wants it."""
    request = as_moto_makes_it(self)
    path, mark, query = request.url.partition("?")
    query = urlencode(parse_qsl(query, keep_blank_values=True), quote_via=quote, safe="-_.~")
    request.url = path + mark + query
    return request


IAMRequestBase._create_aws_request = as_it_was_signed

server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=True)
server.start()


def client(service):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
    )


policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
    ],
}
iam = client("iam")
iam.create_user(UserName="game-server")
key = iam.create_access_key(UserName="game-server")["AccessKey"]
iam.put_user_policy(UserName="game-server", PolicyName="bucket", PolicyDocument=json.dumps(policy))
client("s3").create_bucket(Bucket=bucket)

with open("key.new", "w") as file:
    file.write(f"{key['AccessKeyId']}\n{key['SecretAccessKey']}\n")
# At once: whoever waits for the file never sees half of it.
os.rename("key.new", "key")
while True:
    time.sleep(60)
