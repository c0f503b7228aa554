"""Somebody on another machine: one thing a run, told in JSON lines. Arguments: address, port, authority's file, what, …"""

import base64, json, os, socket, ssl, struct, sys

host, port, authority, what, *rest = sys.argv[1:]
place = f"{host}:{port}"


def say(**told):
    print(json.dumps(told), flush=True)


def plain():
    return socket.create_connection((host, int(port)), 20)


def trusted(file=authority):
    context = ssl.create_default_context(cafile=file)
    return context.wrap_socket(plain(), server_hostname=host)


def status(connection, path, *headers):
    head = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {place}", *headers, "", ""])
    connection.sendall(head.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = connection.recv(4096)
        if not more:
            break
        answer += more
    return int(answer.split(b" ", 2)[1]), answer.split(b"\r\n\r\n", 1)[-1]


def upgrade(origin):
    connection = trusted()
    key = base64.b64encode(os.urandom(16)).decode()
    headers = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    if origin:
        headers.append(f"Origin: {origin}")
    return connection, *status(connection, "/", *headers)


class Socket:
    """RFC 6455, as far as it goes here."""

    def __init__(self, connection, rest):
        self.connection, self.buffer = connection, rest

    def send(self, message, **fields):
        text = json.dumps({"message": message, "data": [fields]}).encode()
        size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + struct.pack("!H", len(text))
        self.connection.sendall(b"\x81" + size + b"\0\0\0\0" + text)

    def take(self, count):
        while len(self.buffer) < count:
            more = self.connection.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def message(self):
        while True:
            kind, size = self.take(2)
            if size == 126:
                (size,) = struct.unpack("!H", self.take(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self.take(8))
            body = self.take(size)
            if kind & 15 == 8:
                raise EOFError
            if kind & 15 == 1:
                return json.loads(body)


def join(room, login, token, password=""):
    connection, code, left = upgrade(f"https://{place}")
    assert code == 101, code
    wire = Socket(connection, left)
    wire.send("connection", appKey="roomApp", clientVersion="2.0", custom={"login": login, "token": token})
    options = {"name": room, "invite": token}
    if password:
        options["password"] = password
    try:
        while True:
            said = wire.message()
            name, data = said["message"], said["data"]
            if name == "ping":
                wire.send("pong")
                continue
            say(said=name, data=data)
            if name == "getUserData":
                wire.send("sendData", operationId="o1", payload={"command": "join", "options": options})
    except EOFError:
        say(said="closed")


if what == "plain":
    code, body = status(plain(), rest[0])
    say(status=code, body=body.decode())
elif what == "get":
    try:
        say(status=status(trusted(), rest[0])[0])
    except ssl.SSLCertVerificationError as error:
        say(untrusted=error.verify_message)
elif what == "stranger":
    try:
        say(status=status(trusted(None), rest[0])[0])
    except ssl.SSLCertVerificationError as error:
        say(untrusted=error.verify_message)
elif what == "upgrade":
    say(status=upgrade(rest[0])[1])
elif what == "join":
    join(*rest)
