import { signal } from "@preact/signals";

// now ticks every second while the page is visible, for everything that says how old it is.
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1000);
document.addEventListener("visibilitychange", () => {
  now.value = Date.now();
});
