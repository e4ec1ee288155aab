import { signal } from "@preact/signals";

// path is the page's own address; going somewhere inside a page does not load it again.
export const path = signal(location.pathname);

addEventListener("popstate", () => {
  path.value = location.pathname;
});

// moved says whether somebody went elsewhere inside this page since it was loaded.
export let moved = false;

export function go(to: string): void {
  const url = new URL(to, location.href);
  if (url.pathname.split("/")[1] !== location.pathname.split("/")[1]) {
    location.assign(url.href);
    return;
  }
  moved = true;
  history.pushState(null, "", url.href);
  path.value = url.pathname;
  scrollTo(0, 0);
}

// part gives the decoded n-th segment of the path: /home/visit/x has home, visit, x.
export function part(n: number): string {
  try {
    return decodeURIComponent(path.value.split("/")[n + 1] ?? "");
  } catch {
    return "";
  }
}
