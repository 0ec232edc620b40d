"""Checks a detached signature with python-ecdsa: by digest, and by message.

The well-known snippet calls `vk.verify(signature, data)`, which hashes with SHA-1 and expects
r and s of 32 bytes: it must be told both, or it refuses each good signature.
"""
import hashlib
import sys

from ecdsa import BadSignatureError, VerifyingKey
from ecdsa.util import sigdecode_der

key_path, signature_path, artifact_path = sys.argv[1:]
with open(key_path) as file:
    vk = VerifyingKey.from_pem(file.read())
with open(signature_path, "rb") as file:
    signature = file.read()
with open(artifact_path, "rb") as file:
    data = file.read()

try:
    vk.verify_digest(signature, hashlib.sha256(data).digest(), sigdecode=sigdecode_der)
    vk.verify(signature, data, hashfunc=hashlib.sha256, sigdecode=sigdecode_der)
except BadSignatureError:
    sys.exit("bad signature")
