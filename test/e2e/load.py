"""Publishes signed readings as fast as they are acknowledged, and prints each counter once it is.

Outlives the server: connects again and sends what is not acknowledged again. Every 20th reading is a
retained message, on one topic of five.

usage: load.py BUNDLE PORT DEVICE_ID QOS
"""
import hashlib
import hmac
import json
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

IN_FLIGHT = 100
RETAINED_EVERY = 20
RETAINED_TOPICS = 5

bundle, port, device_id, qos = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
key = bytes.fromhex(open(f"{bundle}/payload.key").read())
counter = 0
waiting = {}
is_connected = False


def on_connect(client, userdata, flags, reason, properties=None):
    global is_connected
    if reason != 0:
        sys.exit(f"CONNACK: {reason}")
    is_connected = True


def on_disconnect(client, userdata, reason, properties=None):
    global is_connected
    is_connected = False


def on_publish(client, userdata, mid):
    acknowledged = waiting.pop(mid, None)
    if acknowledged is not None:
        print(acknowledged, flush=True)


def publish():
    global counter
    counter += 1
    is_retained = counter % RETAINED_EVERY == 0
    place = f"/last/{counter // RETAINED_EVERY % RETAINED_TOPICS}" if is_retained else ""
    reading = {"ctr": counter, "ts": int(time.time() * 1000), "flow": counter / 7}
    reading["sig"] = hmac.new(key, json.dumps(reading, sort_keys=True).encode(), hashlib.sha256).hexdigest()
    info = client.publish(f"d/{device_id}/telemetry{place}", json.dumps(reading), qos, is_retained)
    waiting[info.mid] = counter


# QoS 2 in MQTT 5, QoS 1 in MQTT 3.1.1, both with a session that outlives the connection.
if qos == 2:
    client = mqtt.Client(client_id=device_id, protocol=mqtt.MQTTv5)
    lasting = Properties(PacketTypes.CONNECT)
    lasting.SessionExpiryInterval = 3600
    options = {"clean_start": False, "properties": lasting}
else:
    client = mqtt.Client(client_id=device_id, clean_session=False)
    options = {}
client.on_connect = on_connect
client.on_disconnect = on_disconnect
client.on_publish = on_publish
client.max_inflight_messages_set(IN_FLIGHT)
client.tls_set(ca_certs=f"{bundle}/ca.crt", certfile=f"{bundle}/client.crt", keyfile=f"{bundle}/client.key")
client.connect("localhost", port, **options)
must_reconnect = False
while True:
    try:
        if must_reconnect:
            client.reconnect()
            must_reconnect = False
        while is_connected and len(waiting) < IN_FLIGHT:
            publish()
        must_reconnect = client.loop(0.1) != mqtt.MQTT_ERR_SUCCESS
    except OSError:
        # The server is gone. What TLS says while it writes paho does not catch, and keeps the
        # connection: each further try would say the same.
        must_reconnect = True
        time.sleep(0.05)
    if must_reconnect:
        is_connected = False
