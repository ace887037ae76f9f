// What a site pastes: <script async src="https://signals.example.com/signalbox.js"></script>
//
// Keeps the visitor's id first-party, reports the visit to the service that it came from, and hands the id on to booking
// pages. With data-consent="required" it does nothing until signalbox.consent(true). It never throws into the page.
//
// It has to stay small. signalbox.min.js is made of it:
//   node tests/peers/minify.mjs > crates/dispatcher/script/signalbox.min.js
// The service puts a list in the place of SIGNALBOX_SETTINGS; src/visits/script.rs says of what.
((clicks, hosts, parameters, cookieAttributes) => {
  const attempt = (act) => {
    try {
      return act();
    } catch {
      // Storage that is forbidden, an address that is none: the page must not notice.
    }
  };

  attempt(() => {
    const page = document;
    const location = page.location;
    const script = page.currentScript;
    const isRequired = script.dataset.consent === "required";
    const endpoint = new URL("api/attributions", script.src);
    const [ID] = parameters;
    const POSTED = "va_posted";
    // Stands for the id of a visitor who refused.
    const REFUSED = "no";
    // Empty as long as nothing may be known.
    let id = "";
    let sent;

    const storage = attempt(() => localStorage) || {};
    const write = (name, value) => attempt(() => (value ? (storage[name] = value) : delete storage[name]));
    const cookie = (name) => `; ${page.cookie}`.match(`; ${name}=([^;]*)`)?.[1];
    // The same cookie that the service's answer sets, where it sets one. Of two ages the last counts.
    const setCookie = () => (page.cookie = `${ID}=${id}${cookieAttributes}${id ? "" : ";max-age=0"}`);

    const stored = () => [cookie(ID), storage[ID]].find((known) => /^[\w-]{16,64}$/.test(known));

    // One report after the other: the last word on consent has to come last.
    const send = (id, adUserData, then, visit) =>
      (sent = (async (earlier) => {
        try {
          await earlier;
          then(
            await fetch(endpoint, {
              method: "POST",
              // As text it needs no preflight.
              body: JSON.stringify({ id, consent: { adUserData }, ...visit }),
              keepalive: true,
              credentials: "include",
            }),
          );
        } catch {
          // No network, or a page that forbids it: what is no refusal the next page reports again.
        }
      })(sent));

    // Puts the id into whatever leads to a booking page; takes it out where there is none any more.
    const fill = () =>
      page.querySelectorAll("a[href],iframe[src],form").forEach((element) =>
        attempt(() => {
          const attribute = { A: "href", IFRAME: "src" }[element.tagName];
          const url = new URL(element.getAttribute(attribute || "action"), page.baseURI);
          const before = url.href;
          const isBooking = hosts.some((host) => `.${url.hostname}`.endsWith(`.${host}`));
          if (!isBooking && !("signalbox" in element.dataset)) return;
          parameters.forEach((name) => {
            if (!attribute) {
              const input = element[name] || element.appendChild(page.createElement("input"));
              input.type = "hidden";
              input.name = name;
              input.value = id;
            } else if (id) {
              url.searchParams.set(name, id);
            } else {
              url.searchParams.delete(name);
            }
          });
          // To set what is there already would load an iframe again.
          if (url.href !== before) element[attribute] = url.href;
        }),
      );

    // Reports once per page, and only what the service does not know yet.
    const start = () => {
      if (id) return;
      // 128 random bits: some 40 digits.
      id = stored() || crypto.getRandomValues(new Uint32Array(4)).join("-");
      setCookie();
      write(ID, id);
      fill();

      const query = new URL(location).searchParams;
      const clickIds = {};
      clicks.forEach(([name, jar]) => {
        const value = jar ? cookie(jar) : query.get(name);
        // The service takes 1000 characters.
        if (value && !value[1000]) clickIds[name] = value;
      });
      const known = storage[POSTED];
      const facts = JSON.stringify({ ...JSON.parse(known || null), ...clickIds, id });
      // The service takes no longer addresses, and none of the kind that apps give.
      const web = (address) => /^http.{1,2000}/.exec(address)?.[0];
      if (facts !== known) {
        send(
          id,
          isRequired ? "GRANTED" : "",
          // Unless the visitor has refused meanwhile.
          (answer) => answer.ok && id && write(POSTED, facts),
          { clickIds, pageUrl: web(location), pageReferrer: web(page.referrer) },
        );
      }
    };
    const forget = () => {
      const filled = id;
      const known = id || stored();
      id = "";
      setCookie();
      // Where consent is not asked for on every page, the refusal must outlive this one.
      write(ID, isRequired ? "" : REFUSED);
      write(POSTED);
      if (filled) fill();
      // Whoever has an id was reported. An answer that was under way may have set the cookie again.
      if (known) send(known, "DENIED", setCookie);
    };

    // Anything but a plain true is a refusal.
    const consent = (granted) => attempt(granted === true ? start : forget);
    // A page may have decided before this script was there: window.signalbox = { consent: true }.
    const decided = self.signalbox?.consent;
    self.signalbox = { consent };
    addEventListener("signalbox:consent", (event) => consent(event.detail));
    // What is added later or changed is filled at the latest when it is used; an iframe, when it has loaded.
    ["DOMContentLoaded", "load", "pointerdown", "click", "submit"].forEach((name) =>
      page.addEventListener(name, () => id && fill(), true),
    );
    // Nothing but a boolean: the script itself, pasted twice, leaves a function there.
    if (decided === !!decided) consent(decided);
    else if (!isRequired && storage[ID] !== REFUSED) start();
  });
})(...SIGNALBOX_SETTINGS);
