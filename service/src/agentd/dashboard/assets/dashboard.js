// SPDX-License-Identifier: GPL-3.0-or-later
// Copyright: (c) 2026, The Agentkeep authors

// Everything works without this: it only keeps an open page up to date.
(() => {
  "use strict";

  const light = document.getElementById("live");
  const words = document.getElementById("live-words");
  const parts = () => document.querySelectorAll("[data-live]");
  const pause = 2000;
  const longest = 60000;
  let fetching = false;
  let again = false;
  let old = document.hidden;
  let events = null;

  function show(state, text) {
    light.hidden = false;
    light.classList.toggle("away", state === "away");
    light.classList.toggle("news", false);
    if (state === "news") {
      void light.offsetWidth;
      light.classList.add("news");
    }
    words.textContent = text;
  }

  // What somebody reads or types in just now stays as it is.
  function isUsed(part) {
    const opened = part.querySelector("details[open]");
    const typing = part.contains(document.activeElement) &&
      document.activeElement.matches("input, select, textarea");
    const selection = document.getSelection();
    const selected = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
    return Boolean(opened || typing || selected);
  }

  function focusAgain(part, address) {
    if (!address) return;
    for (const link of part.querySelectorAll("a[href]")) {
      if (link.getAttribute("href") === address) {
        link.focus({ preventScroll: true });
        return;
      }
    }
  }

  function replace(part, fresh) {
    const focused = part.contains(document.activeElement)
      ? document.activeElement.getAttribute("href")
      : null;
    part.replaceChildren(...document.importNode(fresh, true).childNodes);
    focusAgain(part, focused);
  }

  async function refresh() {
    // A page that nobody sees is fetched as soon as somebody does.
    if (document.hidden) return;
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.redirected && new URL(answer.url).pathname === "/dashboard/sign-in") {
        location.reload();
        return;
      }
      if (!answer.ok) {
        show("away", "not up to date");
        return;
      }
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      let news = false;
      for (const part of parts()) {
        const fresh = found.querySelector(`[data-live="${part.dataset.live}"]`);
        if (!fresh || fresh.innerHTML === part.innerHTML || isUsed(part)) continue;
        replace(part, fresh);
        news = true;
      }
      if (events && events.readyState === EventSource.OPEN) show(news ? "news" : "live", "live");
    } catch {
      show("away", "not reached");
    } finally {
      setTimeout(() => {
        fetching = false;
        if (again) {
          again = false;
          refresh();
        }
      }, pause);
    }
  }

  function listen() {
    if (events || document.hidden) return;
    events = new EventSource("/dashboard/events");
    events.addEventListener("open", () => {
      show("live", "live");
      // Who was away does not know what it missed.
      if (old) refresh();
      old = false;
    });
    events.addEventListener("changed", (event) => {
      const asked = document.getElementById("main").dataset.topics.split(" ");
      const changed = JSON.parse(event.data);
      // A page that names no topic shows something of each.
      if (asked[0] === "" || changed.some((topic) => asked.includes(topic))) refresh();
    });
    events.addEventListener("error", () => {
      old = true;
      show("away", "not live");
      if (events && events.readyState === EventSource.CLOSED) {
        events = null;
        setTimeout(listen, 15000);
      }
    });
  }

  function fallSilent() {
    if (events) events.close();
    events = null;
    old = true;
  }

  // A page that comes back from the browser's memory is old.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  addEventListener("pagehide", fallSilent);
  if (light && parts().length > 0) {
    // A browser has six connections to a server: pages in the background hold none.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) fallSilent();
      else listen();
    });
    listen();
    // How long ago something was, and the health, change without being told.
    setInterval(refresh, longest);
  }

  // What was done is told once, not again when the page is loaded anew.
  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }
})();
