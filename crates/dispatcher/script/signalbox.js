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
    let postedFor;

    const storage = attempt(() => localStorage) || {};
    const write = (name, value) => attempt(() => (value ? (storage[name] = value) : delete storage[name]));
    const cookie = (name) => `; ${page.cookie}`.match(`; ${name}=([^;]*)`)?.[1];
    // The same cookie that the service's answer sets, where it sets one. Of two ages the last counts.
    const setCookie = () => (page.cookie = `${ID}=${id}${cookieAttributes}${id ? "" : ";max-age=0"}`);

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
              Object.assign(input, { type: "hidden", name, value: id });
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

    // Once per page, and only what the service does not know yet.
    const post = () => {
      const query = new URL(location).searchParams;
      const clickIds = {};
      clicks.forEach(([name, jar]) => {
        const value = jar ? cookie(jar) : query.get(name);
        if (value && value.length <= 1000) clickIds[name] = value;
      });
      const known = storage[POSTED];
      const facts = JSON.stringify({ ...JSON.parse(known || null), ...clickIds, id });
      if (postedFor === id || facts === known) return;
      postedFor = id;
      // The service takes no longer addresses, and none of the kind that apps give.
      const web = (address) => /^http.{1,2000}/.exec(address)?.[0];
      fetch(endpoint, {
        method: "POST",
        // As text it needs no preflight.
        body: JSON.stringify({
          id,
          clickIds,
          pageUrl: web(location),
          pageReferrer: web(page.referrer),
          consent: { adUserData: isRequired ? "GRANTED" : "" },
        }),
        keepalive: true,
        credentials: "include",
      }).then(
        (answer) => answer.ok && postedFor === id && write(POSTED, facts),
        () => {},
      );
    };

    const start = () => {
      id =
        [cookie(ID), storage[ID]].find((known) => /^[\w-]{16,64}$/.test(known)) ||
        [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte + 256).toString(16).slice(1)).join("");
      setCookie();
      write(ID, id);
      fill();
      post();
    };
    const forget = () => {
      const known = id;
      id = "";
      setCookie();
      // Where consent is not asked for on every page, the refusal must outlive this one.
      write(ID, isRequired ? "" : REFUSED);
      write(POSTED);
      if (known) fill();
    };

    // Anything but a plain true is a refusal.
    const consent = (granted) => attempt(granted === true ? start : forget);
    // A page may have decided before this script was there: window.signalbox = { consent: true }.
    const decided = window.signalbox?.consent;
    window.signalbox = { consent };
    addEventListener("signalbox:consent", (event) => consent(event.detail));
    // What is added later or changed is filled at the latest when it is used; an iframe, when it has loaded.
    ["DOMContentLoaded", "load", "pointerdown", "click", "submit"].forEach((name) =>
      page.addEventListener(name, () => id && fill(), true),
    );
    if (typeof decided === "boolean") consent(decided);
    else if (!isRequired && storage[ID] !== REFUSED) start();
  });
})(...SIGNALBOX_SETTINGS);
