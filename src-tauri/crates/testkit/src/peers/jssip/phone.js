// A JsSIP phone that a test drives: functions to call, events to read, the far end's sound to take.
'use strict';
const phone = { log: [], sessions: new Map(), next: 1 };

function tell(name, id, more) {
  phone.log.push({ name, id: id ?? null, ...more });
}

phone.start = (options) => {
  const socket = new JsSIP.WebSocketInterface(options.server);
  phone.options = options;
  phone.ua = new JsSIP.UA({
    sockets: [socket],
    uri: options.uri,
    password: options.password,
    display_name: options.name,
    register: true,
    register_expires: 600,
    session_timers: options.timers,
    session_timers_refresh_method: options.refresh,
    no_answer_timeout: 60,
  });
  const ua = phone.ua;
  ua.on('connected', () => tell('connected'));
  ua.on('disconnected', (e) => tell('disconnected', null, { reason: String(e?.reason ?? '') }));
  ua.on('registered', () => tell('registered'));
  ua.on('unregistered', () => tell('unregistered'));
  ua.on('registrationFailed', (e) => tell('registrationFailed', null, { cause: e.cause }));
  ua.on('newRTCSession', ({ originator, session, request }) => adopt(session, originator, request));
  ua.on('newMessage', ({ originator, request }) => {
    tell('message', null, { originator, body: request.body, from: String(request.from?.uri ?? '') });
  });
  ua.start();
};

function adopt(session, originator, request) {
  const id = phone.next++;
  session.testId = id;
  phone.sessions.set(id, session);
  // What it offers and answers, so that a test can read what was negotiated.
  session.on('sdp', (e) => tell('sdp', id, { originator: e.originator, type: e.type, sdp: e.sdp }));
  session.on('peerconnection', (e) => watch(id, e.peerconnection));
  if (session.connection) watch(id, session.connection);
  session.on('progress', (e) => tell('progress', id, { status: e.response?.status_code ?? 0 }));
  session.on('accepted', () => tell('accepted', id));
  session.on('confirmed', () => tell('confirmed', id));
  session.on('ended', (e) => tell('ended', id, { originator: e.originator, cause: e.cause }));
  session.on('failed', (e) => {
    tell('failed', id, { originator: e.originator, cause: e.cause, status: e.message?.status_code ?? 0 });
  });
  session.on('hold', (e) => tell('hold', id, { originator: e.originator }));
  session.on('unhold', (e) => tell('unhold', id, { originator: e.originator }));
  session.on('reinvite', () => tell('reinvite', id));
  session.on('update', () => tell('update', id));
  session.on('newDTMF', (e) => tell('dtmf', id, { originator: e.originator, tone: e.dtmf.tone }));
  session.on('newInfo', (e) => {
    tell('info', id, { originator: e.originator, type: e.info.contentType, body: e.info.body });
  });
  session.on('refer', (e) => {
    tell('refer', id, { target: String(e.request.refer_to?.uri ?? '') });
    if (phone.options.obeysRefer) e.accept((made) => { made.testRefer = true; }, media());
    else e.reject();
  });
  session.on('replaces', (e) => {
    tell('replaces', id);
    e.accept();
  });
  tell('session', id, {
    originator,
    headers: originator === 'remote' ? header(request) : '',
    from: String(request?.from?.uri ?? ''),
  });
  if (originator === 'remote' && phone.options.answers) setTimeout(() => session.answer(media()));
}

// Its camera sees the clock.
const cameraless = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (cameraless) {
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const media = await cameraless({ audio });
    if (video) media.addTrack(clock.capture(640, 360, 30).track);
    return media;
  };
}

function header(request) {
  return String(request.data ?? '').split('\r\n\r\n')[0];
}

function media() {
  return {
    mediaConstraints: {
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      video: phone.options.video,
    },
    pcConfig: { iceServers: [], rtcpMuxPolicy: phone.options.mux ? 'require' : 'negotiate' },
    extraHeaders: phone.options.headers,
  };
}

// The far end's sound, as 16-bit samples at the context's rate.
function watch(id, connection) {
  if (connection.testWatched) return;
  connection.testWatched = true;
  connection.addEventListener('iceconnectionstatechange', () => {
    tell('ice', id, { state: connection.iceConnectionState });
  });
  connection.addEventListener('connectionstatechange', () => {
    tell('connection', id, { state: connection.connectionState });
  });
  connection.addEventListener('track', ({ track }) => {
    if (track.kind === 'video') return see(id, track);
    phone.sessions.get(id).heard = ear.listen(track);
    tell('track', id);
  });
}

// What is shown of the far end: when, its clock, its size.
function see(id, track) {
  const video = document.createElement('video');
  Object.assign(video, { autoplay: true, playsInline: true, muted: true, srcObject: new MediaStream([track]) });
  // A video that is not in the page is not drawn.
  document.body.append(video);
  const session = phone.sessions.get(id);
  session.seen ??= [];
  video.play().catch(() => {});
  clock.follow(video, (...picture) => {
    if (session.seen.length < 20000) session.seen.push(picture);
    return !session.isEnded();
  });
  tell('video', id);
}

phone.dial = (target) => phone.ua.call(target, media()).testId;
phone.answer = (id) => phone.sessions.get(id).answer(media());
phone.hangUp = (id) => phone.sessions.get(id).terminate();
phone.hold = (id, useUpdate) => phone.sessions.get(id).hold({ useUpdate });
phone.unhold = (id, useUpdate) => phone.sessions.get(id).unhold({ useUpdate });
phone.renegotiate = (id, useUpdate) => phone.sessions.get(id).renegotiate({ useUpdate });
phone.dtmf = (id, tones, transport) => {
  phone.sessions.get(id).sendDTMF(tones, { transportType: transport, duration: 160, interToneGap: 100 });
};
phone.message = (target, body) => {
  phone.ua.sendMessage(target, body, {
    eventHandlers: {
      succeeded: () => tell('messageAccepted'),
      failed: (e) => tell('messageFailed', null, { status: e.response?.status_code ?? 0 }),
    },
  });
};
phone.refer = (id, target, consultation) => {
  const replaces = consultation ? phone.sessions.get(consultation) : undefined;
  phone.sessions.get(id).refer(target, {
    replaces,
    eventHandlers: {
      requestSucceeded: () => tell('referAccepted', id),
      requestFailed: (e) => tell('referRefused', id, { cause: e.cause }),
      trying: () => tell('referTrying', id),
      progress: (e) => tell('referProgress', id, { status: e.status_line?.status_code ?? 0 }),
      accepted: () => tell('referCompleted', id),
      failed: (e) => tell('referFailed', id, { status: e.status_line?.status_code ?? 0 }),
    },
  });
};
phone.heard = (id) => {
  const heard = phone.sessions.get(id)?.heard;
  if (!heard) return null;
  return ear.samples(heard);
};
phone.seen = (id, from) => phone.sessions.get(id)?.seen?.slice(from) ?? [];
phone.forget = (id) => {
  const heard = phone.sessions.get(id)?.heard;
  if (heard) heard.chunks.length = 0;
};
phone.statistics = async (id) => {
  const report = await phone.sessions.get(id).connection.getStats();
  return [...report.values()];
};
