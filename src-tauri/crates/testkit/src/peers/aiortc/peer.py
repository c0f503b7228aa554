"""A WHIP and WHEP peer on aiortc: publishes, plays, or serves both. It tells what happens as lines of JSON.

Its picture is the clock of the product's bars (16 x 4 cells in the lower third: 48 bits of milliseconds and their CRC), its
sound a tone, so that who plays them can say what came through and how old it was.
"""

import argparse
import asyncio
import fractions
import json
import math
import secrets
import signal
import struct
import sys
import time
from urllib.parse import urljoin

import aiohttp
import av
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.codecs import vpx
from aiortc.contrib.media import MediaBlackhole, MediaRelay
from av import AudioFrame, VideoFrame

RATE = 48000
BLACK, WHITE, GREY = 16, 235, 128


class Encoder:
    """libvpx without its denoiser: with a static threshold, as aiortc sets both, it leaves out macroblocks that have changed. Of
    6000 pictures of the clock 70 to 83 came out of aiortc's own encoder with a cell of the picture before, none without either."""

    def __init__(self, context):
        object.__setattr__(self, "context", context)

    def __getattr__(self, name):
        return getattr(self.context, name)

    def __setattr__(self, name, value):
        if name == "options":
            value = {**value, "noise-sensitivity": "0"}
        setattr(self.context, name, value)


class Codecs:
    """What aiortc knows as `av`."""

    class CodecContext:
        @staticmethod
        def create(codec, mode):
            context = av.CodecContext.create(codec, mode)
            return Encoder(context) if mode == "w" else context

    def __getattr__(self, name):
        return getattr(av, name)


vpx.av = Codecs()


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


def milliseconds():
    return int(time.time() * 1000)


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def clock_bits(value):
    data = (value & (1 << 48) - 1).to_bytes(6, "big")
    return int.from_bytes(data, "big") << 16 | crc16(data)


def draw_clock(frame, value):
    width, height = frame.width, frame.height
    for plane, level in zip(frame.planes, (BLACK, GREY, GREY)):
        if plane is not frame.planes[0]:
            plane.update(bytes([level]) * plane.buffer_size)
    plane = frame.planes[0]
    stride = plane.line_size
    # A moving line above, so that every picture differs in more than the clock.
    line = bytearray([BLACK]) * stride
    at = width * (value % 2000) // 2000
    line[at : at + max(2, width // 64)] = bytes([WHITE]) * max(2, width // 64)
    luma = bytearray(bytes(line[:stride]) * (height // 2))
    luma += bytes([BLACK]) * (stride * (height - height // 2))
    bits = clock_bits(value)
    for row in range(4):
        line = bytearray([BLACK]) * stride
        for column in range(16):
            if bits >> (63 - row * 16 - column) & 1:
                left, right = width * column // 16, width * (column + 1) // 16
                line[left:right] = bytes([WHITE]) * (right - left)
        top, bottom = height * (8 + row) // 12, height * (9 + row) // 12
        luma[top * stride : bottom * stride] = bytes(line) * (bottom - top)
    plane.update(bytes(luma[: plane.buffer_size]))


def read_clock(frame):
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    plane = frame.planes[0]
    luma, stride, bits = memoryview(plane), plane.line_size, 0
    for bit in range(64):
        x = int((bit % 16 + 0.5) * frame.width / 16)
        y = int((8 + bit // 16 + 0.5) * frame.height / 12)
        bits = bits << 1 | (luma[y * stride + x] > (BLACK + WHITE) // 2)
    value = bits >> 16
    return value if clock_bits(value) == bits else None


class Bars(MediaStreamTrack):
    kind = "video"

    def __init__(self, width, height, fps):
        super().__init__()
        self.size, self.fps, self.count, self.begun = (width, height), fps, 0, None

    async def recv(self):
        self.begun = self.begun or time.time()
        await asyncio.sleep(max(0, self.begun + self.count / self.fps - time.time()))
        frame = VideoFrame(*self.size, "yuv420p")
        draw_clock(frame, milliseconds())
        frame.pts = self.count * 90000 // self.fps
        frame.time_base = fractions.Fraction(1, 90000)
        self.count += 1
        return frame


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self, pitch):
        super().__init__()
        self.pitch, self.count, self.begun = pitch, 0, None

    async def recv(self):
        self.begun = self.begun or time.time()
        await asyncio.sleep(max(0, self.begun + self.count / RATE - time.time()))
        step = 2 * math.pi * self.pitch / RATE
        samples = [int(8000 * math.sin(step * (self.count + index))) for index in range(960)]
        frame = AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(struct.pack("<960h", *samples))
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.count, fractions.Fraction(1, RATE)
        self.count += 960
        return frame


async def watch(track):
    """Tells of each picture what its clock says, and of each second its size and rate."""
    last, seen = None, 0
    while True:
        frame = await track.recv()
        now = milliseconds()
        seen += 1
        clock = read_clock(frame)
        gap = None if last is None else now - last
        last = now
        tell("picture", at=now, clock=clock, width=frame.width, height=frame.height, gap=gap, number=seen)


async def listen(track):
    """Tells the level and pitch of each half second."""
    samples = []
    while True:
        frame = await track.recv()
        data = bytes(frame.planes[0])
        channels = len(frame.layout.channels)
        samples.extend(struct.unpack(f"<{frame.samples * channels}h", data[: frame.samples * channels * 2])[::channels])
        if len(samples) >= frame.sample_rate // 2:
            level = math.sqrt(sum(sample * sample for sample in samples) / len(samples)) / 32768
            crossings = sum(1 for a, b in zip(samples, samples[1:]) if a < 0 <= b)
            tell("sound", at=milliseconds(), level=round(level, 4), pitch=crossings * frame.sample_rate / len(samples))
            samples.clear()


async def forever(work):
    try:
        await work
    except Exception as error:  # noqa: BLE001: the end of a track is one of many
        tell("ended", why=str(error) or type(error).__name__)


def prefer(transceiver, codec):
    wanted = f"video/{codec}".lower()
    codecs = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType.lower() in (wanted, "video/rtx")]
    transceiver.setCodecPreferences(codecs)


async def offer(pc, options):
    """Sends our offer and takes the answer; returns the session's URL."""
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Content-Type": "application/sdp"}
    if options.token:
        headers["Authorization"] = f"Bearer {options.token}"
    async with aiohttp.ClientSession() as http:
        async with http.post(options.url, data=pc.localDescription.sdp, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 201:
                tell("refused", status=answer.status, text=text)
                raise SystemExit(3)
            resource = urljoin(str(answer.url), answer.headers["Location"])
            tell("answered", resource=resource, etag=answer.headers.get("ETag"), link=answer.headers.get("Link"))
    await pc.setRemoteDescription(RTCSessionDescription(sdp=text, type="answer"))
    return resource


async def end(resource, options):
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    async with aiohttp.ClientSession() as http, http.delete(resource, headers=headers) as answer:
        tell("deleted", status=answer.status)


def connection():
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.on("connectionstatechange", lambda: tell("state", state=pc.connectionState))
    return pc


async def client(options):
    pc = connection()
    if options.what == "publish":
        if options.video != "none":
            width, height = map(int, options.size.split("x"))
            video = pc.addTransceiver(Bars(width, height, options.fps), direction="sendonly")
            prefer(video, options.video)
        if options.pitch:
            pc.addTransceiver(Tone(options.pitch), direction="sendonly")
    else:
        pc.addTransceiver("video", direction="recvonly")
        pc.addTransceiver("audio", direction="recvonly")
        follow = {"video": watch, "audio": listen}
        pc.on("track", lambda track: asyncio.ensure_future(forever(follow[track.kind](track))))
    resource = await offer(pc, options)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await end(resource, options)
    await pc.close()


class Server:
    """One publisher a name, players by relay: pictures are decoded and encoded on the way."""

    def __init__(self, token):
        self.token, self.streams, self.sessions, self.relay = token, {}, {}, MediaRelay()

    def refused(self, request):
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="no such token")
        if request.method == "POST" and request.content_type != "application/sdp":
            return web.Response(status=415)
        return None

    async def post(self, request):
        kind, name = request.match_info["kind"], request.match_info["name"]
        refused = self.refused(request)
        if refused:
            return refused
        if kind == "whip" and name in self.streams:
            return web.Response(status=409, text="in use")
        if kind == "whep" and name not in self.streams:
            return web.Response(status=404, text="nobody there")
        pc, key = connection(), secrets.token_hex(16)
        if kind == "whip":
            tracks = self.streams[name] = {}
            sink = MediaBlackhole()

            @pc.on("track")
            async def keep(track):
                tracks[track.kind] = track
                # What nobody reads would be kept, and played late.
                sink.addTrack(self.relay.subscribe(track))
                await sink.start()

        sdp = await request.text()
        await pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        if kind == "whep":
            tracks = self.streams[name]
            for transceiver in pc.getTransceivers():
                if transceiver.kind in tracks:
                    transceiver.sender.replaceTrack(self.relay.subscribe(tracks[transceiver.kind]))
                    transceiver.direction = "sendonly"
        await pc.setLocalDescription(await pc.createAnswer())
        self.sessions[key] = (pc, kind, name)
        tell("opened", kind=kind, name=name)
        headers = {"Location": f"/{kind}/{name}/{key}", "ETag": f'"{key[:8]}"'}
        return web.Response(status=201, text=pc.localDescription.sdp, content_type="application/sdp", headers=headers)

    async def delete(self, request):
        refused = self.refused(request)
        if refused:
            return refused
        pc, kind, name = self.sessions.pop(request.match_info["key"], (None, None, None))
        if pc is None:
            return web.Response(status=404)
        if kind == "whip":
            self.streams.pop(name, None)
        await pc.close()
        tell("closed", kind=kind, name=name)
        return web.Response(status=200)

    async def patch(self, request):
        # Without trickle and restart: RFC 9725 section 4.3.1.
        return self.refused(request) or web.Response(status=405)


@web.middleware
async def pages(request, handler):
    """Pages of any origin may ask: this is a test's server."""
    answer = web.Response(status=204) if request.method == "OPTIONS" else await handler(request)
    answer.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    answer.headers["Access-Control-Allow-Methods"] = "POST, PATCH, DELETE, OPTIONS"
    answer.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match"
    answer.headers["Access-Control-Expose-Headers"] = "Location, ETag, Link"
    return answer


async def serve(options):
    server = Server(options.token)
    app = web.Application(client_max_size=65536, middlewares=[pages])
    app.router.add_post("/{kind:whip|whep}/{name}", server.post)
    app.router.add_delete("/{kind:whip|whep}/{name}/{key}", server.delete)
    app.router.add_patch("/{kind:whip|whep}/{name}/{key}", server.patch)
    app.router.add_route("OPTIONS", "/{path:.*}", lambda request: web.Response(status=204))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    tell("listening", port=options.port)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await asyncio.gather(*(pc.close() for pc, _, _ in server.sessions.values()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["publish", "play", "serve"])
    parser.add_argument("url", nargs="?")
    parser.add_argument("--token")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--video", choices=["VP8", "H264", "none"], default="VP8")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--pitch", type=float, default=440)
    options = parser.parse_args()
    try:
        asyncio.run(serve(options) if options.what == "serve" else client(options))
    except (aiohttp.ClientError, OSError) as error:
        tell("failed", why=str(error))
        sys.exit(4)


main()
