"""Checks a bundle of evidence that `holdfast audit prove` wrote; needs python3-cryptography only.

    python3 verify_evidence.py evidence.json log.pub [witness.pub ...]

Prints what is proven and ends with 0, or says what is wrong and ends with 1. The format is described
in docs/reference/evidence.md; this program shares no code with Holdfast.
"""
import base64, hashlib, json, struct, sys
from calendar import timegm
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256

STOPPING = {"device.quarantine", "device.suspend", "device.revoke", "device.retire"}
RESUMING = {"device.release", "device.resume", "device.enroll"}

class Wrong(Exception):
    pass

def need(condition, what):
    if not condition:
        raise Wrong(what)

def b64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 has another spelling")
    return data

def sha256(data):
    return hashlib.sha256(data).digest()

def key_of(text, kind):
    """A key: name, id, Ed25519 public key. kind 1 signs a log, 4 cosigns as a witness."""
    name, key_id, typed = text.strip().split("+", 2)
    typed = b64(typed)
    need(typed[0] == kind and len(typed) == 33, "a key has another type")
    need(sha256(name.encode() + b"\n" + typed)[:4].hex() == key_id, "a key has another id")
    return name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(typed[1:])

def signatures_of(block, name, key_id):
    for line in block.splitlines():
        need(line.startswith("\u2014 "), "the checkpoint has a malformed line")
        signer, encoded = line[2:].split(" ")
        data = b64(encoded)
        if signer == name and data[:4] == key_id:
            yield data[4:]

def checkpoint_of(note, log_key, witness_keys):
    text, _, block = note.rpartition("\n\n")
    text += "\n"
    name, key_id, public = log_key
    signatures = list(signatures_of(block, name, key_id))
    need(signatures, "the checkpoint is not signed by the key of the log")
    for signature in signatures:
        public.verify(signature, text.encode())
    origin, size, root, *_ = text.split("\n")
    need(origin == name, "the checkpoint is of another log")
    for name, key_id, public in witness_keys:
        signatures = list(signatures_of(block, name, key_id))
        need(signatures, f"witness {name} has not cosigned")
        for signature in signatures:
            (time,) = struct.unpack(">Q", signature[:8])
            public.verify(signature[8:], f"cosignature/v1\ntime {time}\n{text}".encode())
    return int(size), b64(root)

def require_inclusion(leaf, index, proof, size, root):
    """RFC 9162 section 2.1.3.2"""
    need(0 <= index < size, "an entry is beyond the checkpoint")
    fn, sn, r = index, size - 1, sha256(b"\x00" + leaf)
    for p in proof:
        need(sn > 0, "a proof is too long")
        if fn & 1 or fn == sn:
            r = sha256(b"\x01" + p + r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and r == root, "an entry is not in the log of the checkpoint")

def entry_of(record):
    version, flags, at_ms, length = struct.unpack_from(">BBQH", record)
    need(version == 2, "an entry has another version")
    at, texts = 12, []
    for following in (2, 1, 0):
        need(at + length + following <= len(record), "an entry is cut")
        texts.append(record[at:at + length].decode())
        at += length
        length = int.from_bytes(record[at:at + following], "big")
        at += following
    at += 4 if flags & 0x20 else 0
    if flags & 0x40:
        at += 4 + int.from_bytes(record[at:at + 4], "big")
    kind = ("message", "act", "refusal", "event")[flags & 3]
    return kind, at_ms, *texts, record[at:]

def time_ms(certificate, name):
    # Older versions of the library only have times without a zone, which are in UTC.
    time = getattr(certificate, name + "_utc", None) or getattr(certificate, name)
    return timegm(time.utctimetuple()) * 1000


def check(bundle, log_key, witness_keys):
    need(bundle["format"] == "holdfast-evidence/v1", "it is no bundle of evidence")
    size, root = checkpoint_of(bundle["checkpoint"], log_key, witness_keys)

    def proven(leaf):
        salted = b64(leaf["leaf"])
        require_inclusion(salted, leaf["index"], [b64(p) for p in leaf["proof"]], size, root)
        return entry_of(salted[16:])

    device = bundle["device"]
    kind, at_ms, principal, topic, kid, payload = proven(bundle["reading"])
    need(kind == "message" and principal == device, "the entry is no message of the device")
    state, shown, before = None, None, -1
    for leaf in bundle["acts"]:
        act_kind, _, _, action, _, body = proven(leaf)
        content = json.loads(body)
        need(act_kind == "act" and content["target"] == device, "an act is not about the device")
        need(before < leaf["index"] < bundle["reading"]["index"], "an act is out of its order")
        before = leaf["index"]
        state = action if action in STOPPING | RESUMING else state
        if action in ("device.enroll", "device.use-certificate"):
            shown = content["facts"]["certificate"]
    need(state not in STOPPING, "the device was kept out by then")
    chain = [x509.load_der_x509_certificate(b64(der)) for der in bundle["certificates"]]
    if chain:
        for certificate, issuer in zip(chain, chain[1:] + chain[-1:]):
            need(certificate.issuer == issuer.subject, "a certificate is of another issuer")
            signed = certificate.signature, certificate.tbs_certificate_bytes
            issuer.public_key().verify(*signed, ECDSA(SHA256()))
            if certificate is not chain[0]:
                constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
                need(constraints.value.ca, "an issuer is no authority")
        names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        need(len(uris) == 1 and uris[0].split(":")[:2] == ["urn", "holdfast"], "no URN of a device")
        need(uris[0].split(":")[3:] == [device], "the certificate is of another device")
        start, end = (time_ms(chain[0], name) for name in ("not_valid_before", "not_valid_after"))
        need(start <= at_ms <= end, "it was not valid then")
        need(sha256(b64(bundle["certificates"][0])).hex() == shown, "it was not in use then")
    return f"entry {bundle['reading']['index']} of {size}: {device} {topic} {kid} {payload.decode()}"

def main(path, log_pub, *witness_pubs):
    try:
        with open(path, encoding="utf-8") as file:
            bundle = json.load(file)
        log_key = key_of(open(log_pub, encoding="utf-8").read(), 1)
        witness_keys = [key_of(open(pub, encoding="utf-8").read(), 4) for pub in witness_pubs]
        print("proven:", check(bundle, log_key, witness_keys))
    except Exception as error:  # whatever does not hold, nothing is proven
        sys.exit(f"not proven: {type(error).__name__} {error}")

if __name__ == "__main__":
    main(*sys.argv[1:])
