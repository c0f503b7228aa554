//! What we publish and a browser plays over a path of 2 Mbit/s that narrows to 500 kbit/s and widens again.

use super::{Program, SOON, path};
use sidetone_testkit::{Needs, Room, ShownPicture, StreamPage, UdpPath, link::LinkSettings, room, until};
use std::{
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const WIDE: u64 = 2_000_000;
/// Of the camera's noise, in steps of 255.
const GRAIN: u8 = 10;
const NARROW: u64 = 500_000;
/// Of the pictures: with the sound, headers and probes they leave the wide path some room.
const MOST_KBIT: &str = "1400";
const SECOND: Duration = Duration::from_secs(1);
const LONGEST_FREEZE: Duration = Duration::from_secs(1);
const RECOVERY: Duration = Duration::from_secs(5);

fn link(bandwidth: u64) -> LinkSettings {
    LinkSettings { bandwidth: Some(bandwidth), queue: 60_000, ..LinkSettings::default() }
}

/// Two seconds of a soft picture that moves, with a camera's noise: it takes what bits there are, and can be left out where
/// there are few.
fn grainy(room: &Room) -> PathBuf {
    let (file, _) = path(room, "grainy.y4m");
    let (width, height) = (640_usize, 360_usize);
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    out.write_all(b"YUV4MPEG2 W640 H360 F30:1 Ip A1:1 C420jpeg\n").unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    for picture in 0..60 {
        let turn = f64::from(picture) / 60.0 * std::f64::consts::TAU;
        let across: Vec<f64> = (0..width).map(|x| (x as f64 / 40.0 + turn).sin()).collect();
        out.write_all(b"FRAME\n").unwrap();
        for y in 0..height {
            let down = 60.0 * (y as f64 / 30.0).cos();
            let row: Vec<u8> = across
                .iter()
                .map(|across| (128.0 + across * down) as u8 - GRAIN + random.u8(..2 * GRAIN))
                .collect();
            out.write_all(&row).unwrap();
        }
        out.write_all(&vec![128_u8; width * height / 2]).unwrap();
    }
    file
}

/// Where the gateway inside of a publisher listens.
fn embedded(room: &Room) -> String {
    let of = |folder: PathBuf| std::fs::read(folder.join("gateway.json")).ok();
    let read = || {
        let folders = std::fs::read_dir(room.dir().join("run")).ok()?;
        let inner = folders.filter_map(|entry| Some(entry.ok()?.path()));
        let text = of(room.dir().join("run")).or_else(|| inner.filter_map(of).next())?;
        let record: serde_json::Value = serde_json::from_slice(&text).ok()?;
        Some(format!("http://{}", record["http"].as_str()?))
    };
    until("the embedded gateway", SOON, read).unwrap()
}

/// Makes what the page plays come over `over`: it is told of no other address of the gateway.
fn lead(page: &StreamPage, over: &UdpPath) {
    let script = "const [port] = arguments
        const real = window.fetch
        window.fetch = async (...request) => {
            const answer = await real(...request)
            if (answer.status !== 201) return answer
            let text = await answer.text()
            window.gatewayPort = Number(text.match(/^a=candidate:\\S+ 1 udp \\d+ 127\\.0\\.0\\.1 (\\d+) /im)[1])
            const lines = text.split('\\r\\n').filter((line) => !/^a=candidate:/.test(line) || / 127\\.0\\.0\\.1 /.test(line))
            text = lines.join('\\r\\n').replace(/( 127\\.0\\.0\\.1) \\d+ typ/g, `$1 ${port} typ`)
            const changed = new Response(text, { status: answer.status, headers: answer.headers })
            Object.defineProperty(changed, 'url', { value: answer.url })
            return changed
        }";
    page.driver().script(script, &[over.address().port().into()]);
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1_000.0
}

/// The longest time without a new picture between two moments, ms since 1970.
fn longest(pictures: &[ShownPicture], from: f64, to: f64) -> Duration {
    let shown = pictures.iter().map(|picture| picture.at).filter(|at| (from..to).contains(at));
    let times: Vec<f64> = [from].into_iter().chain(shown).chain([to]).collect();
    let gap = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    Duration::from_secs_f64(gap / 1_000.0)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[test]
fn a_browser_sees_no_freeze_where_its_path_narrows_and_all_of_it_where_it_widens_again() {
    let Some(room) =
        room!(Needs::tools(&StreamPage::TOOLS).network().alone().within(Duration::from_secs(180)))
    else {
        return;
    };
    let camera = format!("file:{}", grainy(&room).display());
    let arguments = ["--camera", &camera, "--mic", "tone", "--codec", "VP8", "--size", "640x360"];
    let mut publisher =
        Program::start(&room, &[&["publish", "tv", "--bitrate", MOST_KBIT][..], &arguments].concat());
    publisher.status("PUBLISHING");
    let address = embedded(&room);
    let page = StreamPage::start(room.dir(), "page", &[]).unwrap();
    let over = UdpPath::open().unwrap();
    over.set_to_client(link(WIDE));
    lead(&page, &over);
    let played = page.play(&format!("{address}/whep/tv"), None);
    let port = until("the answer", SOON, || page.driver().script("return window.gatewayPort", &[]).as_u64());
    over.lead_to(SocketAddr::from(([127, 0, 0, 1], u16::try_from(port.unwrap()).unwrap())));
    page.wait(played, "first picture", SOON).unwrap();

    let bytes = || page.counter(played, "inbound-rtp", "video", "bytesReceived");
    // Half seconds: what came of the video, kbit/s.
    let watch = |what: &str, time: Duration| -> Vec<f64> {
        let mut rates = Vec::new();
        let (mut before, begun) = ((bytes(), now_ms()), now_ms());
        while now_ms() - begun < ms(time) {
            std::thread::sleep(SECOND / 2);
            let now = (bytes(), now_ms());
            let rate = (now.0 - before.0) * 8.0 / (now.1 - before.1);
            println!("{what} {:.1} s: {rate:.0} kbit/s", (now.1 - begun) / 1_000.0);
            rates.push(rate);
            before = now;
        }
        rates
    };
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let rates = watch("wide", 12 * SECOND);
    let before = mean(&rates[rates.len() - 4..]);
    assert!(before > 1_000.0, "{before} kbit/s before it is narrow");

    let narrowed = now_ms();
    over.set_to_client(link(NARROW));
    let rates = watch("narrow", 10 * SECOND);
    let used = mean(&rates[rates.len() / 2..]);
    let widened = now_ms();
    over.set_to_client(link(WIDE));
    let rates = watch("wide again", 10 * SECOND);
    let end = now_ms();
    let again = mean(&rates[rates.len() / 2..]);

    let pictures = page.seen(played, 0).unwrap().pictures;
    for (what, from, to) in [("narrow", narrowed, widened), ("wide again", widened, end)] {
        let (all, late) = (longest(&pictures, from, to), longest(&pictures, from + ms(RECOVERY), to));
        let shown = pictures.iter().filter(|picture| (from + ms(RECOVERY)..to).contains(&picture.at)).count();
        let rate = shown as f64 * 1_000.0 / (to - from - ms(RECOVERY));
        println!("{what}: {all:?} the longest, {late:?} after {RECOVERY:?}, {rate:.1} pictures/s there");
        assert!(all <= LONGEST_FREEZE, "{what}: {all:?} without a picture");
        assert!(late <= Duration::from_millis(300), "{what}: {late:?} without a picture after {RECOVERY:?}");
        assert!(rate > 15.0, "{what}: {rate} pictures/s");
    }
    println!("{} datagrams were lost", over.dropped_to_client());
    assert!(used > 200.0 && used < 500.0, "{used} kbit/s of 500");
    assert!(again > 0.8 * before, "{again} kbit/s five seconds after it is wide again, {before} before");
    drop(publisher);
}
