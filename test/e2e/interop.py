"""Debian's paho-mqtt as one client of many: publishes one message, or prints what it hears as JSON.

usage: interop.py '{"bundle": …, "id": …, "port": …, "level": 4 or 5, "publish": … or "subscribe": …}'
"""
import json
import signal
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

NAMES = {
    "payloadFormat": "PayloadFormatIndicator",
    "messageExpiryS": "MessageExpiryInterval",
    "contentType": "ContentType",
    "responseTopic": "ResponseTopic",
    "correlationData": "CorrelationData",
    "userProperties": "UserProperty",
}

job = json.loads(sys.argv[1])
is_v5 = job["level"] == 5
bundle = job["bundle"]


def to_paho(properties):
    result = Properties(PacketTypes.PUBLISH)
    for name, value in properties.items():
        if name == "correlationData":
            value = bytes.fromhex(value)
        elif name == "userProperties":
            value = [tuple(pair) for pair in value]
        setattr(result, NAMES[name], value)
    return result


def from_paho(properties):
    result = {}
    for name, theirs in NAMES.items():
        if hasattr(properties, theirs):
            value = getattr(properties, theirs)
            result[name] = value.hex() if name == "correlationData" else value
    return result


def on_connect(client, userdata, flags, reason, properties=None):
    if reason != 0:
        sys.exit(f"CONNACK: {reason}")
    if "subscribe" in job:
        client.subscribe(job["subscribe"]["filter"], job["subscribe"]["qos"])
        return
    message = job["publish"]
    properties = to_paho(message["properties"]) if is_v5 else None
    client.publish(message["topic"], message["payload"].encode(), message["qos"], message["retain"], properties)


def on_publish(client, userdata, mid):
    client.disconnect()


def on_subscribe(client, userdata, mid, granted, properties=None):
    wanted = job["subscribe"]["qos"]
    if int(granted[0].value if is_v5 else granted[0]) != wanted:
        sys.exit(f"SUBACK: {granted}")
    print("subscribed")


def on_message(client, userdata, message):
    print(json.dumps({
        "topic": message.topic,
        "payload": message.payload.decode(),
        "qos": message.qos,
        "retain": bool(message.retain),
        "properties": from_paho(message.properties) if is_v5 else {},
    }))


session_s = job.get("subscribe", {}).get("sessionS", 0)
will = job.get("subscribe", {}).get("will")
if is_v5:
    client = mqtt.Client(client_id=job["id"], protocol=mqtt.MQTTv5)
else:
    client = mqtt.Client(client_id=job["id"], protocol=mqtt.MQTTv311, clean_session=session_s == 0)
signal.signal(signal.SIGTERM, lambda number, frame: client.disconnect())
client.on_connect = on_connect
client.on_publish = on_publish
client.on_subscribe = on_subscribe
client.on_message = on_message
client.tls_set(ca_certs=f"{bundle}/ca.crt", certfile=f"{bundle}/client.crt", keyfile=f"{bundle}/client.key")
if will:
    client.will_set(will["topic"], will["payload"], will["qos"], will["retain"])
if is_v5:
    connecting = Properties(PacketTypes.CONNECT)
    connecting.SessionExpiryInterval = session_s
    client.connect("localhost", job["port"], clean_start=session_s == 0, properties=connecting)
else:
    client.connect("localhost", job["port"])
client.loop_forever()
