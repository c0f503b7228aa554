// Publishes a drawn picture and a tone, and plays what comes back.
window.draw = (width, height) => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [width, height];
    document.body.appendChild(canvas);
    const context = canvas.getContext('2d');
    let count = 0;
    setInterval(() => {
        count += 1;
        for (let x = 0; x < 12; x += 1) {
            context.fillStyle = `hsl(${(count * 7 + x * 30) % 360} 80% 50%)`;
            context.fillRect((x * width) / 12, ((count * 3 + x * 20) % height), width / 12, height / 6);
        }
        // As a camera's: it takes what bits there are, and can be left out where there are few.
        if (window.grain) context.drawImage(window.grain[count % window.grain.length], -64 * Math.random(), -64 * Math.random());
        context.fillStyle = 'white';
        context.fillRect(0, 0, 200, 40);
        context.fillStyle = 'black';
        context.font = '32px monospace';
        context.fillText(String(count), 8, 32);
    }, 33);
    return canvas.captureStream(30);
};
// Noise for pictures of 640 x 360, of at most so many steps of 255.
window.makeGrain = (most) => {
    window.grain = Array.from({ length: 8 }, () => {
        const canvas = new OffscreenCanvas(704, 424);
        const context = canvas.getContext('2d');
        const image = context.createImageData(canvas.width, canvas.height);
        for (let at = 0; at < image.data.length; at += 4) {
            image.data.fill(Math.random() < 0.5 ? 0 : 255, at, at + 3);
            image.data[at + 3] = Math.random() * most;
        }
        context.putImageData(image, 0, 0);
        return canvas;
    });
};
window.tone = () => {
    const audio = new AudioContext();
    const oscillator = audio.createOscillator();
    const out = audio.createMediaStreamDestination();
    oscillator.connect(out);
    oscillator.start();
    return out.stream;
};
window.gathered = (pc) => new Promise((resolve) => {
    const check = () => pc.iceGatheringState === 'complete' && resolve(pc.localDescription.sdp);
    pc.addEventListener('icegatheringstatechange', check);
    setTimeout(() => resolve(pc.localDescription.sdp), 1000);
    check();
});
window.publish = async (codec, layers, kbit) => {
    const pc = new RTCPeerConnection();
    const size = layers.length ? [1280, 720] : [640, 360];
    const picture = window.draw(...size).getVideoTracks()[0];
    const sound = window.tone().getAudioTracks()[0];
    pc.addTransceiver(sound, { direction: 'sendonly' });
    const encodings = layers.length
        ? layers.map((rid, index) => ({ rid, scaleResolutionDownBy: 2 ** (layers.length - 1 - index) }))
        : [{ maxBitrate: kbit * 1000 }];
    const video = pc.addTransceiver(picture, { direction: 'sendonly', sendEncodings: encodings });
    const { codecs } = RTCRtpSender.getCapabilities('video');
    const wanted = codecs.filter((c) => [`video/${codec}`, 'video/rtx'].includes(c.mimeType));
    video.setCodecPreferences(wanted);
    await pc.setLocalDescription();
    window.publisher = pc;
    return window.gathered(pc);
};
window.play = async () => {
    const pc = new RTCPeerConnection();
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    const element = document.createElement('video');
    [element.autoplay, element.muted] = [true, true];
    document.body.appendChild(element);
    const stream = new MediaStream();
    element.srcObject = stream;
    pc.ontrack = (event) => stream.addTrack(event.track);
    await pc.setLocalDescription();
    [window.player, window.element] = [pc, element];
    return window.gathered(pc);
};
window.answer = (pc, sdp) => pc.setRemoteDescription({ type: 'answer', sdp });
window.stats = async (pc) => [...(await pc.getStats()).values()];
// Each picture as it is shown: when, when it was there whole, its timestamp, and how long the page did not run before it.
window.watch = () => {
    window.shown = [];
    let [ticked, stalled] = [performance.now(), 0];
    setInterval(() => {
        const now = performance.now();
        stalled += Math.max(0, now - ticked - 40);
        ticked = now;
    }, 10);
    const next = (now, picture) => {
        const waits = Math.max(0, performance.now() - ticked - 40);
        window.shown.push([now, picture.receiveTime, picture.rtpTimestamp, stalled + waits]);
        stalled = -waits;
        window.element.requestVideoFrameCallback(next);
    };
    window.element.requestVideoFrameCallback(next);
};
window.restart = async (pc) => {
    pc.restartIce();
    await pc.setLocalDescription();
    return window.gathered(pc);
};
window.serve = async (offer) => {
    const pc = new RTCPeerConnection();
    window.publisher = pc;
    pc.addTrack(window.draw(640, 360).getVideoTracks()[0]);
    pc.addTrack(window.tone().getAudioTracks()[0]);
    await pc.setRemoteDescription({ type: 'offer', sdp: offer });
    await pc.setLocalDescription();
    return window.gathered(pc);
};
