"""Publishes signed readings with QoS 1 without waiting, and prints each counter once it is acknowledged.

usage: load.py BUNDLE PORT DEVICE_ID FIRST_COUNTER
"""
import hashlib
import hmac
import json
import sys
import time

import paho.mqtt.client as mqtt

bundle, port, device_id, counter = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
key = bytes.fromhex(open(f"{bundle}/payload.key").read())
waiting = {}


def on_publish(client, userdata, mid):
    print(waiting.pop(mid), flush=True)


client = mqtt.Client(client_id=device_id)
client.on_publish = on_publish
client.max_inflight_messages_set(200)
client.tls_set(ca_certs=f"{bundle}/ca.crt", certfile=f"{bundle}/client.crt", keyfile=f"{bundle}/client.key")
client.connect("localhost", port)
while True:
    while len(waiting) < 200:
        reading = {"ctr": counter, "ts": int(time.time() * 1000), "flow": counter / 7}
        reading["sig"] = hmac.new(key, json.dumps(reading, sort_keys=True).encode(), hashlib.sha256).hexdigest()
        info = client.publish(f"d/{device_id}/telemetry", json.dumps(reading), qos=1)
        waiting[info.mid] = counter
        counter += 1
    if client.loop(0.1) != mqtt.MQTT_ERR_SUCCESS:
        sys.exit(1)
