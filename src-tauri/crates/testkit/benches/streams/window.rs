//! Streams in the app's window: how old their pictures are when they come to the screen.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sidetone_testkit::browser::{Display, Driver};
use sidetone_testkit::{Result, RigError, measure, until};

use crate::arguments::Arguments;
use crate::program::Program;
use crate::screen::{Place, Screen, Seen};
use crate::table::{self, Shown};

pub(crate) const TOOLS: [&str; 4] =
    [Display::TOOLS[0], Display::TOOLS[1], "WebKitWebDriver", "dbus-run-session"];

/// Room for four tiles with all that is below each.
const SCREEN: (u32, u32) = (2_000, 1_700);
const WINDOW: (u32, u32) = (1_900, 1_650);
const PATIENCE: Duration = Duration::from_secs(30);
/// Until the depth of jitter buffers, which falls slowly, has settled.
const SETTLE: Duration = Duration::from_secs(8);
/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(1);

struct Case {
    what: &'static str,
    streams: u32,
    size: (u32, u32),
    codec: &'static str,
    /// Its pictures are decoded by the webview, where it can; else by the engine.
    page_decodes: bool,
}

const CASES: [Case; 4] = [
    Case { what: "1 x 720p30 H.264", streams: 1, size: (1_280, 720), codec: "H264", page_decodes: true },
    Case { what: "4 x 360p30 H.264", streams: 4, size: (640, 360), codec: "H264", page_decodes: true },
    Case { what: "1 x 720p30 VP8", streams: 1, size: (1_280, 720), codec: "VP8", page_decodes: true },
    Case { what: "1 x 720p30 VP8", streams: 1, size: (1_280, 720), codec: "VP8", page_decodes: false },
];

/// Whether the aims are met.
pub(crate) fn run(dir: &Path, arguments: &Arguments) -> Result<bool> {
    let app = arguments.app()?;
    let rows = CASES.iter().map(|case| show(dir, app, &arguments.program, case, arguments.shown()));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let (text, met) = table::shown(&rows, arguments.shown());
    println!("\n{text}");
    Ok(met)
}

/// The app's page.
struct Page<'a>(&'a Driver);

impl Page<'_> {
    fn script(&self, body: &str, arguments: &[Value]) -> Result<Value> {
        let body = json!({ "script": body, "args": arguments });
        self.0.try_post("/execute/sync", &body).map_err(RigError::new)
    }

    fn count(&self, id: &str) -> u64 {
        let script = "return document.querySelectorAll(`[data-testid=${arguments[0]}]`).length";
        self.script(script, &[json!(id)]).ok().and_then(|count| count.as_u64()).unwrap_or(0)
    }

    /// Clicks the one of this number, once it is there.
    fn click(&self, id: &str, number: u32) -> Result<()> {
        until(id, PATIENCE, || (self.count(id) > u64::from(number)).then_some(()))?;
        let script = "document.querySelectorAll(`[data-testid=${arguments[0]}]`)[arguments[1]].click()";
        self.script(script, &[json!(id), json!(number)]).map(drop)
    }

    fn resize(&self, (width, height): (u32, u32)) -> Result<()> {
        let rect = json!({ "x": 0, "y": 0, "width": width, "height": height });
        self.0.try_post("/window/rect", &rect).map(drop).map_err(RigError::new)
    }

    /// Where pictures are drawn in the page, letterboxing left out.
    fn places(&self) -> Result<Vec<Place>> {
        let script = "return [...document.querySelectorAll('[data-testid=picture]')].map((canvas) => {
            const box = canvas.getBoundingClientRect()
            const scale = Math.min(box.width / canvas.width, box.height / canvas.height)
            const [width, height] = [canvas.width * scale, canvas.height * scale]
            const [left, top] = [box.left + (box.width - width) / 2, box.top + (box.height - height) / 2]
            return [left, top, width, height].map(Math.round) })";
        let told = self.script(script, &[])?;
        let place = |told: &Value| {
            let side = |at: usize| u32::try_from(told[at].as_i64()?).ok();
            Some(Place { left: side(0)?, top: side(1)?, width: side(2)?, height: side(3)? })
        };
        let places: Option<Vec<_>> = told.as_array().and_then(|all| all.iter().map(place).collect());
        places.ok_or_else(|| RigError::new(format!("pictures lie at {told}")))
    }
}

fn show(dir: &Path, app: &Path, program: &Path, case: &Case, measured: Duration) -> Result<Shown> {
    // Each case has an app that knows nothing of the one before.
    let dir = dir.join(format!("window-{}-{}-{}", case.streams, case.codec, case.page_decodes));
    fs::create_dir_all(&dir)?;
    forget_the_one_before();
    let display = Display::start(&dir, SCREEN.0, SCREEN.1)?;
    let driver = Driver::of_app(app, display.name(), &dir)?;
    let page = Page(&driver);
    page.resize(WINDOW)?;
    if !case.page_decodes {
        page.script("delete globalThis.VideoDecoder", &[])?;
    }
    page.click("open-streams", 0)?;
    page.click("tab-play", 0)?;
    until("its gateway", PATIENCE, || running().is_some_and(|file| file.exists()).then_some(()))?;
    let size = format!("{}x{}", case.size.0, case.size.1);
    let mut publishers = Vec::new();
    for number in 0..case.streams {
        let more = ["--mic", "none", "--codec", case.codec];
        publishers.push(Program::bars(&dir, program, &format!("bench{number}"), &size, &more)?);
        page.click("gateway-stream", number)?;
    }
    let drawn = || page.places().ok().filter(|places| places.len() == case.streams as usize);
    until("the tiles", PATIENCE, drawn)?;
    thread::sleep(SETTLE);
    let places = drawn().ok_or_else(|| RigError::new("a tile is gone"))?;
    let decoder = "return document.querySelector('[data-testid=picture]')?.dataset.decoder";
    let decoder = page.script(decoder, &[])?.as_str().unwrap_or("nobody").to_owned();
    let screen = Screen::open(display.memory())?;
    let first = places.first().copied().ok_or_else(|| RigError::new("there is no tile"))?;
    let margin =
        until("a clock on the screen", PATIENCE, || screen.margin(first, now_ms() as u64).transpose());
    let margin = margin.map_err(|error| seen_instead(error, &display))??;
    let places: Vec<Place> = places.into_iter().filter_map(|place| place.moved(margin)).collect();

    let family = measure::family(driver.process())?;
    let spent =
        |processes: &[u32]| -> Result<Duration> { processes.iter().map(|pid| measure::cpu_time(*pid)).sum() };
    let (app_before, display_before) = (spent(&family)?, spent(&[display.process()])?);
    let began = Instant::now();
    let seen = look(&screen, &places, measured)?;
    let took = began.elapsed();
    let of_a_core = |spent: Duration| spent.as_secs_f64() / took.as_secs_f64();
    let app = of_a_core(spent(&family)?.saturating_sub(app_before));
    let display = of_a_core(spent(&[display.process()])?.saturating_sub(display_before));
    let rate = seen.iter().map(|seen| seen.ages.len()).min().unwrap_or(0) as f64 / took.as_secs_f64();
    let mut ages: Vec<Duration> = seen.into_iter().flat_map(|seen| seen.ages).collect();
    ages.sort_unstable();
    drop(publishers);
    let what = format!("{}, by the {decoder}", case.what);
    Ok(Shown { what, size: (first.width, first.height), ages, rate, app, display })
}

/// An app that is closing still says where its gateway is, or was.
fn forget_the_one_before() {
    if let Some(file) = running() {
        let _ = until("its end", PATIENCE, || (!file.exists()).then_some(()));
        let _ = fs::remove_file(file);
    }
}

/// Where a gateway that runs is told of.
fn running() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?).join("sidetone/gateway.json"))
}

fn look(screen: &Screen, places: &[Place], measured: Duration) -> Result<Vec<Seen>> {
    let mut seen: Vec<Seen> = places.iter().map(|_| Seen::default()).collect();
    let mut line = Vec::new();
    let end = Instant::now() + measured;
    let mut is_first = true;
    while Instant::now() < end {
        for (place, seen) in places.iter().zip(&mut seen) {
            if let Some(clock) = screen.clock(*place, &mut line)? {
                seen.look(clock, now_ms());
            }
        }
        if std::mem::take(&mut is_first) {
            // Those were there before.
            seen.iter_mut().for_each(|seen| seen.ages.clear());
        }
        thread::sleep(LOOK);
    }
    Ok(seen)
}

/// Milliseconds since 1970.
fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1_000.0
}

/// With a picture of the screen for whoever looks into it.
fn seen_instead(error: RigError, display: &Display) -> RigError {
    let file = Path::new("/tmp/sidetone-bench-streams.png");
    let _ = display.picture(file);
    RigError::new(format!("{error}; the screen is in {}", file.display()))
}
