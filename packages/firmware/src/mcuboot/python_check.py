"""Checks an MCUboot image against the documented format, by python3-cryptography.

Usage: python_check.py IMAGE PUBLIC_KEY VERSION COUNTER
"""
import hashlib
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def entries(data, magic):
    """The entries of a list of type, length and value, and where it ends."""
    found, total = struct.unpack_from("<HH", data)
    if found != magic:
        sys.exit("no such list")
    at, result = 4, {}
    while at < total:
        kind, length = struct.unpack_from("<HH", data, at)
        result[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return result, total


image_path, key_path, version, counter = sys.argv[1:]
with open(image_path, "rb") as file:
    image = file.read()
with open(key_path, "rb") as file:
    key = serialization.load_pem_public_key(file.read())

magic, load, header, protected, size, flags, major, minor, revision, build, _ = (
    struct.unpack_from("<IIHHIIBBHII", image)
)
if magic != 0x96F3B83D or load != 0 or flags != 0:
    sys.exit("no such header")
if f"{major}.{minor}.{revision}+{build}" != version:
    sys.exit("another version")
guarded, total = entries(image[header + size :], 0x6908)
if total != protected or guarded != {0x50: struct.pack("<I", int(counter))}:
    sys.exit("another counter")
signed = image[: header + size + protected]
plain, _ = entries(image[len(signed) :], 0x6907)
digest = hashlib.sha256(signed).digest()
spki = key.public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
if plain[0x10] != digest or plain[0x01] != hashlib.sha256(spki).digest():
    sys.exit("another hash")
try:
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(plain[0x22], signed, ec.ECDSA(hashes.SHA256()))
    else:
        key.verify(plain[0x24], digest)
except InvalidSignature:
    sys.exit("bad signature")
