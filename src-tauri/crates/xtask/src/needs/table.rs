use super::probe::Probe;
use crate::shell;

/// Who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Every build.
    Build,
    /// Every build takes it where it is and does without it elsewhere.
    Better,
    /// Building and opening the window.
    Window,
    /// Tests against real peers and real windows; without it those tests are skipped, in CI they fail.
    Test,
}

/// One thing, and its package in each package manager. An empty list: it is part of the system there, or not to be had.
#[derive(Debug)]
pub(crate) struct Need {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    pub(crate) group: Group,
    pub(crate) probe: Probe,
    pub(crate) apt: &'static [&'static str],
    pub(crate) dnf: &'static [&'static str],
    pub(crate) pacman: &'static [&'static str],
    pub(crate) brew: &'static [&'static str],
    pub(crate) winget: &'static [&'static str],
}

impl Need {
    /// Windows and macOS bring their webview and audio along; peers for tests are Linux programs.
    pub(crate) fn applies(&self) -> bool {
        cfg!(target_os = "linux")
            || (cfg!(target_os = "macos") && !self.brew.is_empty())
            || (cfg!(windows) && !self.winget.is_empty())
    }
}

const NOTHING: Need = Need {
    name: "",
    why: "",
    group: Group::Build,
    probe: Probe::Program(&[]),
    apt: &[],
    dnf: &[],
    pacman: &[],
    brew: &[],
    winget: &[],
};

pub(crate) const NEEDS: &[Need] = &[
    Need {
        name: "C compiler",
        why: "links every program and compiles Opus",
        probe: Probe::Program(&["cc"]),
        apt: &["build-essential"],
        dnf: &["gcc", "gcc-c++", "make"],
        pacman: &["base-devel"],
        ..NOTHING
    },
    Need {
        name: "CMake",
        why: "builds Opus",
        probe: Probe::Program(&["cmake"]),
        apt: &["cmake"],
        dnf: &["cmake"],
        pacman: &["cmake"],
        brew: &["cmake"],
        winget: &["Kitware.CMake"],
        ..NOTHING
    },
    Need {
        name: "make",
        why: "builds Opus",
        probe: Probe::Program(&["make", "ninja"]),
        apt: &["make"],
        dnf: &["make"],
        pacman: &["make"],
        ..NOTHING
    },
    Need {
        name: "pkg-config",
        why: "finds the system's libraries",
        probe: Probe::Program(&["pkg-config"]),
        apt: &["pkg-config"],
        dnf: &["pkgconf-pkg-config"],
        pacman: &["pkgconf"],
        brew: &["pkgconf"],
        ..NOTHING
    },
    Need {
        name: "ALSA",
        why: "microphone and speaker",
        probe: Probe::Library("alsa"),
        apt: &["libasound2-dev"],
        dnf: &["alsa-lib-devel"],
        pacman: &["alsa-lib"],
        ..NOTHING
    },
    Need {
        name: "libclang",
        why: "reads the headers of PipeWire and of cameras",
        probe: Probe::SharedLibrary("libclang"),
        apt: &["libclang-dev"],
        dnf: &["clang-devel"],
        pacman: &["clang"],
        ..NOTHING
    },
    Need {
        name: "XCB",
        why: "pictures of screens and windows",
        probe: Probe::Library("xcb-randr"),
        apt: &["libxcb1-dev", "libxcb-randr0-dev"],
        dnf: &["libxcb-devel"],
        pacman: &["libxcb"],
        ..NOTHING
    },
    Need {
        name: "PipeWire 0.3.65",
        why: "pictures of screens under Wayland",
        probe: Probe::Library("libpipewire-0.3 >= 0.3.65"),
        apt: &["libpipewire-0.3-dev"],
        dnf: &["pipewire-devel"],
        pacman: &["libpipewire"],
        ..NOTHING
    },
    Need {
        name: "GBM",
        why: "pictures of screens under Wayland",
        probe: Probe::Library("gbm"),
        apt: &["libgbm-dev"],
        dnf: &["mesa-libgbm-devel"],
        pacman: &["mesa"],
        ..NOTHING
    },
    Need {
        name: "EGL",
        why: "pictures of screens under Wayland",
        probe: Probe::Library("egl"),
        apt: &["libegl-dev"],
        dnf: &["libglvnd-devel"],
        pacman: &["libglvnd"],
        ..NOTHING
    },
    Need {
        name: "NASM",
        why: "H.264 several times faster",
        group: Group::Better,
        probe: Probe::Program(&["nasm"]),
        apt: &["nasm"],
        dnf: &["nasm"],
        pacman: &["nasm"],
        brew: &["nasm"],
        winget: &["NASM.NASM"],
    },
    Need {
        name: "libvpx",
        why: "VP8 pictures",
        group: Group::Better,
        probe: Probe::Library("vpx"),
        apt: &["libvpx-dev"],
        dnf: &["libvpx-devel"],
        pacman: &["libvpx"],
        brew: &["libvpx"],
        ..NOTHING
    },
    Need {
        name: "WebKitGTK 4.1",
        why: "the window's page",
        group: Group::Window,
        probe: Probe::Library("webkit2gtk-4.1"),
        apt: &["libwebkit2gtk-4.1-dev"],
        dnf: &["webkit2gtk4.1-devel"],
        pacman: &["webkit2gtk-4.1"],
        ..NOTHING
    },
    Need {
        name: "D-Bus",
        why: "the desktop's dark mode",
        group: Group::Window,
        probe: Probe::Library("dbus-1"),
        apt: &["libdbus-1-dev"],
        dnf: &["dbus-devel"],
        pacman: &["dbus"],
        ..NOTHING
    },
    test(
        "Xvfb",
        "tests of the window",
        &["Xvfb"],
        &["xvfb"],
        &["xorg-x11-server-Xvfb"],
        &["xorg-server-xvfb"],
    ),
    test(
        "WebKitWebDriver",
        "tests of the window",
        &["WebKitWebDriver"],
        &["webkit2gtk-driver"],
        &["webkit2gtk4.1"],
        &[],
    ),
    test("dbus-daemon", "tests of the window", &["dbus-run-session"], &["dbus"], &["dbus-daemon"], &["dbus"]),
    test("xwininfo", "tests of windows", &["xwininfo"], &["x11-utils"], &["xwininfo"], &["xorg-xwininfo"]),
    test("ImageMagick", "screenshots", &["import"], &["imagemagick"], &["ImageMagick"], &["imagemagick"]),
    test(
        "PulseAudio",
        "tests of microphone and speaker",
        &["pulseaudio"],
        &["pulseaudio", "pulseaudio-utils"],
        &["pulseaudio", "pulseaudio-utils"],
        &["pulseaudio"],
    ),
    test(
        "pactl, paplay, parecord",
        "tests of microphone and speaker",
        &["pactl"],
        &["pulseaudio-utils"],
        &["pulseaudio-utils"],
        &["libpulse"],
    ),
    test(
        "Chromium",
        "tests of the pages in a browser",
        &["chromium", "chromium-browser"],
        &["chromium"],
        &["chromium"],
        &["chromium"],
    ),
    test(
        "chromedriver",
        "tests of the pages in a browser",
        &["chromedriver"],
        &["chromium-driver"],
        &["chromedriver"],
        &["chromium"],
    ),
    test("baresip", "calls with another phone", &["baresip"], &["baresip-core"], &["baresip"], &[]),
    Need {
        name: "baresip's modules",
        why: "video calls with another phone",
        group: Group::Test,
        probe: Probe::BaresipModules(&["vidbridge", "vp8", "avcodec"]),
        apt: &["baresip-core", "baresip-ffmpeg"],
        dnf: &["baresip", "baresip-avcodec", "baresip-vp8"],
        ..NOTHING
    },
    test("SIPp", "calls by the hundred", &["sipp"], &["sip-tester"], &["sipp"], &[]),
    test(
        "tshark",
        "what another tool reads in our captures",
        &["tshark"],
        &["tshark"],
        &["wireshark-cli"],
        &["wireshark-cli"],
    ),
    test("Kamailio", "registration at another server", &["kamailio"], &["kamailio"], &["kamailio"], &[]),
    Need {
        name: "Kamailio's modules",
        why: "TLS, WebSocket, presence and busy lamps at another server",
        group: Group::Test,
        probe: Probe::KamailioModules(&["tls", "websocket", "outbound", "presence_dialoginfo", "db_sqlite"]),
        apt: &[
            "kamailio-tls-modules",
            "kamailio-websocket-modules",
            "kamailio-outbound-modules",
            "kamailio-presence-modules",
            "kamailio-sqlite-modules",
        ],
        dnf: &[
            "kamailio-tls",
            "kamailio-websocket",
            "kamailio-outbound",
            "kamailio-presence",
            "kamailio-sqlite",
        ],
        pacman: &["kamailio"],
        ..NOTHING
    },
    test(
        "SQLite's shell",
        "tables of a presence server",
        &["sqlite3"],
        &["sqlite3"],
        &["sqlite"],
        &["sqlite"],
    ),
    test("FFmpeg", "a second opinion on codecs", &["ffmpeg"], &["ffmpeg"], &["ffmpeg-free"], &["ffmpeg"]),
    test("SoX", "sound files for tests", &["sox"], &["sox"], &["sox"], &["sox"]),
    test("eSpeak NG", "speech for tests", &["espeak-ng"], &["espeak-ng"], &["espeak-ng"], &["espeak-ng"]),
    test("Janus", "streams beside another server's", &["janus"], &["janus"], &["janus"], &[]),
    test("coturn", "streams by way of STUN and TURN", &["turnserver"], &["coturn"], &["coturn"], &["coturn"]),
    Need {
        name: "Python 3 with venv",
        why: "streams with aiortc",
        group: Group::Test,
        probe: Probe::PythonEnvironments,
        apt: &["python3", "python3-venv"],
        dnf: &["python3"],
        pacman: &["python"],
        ..NOTHING
    },
    test("OpenSSL", "a DTLS peer that lies", &["openssl"], &["openssl"], &["openssl"], &["openssl"]),
    test(
        "xprop, xwininfo",
        "pictures of windows",
        &["xprop"],
        &["x11-utils"],
        &["xprop", "xwininfo"],
        &["xorg-xprop", "xorg-xwininfo"],
    ),
    test(
        "unshare, nsenter",
        "tests in networks of their own",
        &["nsenter"],
        &["util-linux"],
        &["util-linux"],
        &["util-linux"],
    ),
    test("kill", "peers that die", &["kill"], &["procps"], &["util-linux"], &["util-linux"]),
    test("tcpdump", "when packets were on the wire", &["tcpdump"], &["tcpdump"], &["tcpdump"], &["tcpdump"]),
    test("iproute2", "tests of a lost network", &["ip"], &["iproute2"], &["iproute"], &["iproute2"]),
];

/// The servers are for tests, which start their own: as a service of this machine they would only hold its ports.
pub(crate) fn after_install(installed: &[&Need]) {
    if !std::path::Path::new("/run/systemd/system").exists() {
        return;
    }
    for (name, service) in [("Kamailio", "kamailio"), ("Janus", "janus"), ("coturn", "coturn")] {
        if installed.iter().any(|need| need.name == name) {
            let _ = shell::run(&mut super::manager::as_root(&["systemctl", "disable", "--now", service]));
        }
    }
}

const fn test(
    name: &'static str,
    why: &'static str,
    programs: &'static [&'static str],
    apt: &'static [&'static str],
    dnf: &'static [&'static str],
    pacman: &'static [&'static str],
) -> Need {
    Need { name, why, group: Group::Test, probe: Probe::Program(programs), apt, dnf, pacman, ..NOTHING }
}
