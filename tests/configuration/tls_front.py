"""HTTPS in front of the local AWS: `tls_front.py HOST:PORT CERTIFICATE.pem`.

Makes a certificate of its own, writes it to the file, prints the port, and ends
when its stdin does.
"""

import datetime
import ipaddress
import os
import socket
import ssl
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make_certificate(path):
    """Writes a certificate for 127.0.0.1 to `path` and its key to `path`.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), False)
    certificate = builder.sign(key, hashes.SHA256())
    with open(path, "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    with open(path + ".key", "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def copy(source, sink):
    """Passes bytes on until there are no more."""
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(listener, context, behind):
    """Passes each connection on, in plain text."""
    while True:
        plain, _ = listener.accept()
        try:
            front = context.wrap_socket(plain, server_side=True)
        except OSError:
            # A client that does not trust the certificate.
            continue
        back = socket.create_connection(behind)
        for ends in ((front, back), (back, front)):
            threading.Thread(target=copy, args=ends, daemon=True).start()


def main():
    """Serves until stdin is closed."""
    host, port = sys.argv[1].split(":")
    make_certificate(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[2] + ".key")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    arguments = (listener, context, (host, int(port)))
    threading.Thread(target=serve, args=arguments, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


main()
