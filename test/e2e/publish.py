"""Publishes generated readings as a Python device would, and prints each payload as a JSON string.

usage: publish.py BUNDLE PORT DEVICE_ID FIRST_COUNTER
"""
import hashlib
import hmac
import json
import random
import sys

import paho.mqtt.client as mqtt

bundle, port, device_id, first = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
key = bytes.fromhex(open(f"{bundle}/payload.key").read())
seed = random.randrange(2**32)
print(f"seed {seed}", file=sys.stderr)
rng = random.Random(seed)

STRINGS = ["", "a", "ü€😀\u2028", 'quote " and \\ and / and \x7f', "\n\t\r\b\f\x00\x1f", "\ud800", "é" * 20]
NUMBERS = [23.0, 1e-07, 1e16, -0.0, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, 2**53 + 1, -(2**70), 0, -1, True]
KEYS = ["a", "Z", "é", "\uffff", "😀", "key with space", '"', "\\", "\n", "", "a.b", "ctr2", "sig2"]


def value(depth):
    kind = rng.randrange(7 if depth > 0 else 4)
    if kind == 0:
        return rng.choice(NUMBERS)
    if kind == 1:
        return rng.choice(STRINGS)
    if kind == 2:
        return rng.choice([None, True, False])
    if kind == 3:
        return rng.uniform(-1e6, 1e6) * 10 ** rng.randrange(-20, 20)
    if kind == 4:
        return [value(depth - 1) for _ in range(rng.randrange(4))]
    if kind == 5:
        return {rng.choice(KEYS): value(depth - 1) for _ in range(rng.randrange(5))}
    return {n: value(0) for n in rng.sample(range(200), 4)}


def signed(reading):
    reading["sig"] = hmac.new(key, json.dumps(reading, sort_keys=True).encode(), hashlib.sha256).hexdigest()
    style = rng.randrange(5)
    if style == 0:
        return json.dumps(reading, indent=2)
    if style == 1 and "\\ud800" not in json.dumps(reading):
        return json.dumps(reading, ensure_ascii=False)
    if style == 2:
        return json.dumps(reading, separators=(",", ":"))
    return json.dumps(reading)


client = mqtt.Client(client_id=device_id)
client.tls_set(ca_certs=f"{bundle}/ca.crt", certfile=f"{bundle}/client.crt", keyfile=f"{bundle}/client.key")
client.connect("localhost", port)
client.loop_start()
for n in range(300):
    reading = {rng.choice(KEYS): value(3) for _ in range(rng.randrange(6))}
    reading["ctr"] = first + n
    payload = signed(reading)
    print(json.dumps(payload))
    client.publish(f"d/{device_id}/telemetry/python", payload, qos=1).wait_for_publish(10)
client.disconnect()
client.loop_stop()
