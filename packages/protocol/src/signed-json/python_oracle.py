"""Signed JSON by the very code that devices run: the oracle of python-oracle.test.ts.

generate SEED COUNT  prints COUNT random cases after the fixed ones, a JSON object a line:
                     kind, payload, canonical (both base64), key (hex), ctr, timeMs
check                reads lines of {payload (base64), key (hex)}, and answers each with
                     {canonical (base64), verified} as a receiver in Python sees it
"""

import base64
import datetime
import hashlib
import hmac
import json
import random
import struct
import sys

# Every class of escape, and both sides of each border where an order or an escape changes.
CHARACTERS = list('aZ09 ~!#/"\\\b\f\n\r\t\x00\x01\x0b\x1f\x7f\x80\x9f\xa0é߿ࠀ€\u2028\u2029')
CHARACTERS += ["\ud7ff", "\ud800", "\udbff", "\udc00", "\udfff", "\ue000", "\ufeff", "\ufffd"]
CHARACTERS += ["\uffff", "\U00010000", "\U0001f600", "\U0010ffff"]

FLOATS = [0.0, -0.0, 23.0, 1e-07, 1e-05, 0.0001, 0.00012, 1e15, 1e16, 1e17, 1e22, 5e-324]
FLOATS += [1.7976931348623157e308, 2.2250738585072014e-308, 0.1, 1 / 3, 123456789.123456789]
INTEGERS = [0, -1, 7, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**63), 2**64, 10**40]

LAYOUTS = [
    {},
    {"sort_keys": True},
    {"ensure_ascii": False},
    {"separators": (",", ":")},
    {"separators": (" ,\t", "\r\n:  ")},
    {"indent": 2},
    {"indent": "\t", "sort_keys": True},
    {"indent": 0, "ensure_ascii": False, "separators": (",", ": ")},
]


def random_text(rng):
    text = "".join(rng.choice(CHARACTERS) for _ in range(rng.choice([0, 1, 1, 2, 3, 8])))
    # Two halves that happen to meet print like one character: no reader can tell them apart.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def random_float(rng):
    if rng.random() < 0.3:
        return rng.choice(FLOATS)
    if rng.random() < 0.3:
        return round(rng.uniform(-1000, 1000), rng.randrange(4))
    value = struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))[0]
    return value if abs(value) <= sys.float_info.max else 0.5


def random_integer(rng):
    if rng.random() < 0.3:
        return rng.choice(INTEGERS)
    return rng.randrange(-(10 ** rng.randrange(1, 60)), 10 ** rng.randrange(1, 60))


def random_keys(rng, number_keys):
    count = rng.choice([0, 1, 2, 3, 3, 5, 12, 40])
    if number_keys and rng.random() < 0.5:
        pick = rng.choice([random_integer, random_float, lambda rng: rng.randrange(-20, 120)])
        keys = [pick(rng) for _ in range(count)]
        return keys + [True, float("inf")] if rng.random() < 0.1 else keys
    keys = [random_text(rng) for _ in range(count)]
    # Text that looks like a number sorts as text: not in one payload with real numbers.
    return [key for key in keys if not number_keys or not any("0" <= c <= "9" for c in key)]


def random_value(rng, depth, number_keys):
    kind = rng.randrange(9 if depth > 0 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return random_integer(rng)
    if kind <= 3:
        return random_float(rng)
    if kind <= 5:
        return random_text(rng)
    if kind == 6:
        return [random_value(rng, depth - 1, number_keys) for _ in range(rng.randrange(5))]
    keys = random_keys(rng, number_keys)
    return {key: random_value(rng, depth - 1, number_keys) for key in keys}


def fixed_cases():
    nested = "core"
    for _ in range(30):
        nested = [nested]
    yield "empty containers", {"a": {}, "b": [], "c": [{}], "d": {"e": []}, "f": ""}
    yield "floats", {"values": FLOATS}
    yield "integers", {"values": INTEGERS}
    yield "characters", {"values": CHARACTERS, "all": {c: i for i, c in enumerate(CHARACTERS)}}
    yield "code point order", {"\U0001f600": 1, "\ufffd": 2, "\ud7ff": 3, "a": {"\U00010000": 4, "\uffff": 5}}
    yield "lone surrogates", {"\ud800": "\udfff", "\udbffx": 1, "\udc00\ud800": 2}
    yield "number keys", {"bins": {2: "b", 10: "c", 1: "a", -1: "z", -2: "y"}}
    yield "number keys", {"le": {0.5: 1, 10.0: 2, 2.5: 3, float("inf"): 4}, "n": [{2**70: 1, 3: 2}]}
    yield "number keys", {"bits": {True: 1, False: 2, 10: 3, 2: 4}}
    yield "digits as text", {"bins": {"2": "b", "10": "c", "1": "a"}}
    yield "only one key", {"none": {None: 1}, "bool": {True: 2}, "int": {5: 3}}
    yield "depth", {"nested": nested}
    yield "prefixes", {"a": 1, "ab": 2, "a b": 3, "": 4, "aB": 5, "a\x00": 6, "a\x7f": 7, "si": 8, "sigs": 9}
    yield "sig below the top", {"sig": "x", "inner": {"sig": "y"}, "list": [{"sig": {}}]}
    yield "names", {"__proto__": {"__proto__": 1}, "constructor": 2, "toString": None}
    yield "large", {"k%d" % (i * 7919 % 3000): i for i in range(3000)}


def cases(rng, count):
    for kind, data in fixed_cases():
        for layout in LAYOUTS:
            yield kind, dict(data), layout
    for _ in range(count):
        number_keys = rng.random() < 0.3
        keys = random_keys(rng, False)
        data = {key: random_value(rng, rng.randrange(5), number_keys) for key in keys}
        yield "random", data, rng.choice(LAYOUTS)


def print_payload(data, layout):
    try:
        return json.dumps(data, **layout).encode()
    except UnicodeEncodeError:
        return json.dumps(data, **{**layout, "ensure_ascii": True}).encode()


def generate(seed, count):
    rng = random.Random(seed)
    for kind, data, layout in cases(rng, count):
        data.pop("sig", None)
        data["ctr"] = rng.choice([0, 1, 2**53 - 1, rng.getrandbits(50)])
        moment = datetime.datetime.fromtimestamp(rng.randrange(2**32), datetime.timezone.utc)
        moment += datetime.timedelta(microseconds=rng.randrange(10**6))
        seconds = moment.timestamp()
        zone = datetime.timezone(datetime.timedelta(minutes=rng.randrange(-1439, 1440)))
        milliseconds = max(int(seconds * 1000), 10**11)
        data["ts"] = rng.choice([seconds, milliseconds, moment.astimezone(zone).isoformat()])
        time_ms = milliseconds if isinstance(data["ts"], int) else seconds * 1000

        key = rng.getrandbits(256).to_bytes(32, "big")
        canonical = json.dumps(data, sort_keys=True).encode()
        data["sig"] = hmac.new(key, canonical, hashlib.sha256).hexdigest()
        if rng.random() < 0.5:
            data = dict(rng.sample(list(data.items()), len(data)))
        yield {
            "kind": kind,
            "payload": base64.b64encode(print_payload(data, layout)).decode(),
            "canonical": base64.b64encode(canonical).decode(),
            "key": key.hex(),
            "ctr": data["ctr"],
            "timeMs": time_ms,
        }


def check(lines):
    for line in lines:
        case = json.loads(line)
        data = json.loads(base64.b64decode(case["payload"]))
        signature = data.pop("sig")
        canonical = json.dumps(data, sort_keys=True).encode()
        expected = hmac.new(bytes.fromhex(case["key"]), canonical, hashlib.sha256).hexdigest()
        yield {
            "canonical": base64.b64encode(canonical).decode(),
            "verified": hmac.compare_digest(signature, expected),
        }


if sys.argv[1] == "generate":
    answers = generate(int(sys.argv[2]), int(sys.argv[3]))
else:
    answers = check(sys.stdin)
for answer in answers:
    print(json.dumps(answer))
