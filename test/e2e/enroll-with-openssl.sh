#!/usr/bin/env bash
# Enrolls a device with openssl and curl alone, as docs/guides/enroll-with-openssl.md says.
# usage: enroll-with-openssl.sh HOST:PORT DEVICE_ID CA_CRT OUT_FOLDER, the claim's secret on standard input
set -euo pipefail
server=$1 id=$2 ca=$3 out=$4
secret=$(cat)
umask 077
mkdir "$out"
cp "$ca" "$out/ca.crt"
cd "$out"
openssl ecparam -name prime256v1 -genkey -noout -out client.key
openssl req -new -key client.key -subj "/CN=$id" -outform DER | openssl base64 -e > client.csr
# The password goes through a pipe: a command line can be read by every user of the machine.
printf 'user = "%s:%s"\n' "$id" "$secret" |
  curl -sS --fail -K - --cacert ca.crt --tlsv1.3 -H 'Content-Type: application/pkcs10' \
    --data-binary @client.csr "https://$server/.well-known/est/simpleenroll" |
  openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out client.crt
curl -sS --fail --cacert ca.crt --cert client.crt --key client.key "https://$server/v1/device/payload-keys" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["payloadKey"])' > payload.key
