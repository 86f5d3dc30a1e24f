#!/usr/bin/env bash
# Builds the book, and follows every link in it that does not leave it: the page is there, and so is the place on it. What is
# outside docs/ is not in the book.
set -euo pipefail
root=$(cd -- "$(dirname -- "$0")/../.." && pwd)
top=$(mktemp -d)
trap 'rm -rf -- "$top"' EXIT
"$root/.venv/bin/mdbook" build --dest-dir "$top/book" "$root" >"$top/log" 2>&1 || { cat "$top/log" && exit 1; }
if grep -E 'WARN|ERROR' "$top/log"; then exit 1; fi

"$root/.venv/bin/python" - "$top/book" "$root/docs" <<'END'
import html.parser
import pathlib
import sys
import urllib.parse

book, sources = map(pathlib.Path, sys.argv[1:])


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])


pages = {path.name: Page(path) for path in book.glob("*.html")}
n_followed = 0
for name, page in pages.items():
    # These hold every page once more, or the frame around it.
    if name in ("print.html", "toc.html", "404.html"):
        continue
    for link in page.links:
        target = urllib.parse.urlsplit(link)
        if target.scheme:
            continue
        to = target.path or name
        if to not in pages:
            sys.exit(f"{name}: {link} leads nowhere")
        if target.fragment and target.fragment not in pages[to].ids:
            sys.exit(f"{name}: there is no place {link}")
        n_followed += 1
lacking = {path.stem for path in sources.glob("*.md")} - {"SUMMARY"} - {name.removesuffix(".html") for name in pages}
if lacking or n_followed < 100:
    sys.exit(f"the book lacks {lacking}; {n_followed} links were followed")
END
echo "book: ok"
