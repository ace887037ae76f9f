// Visits pages with a real browser and prints, as JSON, what they and the network saw.
//   node browser.mjs SITE STRANGER     (origins of the pages of tests/tests/it/browser.rs)
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const [site, stranger] = process.argv.slice(2);
const names = ["chromium", "chromium-browser", "google-chrome"];
const isThere = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const folders = process.env.PATH.split(delimiter);
const executablePath =
  process.env.CHROMIUM ?? folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isThere);
if (!executablePath) throw new Error(`none of ${names} is on the path; name a browser by CHROMIUM`);

// Far more than anything takes, so that only what never comes is given up.
const PATIENCE = 180_000;

const browser = await chromium.launch({
  executablePath,
  timeout: PATIENCE,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});

// A visitor with an empty browser, and what is seen of them.
async function visitor() {
  const context = await browser.newContext();
  // Booking pages are played: nothing leaves this machine.
  await context.route(/as\.me|acuityscheduling\.com/, (route) => route.fulfill({ body: "booking" }));
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const posts = [];
  const errors = [];
  const answers = [];
  let ended = 0;
  const count = (request) => {
    if (request.method() === "POST") ended += 1;
  };
  page.on("requestfinished", count);
  page.on("requestfailed", count);
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    if (request.method() === "POST") posts.push(JSON.parse(request.postData()));
  });
  page.on("response", (response) => {
    if (response.request().method() === "POST") answers.push(response.status());
  });
  // Asks for something after whatever the script has asked for: by its answer that has been seen, too.
  const overtaken = () => page.evaluate(() => fetch("/overtaken").then((answer) => answer.text()));
  return {
    page,
    // Returns once the script has run. A network that is idle says nothing: a slow browser may be so before, and one that
    // keeps a report alive may never be so.
    go: async (address) => {
      await page.goto(address);
      await page.waitForFunction(() => typeof window.signalbox?.consent === "function");
      await overtaken();
    },
    // So many reports in all have been made and have come to their end.
    reported: async (reports) => {
      for (const deadline = Date.now() + PATIENCE; ended < reports; ) {
        if (Date.now() > deadline) throw new Error(`${ended} of ${reports} reports`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    act: async (action, argument) => {
      await page.evaluate(action, argument);
      await overtaken();
    },
    // Refuses after these decisions, and waits until the service knows.
    withdraw: async (...decisions) => {
      const answered = page.waitForResponse((response) => response.request().postData()?.includes("DENIED"));
      await page.evaluate((all) => all.forEach(window.signalbox.consent), [...decisions, false]);
      await answered;
      await page.waitForFunction(() => !document.cookie.includes("va_attrib"));
    },
    look: async () => {
      const seen = await page.evaluate(() => ({
        stored: { ...localStorage },
        cookie: document.cookie,
        hrefs: Object.fromEntries([...document.querySelectorAll("a")].map((a) => [a.id, a.getAttribute("href")])),
        frames: [...document.querySelectorAll("iframe")].map((frame) => frame.getAttribute("src")),
        inputs: Object.fromEntries(
          [...document.querySelectorAll("form")].map((form) => [
            form.id,
            Object.fromEntries([...form.querySelectorAll("[type=hidden]")].map((input) => [input.name, input.value])),
          ]),
        ),
      }));
      return { ...seen, cookies: await context.cookies(site), posts: [...posts], answers: [...answers], errors };
    },
    leave: () => context.close(),
  };
}

const seen = {};

const ann = await visitor();
await ann.go(`${site}/?ttclid=E.C.P.abc&gclid=Cj0abc&ttp=none&utm_source=tiktok`);
await ann.reported(1);
seen.landing = await ann.look();
await ann.go(`${site}/second`);
seen.second = await ann.look();
// Links and frames of later, and links that the page changes.
await ann.act(() => {
  document.body.insertAdjacentHTML("beforeend", '<a id="later" href="https://academy.as.me/later?a=1">later</a>');
  document.body.insertAdjacentHTML("beforeend", '<iframe src="https://academy.as.me/frame"></iframe>');
  document.getElementById("booking").href = "https://academy.as.me/changed";
  addEventListener("click", (event) => event.preventDefault());
  document.getElementById("later").click();
});
await ann.page.waitForFunction(() => [...document.querySelectorAll("iframe")].every((frame) => frame.src.includes("va_")));
seen.changed = await ann.look();
// TikTok's own script came meanwhile.
await ann.act(() => {
  document.cookie = "_ttp=ttp-of-ann; path=/";
});
await ann.go(`${site}/second`);
await ann.reported(2);
seen.cookie = await ann.look();
await ann.go(`${site}/?ttclid=E.C.P.abc`);
seen.again = await ann.look();
// Asked nothing, and refuses all the same: on this page and the next.
await ann.withdraw();
await ann.go(`${site}/?ttclid=E.C.P.another`);
seen.refused = await ann.look();
await ann.leave();

const bob = await visitor();
await bob.go(`${site}/asks?ttclid=E.C.P.bob`);
seen.unasked = await bob.look();
await bob.act(() => window.signalbox.consent("denied"));
seen.denied = await bob.look();
await bob.act(() => dispatchEvent(new CustomEvent("signalbox:consent", { detail: true })));
await bob.reported(1);
seen.granted = await bob.look();
await bob.act(() => window.signalbox.consent(true));
seen.grantedTwice = await bob.look();
await bob.withdraw();
seen.withdrawn = await bob.look();
await bob.act(() => window.signalbox.consent(false));
seen.withdrawnTwice = await bob.look();
await bob.leave();

// Withdraws on a later page, which asks for nothing else.
const fay = await visitor();
await fay.go(`${site}/asks`);
await fay.act(() => window.signalbox.consent(true));
await fay.reported(1);
await fay.go(`${site}/asks`);
await fay.withdraw();
await fay.go(`${site}/asks`);
await fay.act(() => window.signalbox.consent(false));
seen.withdrawnLater = await fay.look();
await fay.leave();

// Withdraws before the first report is answered.
const gus = await visitor();
await gus.go(`${site}/asks`);
await gus.withdraw(true);
seen.withdrawnAtOnce = await gus.look();
await gus.leave();

// The page decided before the script was there.
const eve = await visitor();
await eve.page.addInitScript(() => (window.signalbox = { consent: true }));
await eve.go(`${site}/asks?ttclid=E.C.P.eve`);
await eve.reported(1);
seen.decided = await eve.look();
await eve.leave();

// Only the service's answer can set a cookie, and nothing else can be stored.
const dan = await visitor();
await dan.page.addInitScript(() => {
  const { get } = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(document, "cookie", { get, set() {} });
  Object.defineProperty(window, "localStorage", { get: () => { throw new Error("forbidden"); } });
});
await dan.go(`${site}/?gclid=Cj0dan`);
await dan.reported(1);
seen.locked = { cookies: await dan.page.context().cookies(site) };
await dan.leave();

const mallory = await visitor();
await mallory.go(`${stranger}/?ttclid=E.C.P.stranger`);
await mallory.reported(1);
seen.stranger = await mallory.look();
await mallory.leave();

await browser.close();
console.log(JSON.stringify(seen));
