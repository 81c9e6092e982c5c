//! Looking at a page in headless Chromium, where that is installed, over the pipe of its debugging protocol.
//!
//! What is asked is asked by the protocol, not by a script of the page: the page's own policy allows none.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A width, a colour scheme and a medium.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    width: u32,
    scheme: &'static str,
    media: &'static str,
}

/// A desk, a tablet and a phone, by day and by night, and paper.
pub const LOOKS: [Look; 6] = [
    Look { width: 1280, scheme: "light", media: "screen" },
    Look { width: 1280, scheme: "dark", media: "screen" },
    Look { width: 820, scheme: "light", media: "screen" },
    Look { width: 390, scheme: "light", media: "screen" },
    Look { width: 390, scheme: "dark", media: "screen" },
    Look { width: 718, scheme: "light", media: "print" },
];

/// What is wrong with the page: what sticks out of it, text that is too faint (WCAG 2.2, 1.4.3: a ratio of 4.5, of 3
/// for large text), headings that skip a level, charts without words.
const QUESTIONS: &str = r"(() => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const all = [...document.body.querySelectorAll('*')].filter(shown);
  const name = (element) => `${element.tagName} ${element.className.baseVal ?? element.className} ${element.textContent.slice(0, 30)}`;
  const width = document.documentElement.clientWidth;
  const hidden = (element) => element.closest('thead') && getComputedStyle(element.closest('thead')).position === 'absolute';
  const overflow = all.filter((e) => !hidden(e) && !e.closest('svg') && e.getBoundingClientRect().right > width + 1).map(name);
  if (document.documentElement.scrollWidth > width) overflow.push('the page');
  const faint = all.filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).filter((e) => {
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const [a, b] = [light(style.color), light(behind(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < (size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5);
  }).map(name);
  const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]));
  const steps = levels.every((level, at) => at === 0 ? level === 1 : level > 1 && level <= levels[at - 1] + 1);
  const unlabelled = [...document.querySelectorAll('svg')].filter((s) => !s.ariaLabel && s.ariaHidden !== 'true').map(name);
  return { overflow, faint, headings: steps ? 'ok' : levels.join(), unlabelled };
})()";

/// The browser, if one is installed; else says so.
pub fn find() -> Option<String> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if found.is_none() {
        eprintln!(
            "skipped: chromium is not installed (Debian: apt-get install chromium); nobody looked at the page"
        );
    }
    found.map(str::to_owned)
}

/// What is wrong with `page` at this look.
pub fn look(browser: &str, page: &Path, look: Look) -> Value {
    let mut tab = Tab::open(browser);
    let size =
        json!({"width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": look.width < 600});
    tab.ask("Emulation.setDeviceMetricsOverride", &size);
    let scheme = json!([{"name": "prefers-color-scheme", "value": look.scheme}]);
    tab.ask("Emulation.setEmulatedMedia", &json!({"media": look.media, "features": scheme}));
    tab.ask("Page.enable", &json!({}));
    tab.ask("Page.navigate", &json!({"url": format!("file://{}", page.display())}));
    while tab.receive()["method"] != "Page.loadEventFired" {}
    let answer = tab.ask("Runtime.evaluate", &json!({"expression": QUESTIONS, "returnByValue": true}));
    assert!(answer["exceptionDetails"].is_null(), "{answer}");
    answer["result"]["value"].clone()
}

struct Tab {
    process: Child,
    answers: BufReader<ChildStdout>,
    profile: tempfile::TempDir,
    session: Option<String>,
    sent: u64,
}

impl Tab {
    /// The protocol is on descriptors 3 and 4; the shell lays them onto the ones that it was given.
    fn open(browser: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
            --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe";
        let start = format!(
            "exec {browser} {options} --user-data-dir='{}' 3<&0 4>&1 </dev/null >/dev/null",
            profile.path().display()
        );
        let mut process = Command::new("sh")
            .args(["-c", &start])
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut tab = Self { process, answers, profile, session: None, sent: 0 };
        let target = tab.ask("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let session = tab.ask("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        tab.session = session["sessionId"].as_str().map(str::to_owned);
        tab
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.process.stdin.as_mut().unwrap().write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.receive();
            if answer["id"] == self.sent {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        message.pop();
        serde_json::from_slice(&message).unwrap_or_else(|error| panic!("the browser is gone: {error}"))
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        // The profile's folder goes with the tab; the browser's helpers may still hold files in it.
        drop(std::fs::remove_dir_all(self.profile.path()));
    }
}
